"""The pass over lines, or over a part of a file: every line by the fast way or the exact way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.validation.facts import Facts
from helpers.validation.fast import PAIR_ROLES, Example, example_of, quick_chat, quick_chats, quick_pair
from helpers.validation.findings import Findings
from helpers.validation.forms import CHAT, PAIR, READ_BY, UNKNOWN, Method, check_row, form
from helpers.validation.lines import Block, Range, Rows, blocks, line_at, parse
from helpers.validation.rules import MAX_LINE_BYTES
from helpers.validation.secrets import spots

if TYPE_CHECKING:
    from helpers.token_counter import TokenCounter

QUICK: dict[str, Callable[[bytes], Example | None]] = {CHAT: quick_chat, PAIR: quick_pair, UNKNOWN: lambda raw: None}


@dataclass(frozen=True)
class Settings:
    """What decides how lines are read. `encoding` counts tokens, all of them if `tokens`; `limit`: so many of one example
    are learnt from."""

    method: Method
    local: bool = False
    encoding: str | None = None
    limit: int | None = None
    tokens: bool = False


@dataclass
class Scan:
    """What is known of a part of the file after its lines were read."""

    settings: Settings
    findings: Findings = field(default_factory=Findings)
    facts: Facts = field(default_factory=Facts)
    kinds: Counter[str] = field(default_factory=Counter)
    lines: int = 0  # that count: empty ones only if something follows
    passed: int = 0  # all, empty ones at the end as well
    crlf: int = 0
    counter: TokenCounter | None = None

    def __post_init__(self) -> None:
        if self.settings.local:
            self.findings.raised = frozenset({"not_local"})
        if self.settings.method not in ("supervised", "completion"):
            self.facts.labels = None
        if self.settings.tokens and self.settings.encoding:
            from helpers.token_counter import TokenCounter  # large

            self.counter = TokenCounter(self.settings.encoding)

    @property
    def kind(self) -> str:
        known = [kind for kind, _ in self.kinds.most_common() if kind != UNKNOWN]
        return known[0] if known else UNKNOWN

    def read(self, source: Path | Rows, part: Range | None = None, show: Callable[[int], object] = int) -> Scan:
        """Reads all lines, or those of a part; `show` hears how many bytes were done."""
        for block in blocks(source, part):
            self._block(block)
            show(len(block.data))
        if self.counter:
            self.counter.flush()
        return self

    def join(self, later: Scan) -> None:
        """Adds the part that follows."""
        before = self.passed
        if later.lines:
            self._blanks(self.lines + 1, before + 1)
        self.findings.join(later.findings, before)
        self.facts.join(later.facts, before)
        if self.counter and later.counter:
            self.counter.join(later.counter, before)
        self.kinds += later.kinds
        self.crlf += later.crlf
        self.lines = before + later.lines if later.lines else self.lines
        self.passed = before + later.passed

    def _block(self, block: Block) -> None:
        data = block.data
        for at, rule, what in sorted(spots(data, block.marks)):  # in the order of the file, so that the first are kept
            self.findings.add(block.number + int(np.searchsorted(block.marks.ends, at)), rule, what)
        self.crlf += data.count(b"\r\n") if b"\r" in data else 0
        kind = self._likely() if len(data) < MAX_LINE_BYTES else UNKNOWN
        if kind == CHAT and (quick := quick_chats(data, block.marks)):
            self._all_at_once(block, quick)
        else:
            self._one_by_one(block, kind)

    def _all_at_once(self, block: Block, examples: list[Example]) -> None:
        count = len(examples)
        lines = range(block.number, block.number + count)
        self._blanks(self.lines + 1, block.number)
        self.facts.add(lines, block.places[:count], examples)
        self.kinds[CHAT] += count
        self.lines = self.passed = lines[-1]
        if self.settings.encoding:
            for line, size, example in zip(lines, np.diff(block.marks.ends, prepend=-1).tolist(), examples):
                self._measure(line, size, example)

    def _one_by_one(self, block: Block, kind: str) -> None:
        quick, last, lines = QUICK[kind], self.lines, block.lines
        known: list[tuple[int, int, Example]] = []
        for line, (raw, place) in enumerate(zip(lines, block.places), start=block.number):
            if example := quick(raw):
                self.kinds[kind] += 1
                if self.settings.encoding:
                    self._measure(line, len(raw), example)
            elif raw and not raw.isspace():
                example = self._exact(line, raw)
            else:
                continue
            self._blanks(last + 1, line)
            last = line
            known += [(line, place, example)] if example else []
        if known:
            self.facts.add(*zip(*known))
        self.lines, self.passed = last, self.passed + len(lines)

    def _likely(self) -> str:
        """The form that the next lines should have; UNKNOWN where the fast way knows no such lines."""
        method = self.settings.method
        forms = [kind for kind in READ_BY[method] if kind in QUICK and method != "reinforcement"]
        return max(forms, key=lambda kind: self.kinds[kind], default=UNKNOWN)

    def _blanks(self, first: int, end: int) -> None:
        for number in range(first, end):
            self.findings.add(number, "blank_line", "the line is empty")

    def _exact(self, line: int, raw: bytes) -> Example | None:
        row, problems = parse(raw)
        example = None
        if row is not None:
            kind = form(row)
            self.kinds[kind] += 1
            problems += check_row(row, self.settings.method)
            example = example_of(row, kind)
            refused = any(self.findings.severity(rule) == "error" for rule, _ in problems if rule != "not_local")
            if self.settings.encoding and not refused:
                self._measure(line, len(raw), example, row)
        self.findings.add_all(line, problems)
        return example

    def _measure(self, line: int, size: int, example: Example, row: dict[str, Any] | None = None) -> None:
        limit = self.settings.limit
        if self.counter and row is None:
            self.counter.add(line, *example)
        elif self.counter and row is not None:
            self.counter.add_row(line, row)
        elif limit is not None and size > limit:  # a token is at least a byte long
            from helpers.counting import count_example  # rarely needed, and large

            tokens = count_example(row or _row(example), str(self.settings.encoding))
            if tokens > limit:
                self.findings.add(line, "too_long", f"{tokens:,} tokens, the limit is {limit:,}")


def example_at(source: Path | Rows, place: int) -> Example:
    """What `Facts` took from the line at this place."""
    raw = line_at(source, place)
    quick = quick_chat(raw) or quick_pair(raw)
    if quick:
        return quick
    row = parse(raw)[0] or {}
    return example_of(row, form(row))


def _row(example: Example) -> dict[str, Any]:
    roles, texts = example
    if roles == PAIR_ROLES:
        return dict(zip(("prompt", "completion"), texts))
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, texts)]}
