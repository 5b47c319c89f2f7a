"""One streaming look at a file: its lines, by several processes if it is large, then the lines together."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.validation import rules
from helpers.validation.findings import Report
from helpers.validation.forms import UNKNOWN, Method
from helpers.validation.lines import Rows
from helpers.validation.processes import MOST, MOST_THAT_COUNT, Pool, usable_cores
from helpers.validation.scan import Scan, Settings, example_at
from helpers.validation.together import compare, leakage

if TYPE_CHECKING:
    import pandas as pd

Source = Path | str | Iterable[Mapping[str, Any]]
LARGE = 32 * 1024**2  # bytes: smaller files are done before a bar could be read, or a second process has started
LARGE_TO_COUNT = 8 * 1024**2  # the same if tokens are counted, which takes longer


def check(
    source: Source,
    model: str | None = None,
    training: bool = True,
    *,
    method: Method = "supervised",
    local: bool = False,
    validation: Source | None = None,
    tokens: bool = False,
    quiet: bool = False,
    processes: int | None = None,
) -> Report:
    """All findings of a training file or of rows, in one streaming pass with flat memory.

    With `model` examples are measured against its training limit, and with `tokens` as well all tokens are counted.
    `local=True`: what the local service refuses is an error. `validation`: a second file, checked too and compared with
    the first. `training=False`: a file that may be small. A bar shows the progress of large files unless `quiet`.
    `processes`: how many read a file (default: one, or up to four for large ones where there are as many cores).
    """
    sources = [_source(given) for given in (source, validation) if given is not None]
    settings = _settings(method, local, model, tokens)
    count = _processes(sources, settings.tokens, processes)
    with Pool(count, settings) if count > 1 else nullcontext() as pool:
        scans = [_scan(source, settings, quiet, pool) for source in sources]
    reports = [_report(source, scan, training and n == 0) for n, (source, scan) in enumerate(zip(sources, scans))]
    if len(scans) == 2:
        leakage(scans[0].facts, scans[1].facts, scans[0].findings, *(partial(example_at, source) for source in sources))
        kinds = [scan.kind for scan in scans]
        if kinds[0] != kinds[1] and UNKNOWN not in kinds:
            scans[1].findings.add(0, "mixed_formats", f"{kinds[1]}, the training file is {kinds[0]}")
        return replace(reports[0], validation=reports[1])
    return reports[0]


def validate(source: Source, model: str | None = None, training: bool = True, **more: Any) -> pd.DataFrame:
    """`check` as a table: columns line, rule, severity, what, fix; empty if all is well.

    `line` counts from 1, 0 is the file as a whole. Of each rule the first hundred findings are listed; a last row tells
    how many there are, and `attrs["counts"]` has all numbers.
    """
    return check(source, model, training, **more).frame()


def is_accepted(findings: pd.DataFrame) -> bool:
    """True if no finding is an error, so that a provider should take the file."""
    return not (findings["severity"] == "error").any()


def _source(given: Source) -> Path | Rows:
    if isinstance(given, (str, Path)):
        return Path(given)
    return given if isinstance(given, list) else list(given)


def _settings(method: Method, local: bool, model: str | None, tokens: bool) -> Settings:
    if not model:
        return Settings(method, local)
    from helpers.tokens import counted_by, example_limit

    if (limit := example_limit(model)) is None:
        warnings.warn(f"{model}: no limit is known, so no example is found too long", stacklevel=3)
    return Settings(method, local, counted_by(model), limit, tokens)


def _processes(sources: list[Path | Rows], tokens: bool, wanted: int | None) -> int:
    files = [source for source in sources if isinstance(source, Path)]
    if len(files) < len(sources):  # rows in memory are read where they are
        return 1
    large = max(file.stat().st_size for file in files) >= (LARGE_TO_COUNT if tokens else LARGE)
    return wanted or (min(MOST_THAT_COUNT if tokens else MOST, usable_cores()) if large else 1)


def _scan(source: Path | Rows, settings: Settings, quiet: bool, pool: Pool | None) -> Scan:
    scan = Scan(settings)
    size = source.stat().st_size if isinstance(source, Path) else 0
    large = size >= (LARGE_TO_COUNT if settings.tokens else LARGE)
    show = _Bar(source.name, size) if isinstance(source, Path) and large and not quiet else None
    if pool is not None and isinstance(source, Path):
        for end, part in pool.scan(source):
            scan.join(part)
            if show:
                show.at(end)
    else:
        scan.read(source, show=show.advance if show else int)
    if show:
        show.close()
    return scan


def _report(source: Path | Rows, scan: Scan, training: bool) -> Report:
    _whole(source, scan, training)
    for line, tokens in scan.counter.longer_than(scan.settings.limit) if scan.counter else ():
        scan.findings.add(line, "too_long", f"{tokens:,} tokens, the limit is {scan.settings.limit:,}")
    compare(scan.facts, scan.findings, partial(example_at, source))
    name = source.name if isinstance(source, Path) else "rows"
    return Report(name, scan.lines, scan.kind, scan.findings, scan.counter.summary() if scan.counter else None)


def _whole(source: Path | Rows, scan: Scan, training: bool) -> None:
    add = scan.findings.add
    if isinstance(source, Path):
        if source.suffix.lower() != ".jsonl":
            add(0, "wrong_extension", f"the file is called {source.name}")
        if (size := source.stat().st_size) > rules.MAX_FILE_BYTES:
            add(0, "file_too_large", f"{size / 1024**2:.0f} MB")
    if scan.lines == 0:
        add(0, "empty_file", "there is no example")
    elif training and scan.lines < rules.MIN_EXAMPLES:
        add(0, "too_few_examples", f"{scan.lines} example(s)")
    elif training and scan.lines < rules.RECOMMENDED_EXAMPLES:
        add(0, "few_examples", f"{scan.lines} examples")
    if len(kinds := sorted(kind for kind in scan.kinds if kind != UNKNOWN)) > 1:
        add(0, "mixed_formats", " and ".join(f"{scan.kinds[kind]:,} {kind}" for kind in kinds))
    if 0 < scan.crlf < scan.lines - 1:
        add(0, "mixed_line_ends", f"{scan.crlf:,} lines end in CR LF, {scan.lines - scan.crlf:,} in LF")


class _Bar:
    """The share that is done and the time that is left, at most five times a second."""

    def __init__(self, name: str, size: int) -> None:
        from helpers.progress import Progress

        self.name, self.size, self.done, self.started, self.shown = name, size, 0, time.monotonic(), 0.0
        self.bar = Progress(f"checking {name}, MB", size >> 20)

    def advance(self, count: int) -> None:
        self.at(self.done + count)

    def at(self, done: int) -> None:
        self.done = done
        if (now := time.monotonic()) - self.shown > 0.2:
            left = (now - self.started) * (self.size - self.done) / self.done
            self.bar.update(self.done >> 20, self.size >> 20, f"checking {self.name}, {left:.0f} s left, MB")
            self.shown = now

    def close(self) -> None:
        self.bar.close(f"checked {self.name}: {self.size >> 20} MB in {time.monotonic() - self.started:.1f} s")
