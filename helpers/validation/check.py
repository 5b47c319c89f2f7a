"""One pass over a file: every line by the fast way or the exact way, then the lines together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.bulk_tokens import TokenCounter
from helpers.progress import Progress
from helpers.tokens import count_row, example_limit
from helpers.validation import rules
from helpers.validation.fast import PAIR_ROLES, Example, example_of, quick_chat, quick_pair
from helpers.validation.findings import Findings, Report
from helpers.validation.forms import CHAT, PAIR, READ_BY, UNKNOWN, Method, check_row, form
from helpers.validation.lines import Block, blocks, parse
from helpers.validation.secrets import spots
from helpers.validation.together import Hashes, Together, leakage

Source = Path | str | Iterable[Mapping[str, Any]]
QUICK: dict[str, Callable[[bytes], Example | None]] = {CHAT: quick_chat, PAIR: quick_pair, UNKNOWN: lambda raw: None}
SHOWN_FROM = 32 * 1024**2  # bytes: smaller files are done before a bar could be read


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
) -> Report:
    """All findings of a training file or of rows, in one streaming pass with flat memory.

    With `model` examples are measured against its training limit, and with `tokens` as well all tokens are counted.
    `local=True`: what the local service refuses is an error. `validation`: a second file, checked too and compared with
    the first. `training=False`: a file that may be small. A bar shows the progress of large files unless `quiet`.
    """
    run = _Run(source, model, training, method, local, tokens, quiet)
    report = run.report()
    if validation is None:
        return report
    other = _Run(validation, model, False, method, local, tokens, quiet)
    second = other.report()
    leakage(run.together, other.together, run.findings)
    if run.kind != other.kind and UNKNOWN not in (run.kind, other.kind):
        other.findings.add(0, "mixed_formats", f"{other.kind}, the training file is {run.kind}")
    return Report(report.name, report.lines, report.format, run.findings, report.tokens, second)


def validate(source: Source, model: str | None = None, training: bool = True, **more: Any) -> pd.DataFrame:
    """`check` as a table: columns line, rule, severity, what, fix; empty if all is well.

    `line` counts from 1, 0 is the file as a whole. Of each rule the first hundred findings are listed; a last row tells
    how many there are, and `attrs["counts"]` has all numbers.
    """
    return check(source, model, training, **more).frame()


def is_accepted(findings: pd.DataFrame) -> bool:
    """True if no finding is an error, so that a provider should take the file."""
    return not (findings["severity"] == "error").any()


class _Run:
    """The state of one pass."""

    def __init__(
        self, source: Source, model: str | None, training: bool, method: Method, local: bool, tokens: bool, quiet: bool
    ) -> None:
        self.source = Path(source) if isinstance(source, (str, Path)) else _rows(source)
        self.model, self.training, self.quiet = model, training, quiet
        self.method: Method = method
        self.limit = example_limit(model) if model else None
        self.counter = TokenCounter(model) if model and tokens else None
        self.findings = Findings(frozenset({"not_local"} if local else ()))
        self.together = Together(labels={} if method in ("supervised", "completion") else None)
        self.kinds: Counter[str] = Counter()
        self.blank_from = self.lines = self.crlf = 0

    @property
    def kind(self) -> str:
        known = [kind for kind, _ in self.kinds.most_common() if kind != UNKNOWN]
        return known[0] if known else UNKNOWN

    def report(self) -> Report:
        size = self.source.stat().st_size if isinstance(self.source, Path) else 0
        name = self.source.name if isinstance(self.source, Path) else "rows"
        show = _Bar(name, size) if size >= SHOWN_FROM and not self.quiet else None
        for block in blocks(self.source):
            self._block(block)
            if show:
                show.advance(len(block[1]))
        if show:
            show.close()
        self._whole(size)
        if self.counter:
            self._too_long(self.counter)
        self.together.report(self.findings, self._again)
        tokens = self.counter.summary() if self.counter else None
        return Report(name, self.lines, self.kind, self.findings, tokens)

    def _block(self, block: Block) -> None:
        number, data, lines = block
        for at, rule, what in spots(data):
            self.findings.add(number + data.count(b"\n", 0, at), rule, what)
        self.crlf += data.count(b"\r\n") if b"\r" in data else 0
        kind = self._likely() if len(data) < rules.MAX_LINE_BYTES else UNKNOWN
        quick, quickly = QUICK[kind], 0
        keep, add = self._keep if self.model else None, self.together.add
        for line, raw in enumerate(lines, start=number):
            if example := quick(raw):
                if self.blank_from:
                    self._blanks(line)
                quickly += 1
                if keep:
                    keep(line, raw, example)
                else:
                    add(line, example)
            elif not raw or raw.isspace():
                self.blank_from = self.blank_from or line
            else:
                self._exact(line, raw)
        if quickly:
            self.kinds[kind] += quickly
            self.lines += quickly

    def _likely(self) -> str:
        """The form that the next lines should have; UNKNOWN where the fast way knows no such lines."""
        forms = [kind for kind in READ_BY[self.method] if kind in QUICK and self.method != "reinforcement"]
        return max(forms, key=lambda kind: self.kinds[kind], default=UNKNOWN)

    def _blanks(self, line: int) -> None:
        """Empty lines count once something follows; at the end of the file they are no lines."""
        for number in range(self.blank_from, line):
            self.findings.add(number, "blank_line", "the line is empty")
        self.lines += line - self.blank_from
        self.blank_from = 0

    def _exact(self, line: int, raw: bytes) -> None:
        if self.blank_from:
            self._blanks(line)
        self.lines += 1
        row, problems = parse(raw, line)
        if row is not None:
            kind = form(row)
            self.kinds[kind] += 1
            problems += check_row(row, self.method)
        self.findings.add_all(line, problems)
        if row is not None:
            refused = any(self.findings.severity(rule) == "error" for rule, _ in problems if rule != "not_local")
            example = example_of(row, kind)
            if refused or not self.model:
                self.together.add(line, example)
            else:
                self._keep(line, raw, example, row)

    def _keep(self, line: int, raw: bytes, example: Example, row: dict[str, Any] | None = None) -> None:
        self.together.add(line, example)
        if self.counter:
            if row is None:
                self.counter.add(line, *example)
            else:
                self.counter.add_row(line, row)
        elif self.limit is not None and len(raw) > self.limit:  # a token is at least a byte long
            tokens = count_row(row or _row(example), str(self.model))
            if tokens > self.limit:
                self.findings.add(line, "too_long", f"{tokens:,} tokens, the limit is {self.limit:,}")

    def _too_long(self, counter: TokenCounter) -> None:
        for line, tokens in counter.longer_than(self.limit):
            self.findings.add(line, "too_long", f"{tokens:,} tokens, the limit is {self.limit:,}")

    def _whole(self, size: int) -> None:
        add = self.findings.add
        if isinstance(self.source, Path) and self.source.suffix.lower() != ".jsonl":
            add(0, "wrong_extension", f"the file is called {self.source.name}")
        if size > rules.MAX_FILE_BYTES:
            add(0, "file_too_large", f"{size / 1024**2:.0f} MB")
        if self.lines == 0:
            add(0, "empty_file", "there is no example")
        elif self.training and self.lines < rules.MIN_EXAMPLES:
            add(0, "too_few_examples", f"{self.lines} example(s)")
        elif self.training and self.lines < rules.RECOMMENDED_EXAMPLES:
            add(0, "few_examples", f"{self.lines} examples")
        if len(kinds := sorted(kind for kind in self.kinds if kind != UNKNOWN)) > 1:
            add(0, "mixed_formats", " and ".join(f"{self.kinds[kind]:,} {kind}" for kind in kinds))
        if 0 < self.crlf < self.lines - 1:
            add(0, "mixed_line_ends", f"{self.crlf:,} lines end in CR LF, {self.lines - self.crlf:,} in LF")

    def _again(self, wanted: Hashes) -> Iterator[tuple[int, Example]]:
        """Examples of some lines (sorted numbers), read once more."""
        numbers = iter(wanted.tolist())
        line, quick = next(numbers, None), QUICK[self._likely()]
        for first, _, lines in blocks(self.source):
            while line is not None and line < first + len(lines):
                raw = lines[line - first]
                yield line, quick(raw) or _example(raw, line)
                line = next(numbers, None)


def _example(raw: bytes, line: int) -> Example:
    row = parse(raw, line)[0] or {}
    return example_of(row, form(row))


def _row(example: Example) -> dict[str, Any]:
    roles, texts = example
    if roles == PAIR_ROLES:
        return dict(zip(("prompt", "completion"), texts))
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, texts)]}


def _rows(source: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return source if isinstance(source, list) else list(source)


class _Bar:
    """The share that is done and the time that is left, at most five times a second."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size, self.done, self.started, self.shown = name, size, 0, time.monotonic(), 0.0
        self.bar = Progress(f"checking {name}, MB", size >> 20)

    def advance(self, count: int) -> None:
        self.done += count
        if (now := time.monotonic()) - self.shown > 0.2:
            left = (now - self.started) * (self.size - self.done) / self.done
            self.bar.update(self.done >> 20, self.size >> 20, f"checking {self.name}, {left:.0f} s left, MB")
            self.shown = now

    def close(self) -> None:
        self.bar.close(f"checked {self.name}: {self.size >> 20} MB in {time.monotonic() - self.started:.1f} s")
