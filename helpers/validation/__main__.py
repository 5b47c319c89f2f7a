"""`python -m helpers.validation FILE...`: exit status 0 if every file would be accepted, 1 if not, 2 for wrong
usage, 130 after an interrupt."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from pathlib import Path

from helpers.validation import check, rules_page
from helpers.validation.findings import Report
from helpers.validation.forms import METHODS


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.rules and not options.files or options.tokens and not options.model:
        parser.error("name a file to check" if not options.files else "--tokens needs --model")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # a console's own encoding may lack what the file contains
    if options.rules:
        print(rules_page(), end="")
        return 0
    if missing := [path for path in [*options.files, options.validation] if path and not path.is_file()]:
        print(f"there is no file {', '.join(map(str, missing))}", file=sys.stderr)
        return 2
    reports = [_check(path, options) for path in options.files]
    if options.json:
        print(json.dumps([report.to_dict() for report in reports]))
    elif not options.quiet:
        print("\n".join(map(repr, reports)))
    return 0 if all(report.accepted for report in reports) else 1


def _check(path: Path, options: argparse.Namespace) -> Report:
    return check(
        path,
        options.model,
        method=options.method,
        local=options.local,
        validation=options.validation,
        tokens=options.tokens,
        quiet=options.quiet or options.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.validation", description="Checks training files.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--validation", type=Path, metavar="FILE", help="validation file: checked, and searched for leakage")
    parser.add_argument("--method", choices=METHODS, default="supervised", help="the job's method (default: supervised)")
    parser.add_argument("--model", help="measure examples against this model's limit")
    parser.add_argument("--tokens", action="store_true", help="count all tokens (needs --model)")
    parser.add_argument("--local", action="store_true", help="what the local service refuses is an error")
    parser.add_argument("--json", action="store_true", help="one JSON list, for programs")
    parser.add_argument("--quiet", action="store_true", help="exit status only")
    parser.add_argument("--rules", action="store_true", help="print the page of all rules and end")
    return parser


if __name__ == "__main__":
    warnings.formatwarning = lambda message, *where: f"{message}\n"  # where in this program helps nobody
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status)
