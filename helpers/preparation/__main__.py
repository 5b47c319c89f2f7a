"""python -m helpers.preparation FILE [--quiet] [--chat]: makes a training file of your data, step by step."""

from __future__ import annotations

import argparse
import sys

from helpers.preparation.findings import LEGACY, MENDED, PreparationError
from helpers.preparation.preparing import prepare


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m helpers.preparation", description="Checks your data, proposes remedies, writes a new training file.",
        epilog="Exit status: 0 done, 1 the data cannot be prepared (the reason says why), 130 interrupted.")
    options.add_argument("file", metavar="FILE", help="CSV, TSV, XLSX, JSON, JSONL or TXT with prompts and completions")
    options.add_argument("--quiet", "-q", action="store_true", help="accept every proposal without asking")
    options.add_argument("--chat", action="store_true", help="write chat examples (messages) instead of prompt/completion")
    options.add_argument("--system", metavar="TEXT", help="with --chat: the system message of every example")
    options.add_argument("--split", action=argparse.BooleanOptionalAction,
                         help="write a training and a validation file (default: asked for classification)")
    options.add_argument("--folder", metavar="DIR", help="where to write (default: beside FILE)")
    options.add_argument("--prompt", metavar="NAME", help="the column that holds the prompts, if it is called otherwise")
    options.add_argument("--completion", metavar="NAME", help="the column that holds the completions")
    options.add_argument("--legacy", action="store_true", help="do it as the removed tool did, mistakes included")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.system is not None and not options.chat:
        parser().error("--system needs --chat: prompt/completion examples have no system message")
    columns = {name: given for name in ("prompt", "completion") if (given := getattr(options, name))}
    try:
        prepare(options.file, quiet=options.quiet, chat=options.chat, system=options.system, split=options.split,
                folder=options.folder, columns=columns, mistakes=LEGACY if options.legacy else MENDED)
    except PreparationError as error:
        print(error, file=sys.stderr)
        return 1
    except EOFError:
        print("\nnobody answers: run it in a terminal, or with --quiet; nothing was written", file=sys.stderr)
        return 1
    except BrokenPipeError:
        print("nobody reads what is said; look into the folder for what was written", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error}; choose another place with --folder", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.stderr.reconfigure(encoding="utf-8", errors="replace")
    raise SystemExit(main())
