"""The pass over lines, or over a part of a file: every line by the fast way or the exact way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.validation.facts import Facts
from helpers.validation.fast import PAIR_ROLES, Example, example_of, quick_chat, quick_pair
from helpers.validation.findings import Findings
from helpers.validation.forms import CHAT, PAIR, READ_BY, UNKNOWN, Method, check_row, form
from helpers.validation.lines import Block, Range, Rows, blocks, line_at, parse
from helpers.validation.rules import MAX_LINE_BYTES
from helpers.validation.secrets import spots

if TYPE_CHECKING:
    from helpers.bulk_tokens import TokenCounter

QUICK: dict[str, Callable[[bytes], Example | None]] = {CHAT: quick_chat, PAIR: quick_pair, UNKNOWN: lambda raw: None}


@dataclass(frozen=True)
class Settings:
    """What decides how lines are read. `limit`: tokens of one example that `model` learns from."""

    method: Method
    local: bool = False
    model: str | None = None
    limit: int | None = None


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

    @property
    def kind(self) -> str:
        known = [kind for kind, _ in self.kinds.most_common() if kind != UNKNOWN]
        return known[0] if known else UNKNOWN

    def read(self, source: Path | Rows, part: Range | None = None, show: Callable[[int], object] = int) -> Scan:
        """Reads all lines, or those of a part; `show` hears how many bytes were done."""
        for block in blocks(source, part):
            self._block(block, first=part is None or part[0] == 0)
            show(len(block.data))
        return self

    def join(self, later: Scan) -> None:
        """Adds the part that follows."""
        before = self.passed
        if later.lines:
            self._blanks(self.lines + 1, before + 1)
        self.findings.join(later.findings, before)
        self.facts.join(later.facts, before)
        self.kinds += later.kinds
        self.crlf += later.crlf
        self.lines = before + later.lines if later.lines else self.lines
        self.passed = before + later.passed

    def _block(self, block: Block, first: bool) -> None:
        for at, rule, what in spots(block.data):
            self.findings.add(block.number + block.data.count(b"\n", 0, at), rule, what)
        self.crlf += block.data.count(b"\r\n") if b"\r" in block.data else 0
        kind = self._likely() if len(block.data) < MAX_LINE_BYTES else UNKNOWN
        quick, quickly, last, place = QUICK[kind], 0, self.lines, block.place
        plain, add = self.settings.model is None, self.facts.add
        for line, raw in enumerate(block.lines, start=block.number):
            example = quick(raw)
            if example or raw and not raw.isspace():
                if line > last + 1:
                    self._blanks(last + 1, line)
                last = line
                if not example:
                    self._exact(line, place, raw, first and line == 1)
                else:
                    quickly += 1
                    add(line, place, example)
                    if not plain:
                        self._measure(line, raw, example)
            place += len(raw) + 1
        if quickly:
            self.kinds[kind] += quickly
        self.lines, self.passed = last, self.passed + len(block.lines)

    def _likely(self) -> str:
        """The form that the next lines should have; UNKNOWN where the fast way knows no such lines."""
        method = self.settings.method
        forms = [kind for kind in READ_BY[method] if kind in QUICK and method != "reinforcement"]
        return max(forms, key=lambda kind: self.kinds[kind], default=UNKNOWN)

    def _blanks(self, first: int, end: int) -> None:
        for number in range(first, end):
            self.findings.add(number, "blank_line", "the line is empty")

    def _exact(self, line: int, place: int, raw: bytes, first: bool) -> None:
        row, problems = parse(raw, first)
        if row is not None:
            kind = form(row)
            self.kinds[kind] += 1
            problems += check_row(row, self.settings.method)
            example = example_of(row, kind)
            self.facts.add(line, place, example)
            refused = any(self.findings.severity(rule) == "error" for rule, _ in problems if rule != "not_local")
            if self.settings.model and not refused:
                self._measure(line, raw, example, row)
        self.findings.add_all(line, problems)

    def _measure(self, line: int, raw: bytes, example: Example, row: dict[str, Any] | None = None) -> None:
        limit = self.settings.limit
        if self.counter and row is None:
            self.counter.add(line, *example)
        elif self.counter and row is not None:
            self.counter.add_row(line, row)
        elif limit is not None and len(raw) > limit:  # a token is at least a byte long
            from helpers.tokens import count_row  # rarely needed, and large

            tokens = count_row(row or _row(example), str(self.settings.model))
            if tokens > limit:
                self.findings.add(line, "too_long", f"{tokens:,} tokens, the limit is {limit:,}")


def example_at(source: Path | Rows, place: int) -> Example:
    """What `Facts` took from the line at this place."""
    raw = line_at(source, place)
    quick = quick_chat(raw) or quick_pair(raw)
    if quick:
        return quick
    row = parse(raw, False)[0] or {}
    return example_of(row, form(row))


def _row(example: Example) -> dict[str, Any]:
    roles, texts = example
    if roles == PAIR_ROLES:
        return dict(zip(("prompt", "completion"), texts))
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, texts)]}
