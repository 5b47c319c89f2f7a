"""Findings, bounded in memory: the first of each rule in full, all of them counted."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helpers.validation.rules import RULES, Severity

if TYPE_CHECKING:
    import pandas as pd  # at run time only where a table is wanted: the checking processes stay small

COLUMNS = ["line", "rule", "severity", "what", "fix"]
KEPT = 100  # of each rule
Finding = tuple[str, str]  # rule id, what was found


@dataclass
class Findings:
    """Collects (line, rule, what); `raised` holds rules that count as errors here whatever the table says."""

    raised: frozenset[str] = frozenset()
    kept: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    def add(self, line: int, rule: str, what: str) -> None:
        self.counts[rule] = self.counts.get(rule, 0) + 1
        self.last[rule] = line
        kept = self.kept.setdefault(rule, [])
        if len(kept) < KEPT:
            kept.append((line, what))

    def add_all(self, line: int, findings: Iterable[Finding]) -> None:
        for rule, what in findings:
            self.add(line, rule, what)

    def count_more(self, rule: str, times: int, last: int) -> None:
        """`times` findings that are counted without being described."""
        self.counts[rule] = self.counts.get(rule, 0) + times
        self.last[rule] = last

    def join(self, later: Findings, offset: int) -> None:
        """Adds the findings of a later part of the file, whose lines are counted from `offset` on."""
        for rule, found in later.kept.items():
            for line, what in found:
                self.add(line + offset, rule, what)
            if more := later.counts[rule] - len(found):
                self.count_more(rule, more, later.last[rule] + offset)

    def severity(self, rule: str) -> Severity:
        return "error" if rule in self.raised else RULES[rule].severity

    def of_severity(self, severity: Severity) -> int:
        return sum(count for rule, count in self.counts.items() if self.severity(rule) == severity)

    def rows(self) -> list[tuple[int, str, str, str, str]]:
        """Sorted by line; where a rule has more than is kept, a last row tells how many and where the last one is."""
        found = [(line, rule, what) for rule, kept in self.kept.items() for line, what in kept]
        rows = sorted(found, key=lambda finding: finding[0])
        for rule, count in self.counts.items():
            if (hidden := count - len(self.kept.get(rule, []))) > 0:
                rows.append((self.last[rule], rule, f"the last of {count:,}; {hidden:,} are not listed"))
        return [(line, rule, self.severity(rule), what, RULES[rule].fix) for line, rule, what in rows]


@dataclass(frozen=True)
class Report:
    """What `check` found in one file. As a cell's last line it is a table, in a terminal a text."""

    name: str
    lines: int
    format: str
    findings: Findings
    tokens: dict[str, int] | None = None
    validation: Report | None = None

    @property
    def accepted(self) -> bool:
        """True if nothing is an error, here and in the validation file."""
        own = self.findings.of_severity("error") == 0
        return own and (self.validation is None or self.validation.accepted)

    def frame(self) -> pd.DataFrame:
        """Columns line, rule, severity, what, fix; `attrs["counts"]` has the number of all findings by rule."""
        import pandas as pd

        frame = pd.DataFrame(self.findings.rows(), columns=COLUMNS)
        frame.attrs["counts"] = dict(self.findings.counts)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """For programs: plain lists and dictionaries."""
        findings = [dict(zip(COLUMNS, row)) for row in self.findings.rows()]
        head = {"file": self.name, "accepted": self.accepted, "lines": self.lines, "format": self.format}
        more = {"tokens": self.tokens, "validation": self.validation and self.validation.to_dict()}
        return {**head, "counts": self.findings.counts, "findings": findings, **more}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def summary(self) -> str:
        """One line: lines, format, errors, warnings, tokens."""
        found = self.findings
        numbers = ", ".join(f"{found.of_severity(s):,} {s}(s)" for s in ("error", "warning", "info"))
        tokens = f", {self.tokens['total']:,} tokens (longest {self.tokens['longest']:,})" if self.tokens else ""
        return f"{self.name}: {self.lines:,} lines, {self.format}{tokens}: {numbers}"

    def __repr__(self) -> str:
        lines = [f"  line {line}: {grade} {rule}: {what} → {fix}" for line, rule, grade, what, fix in self.findings.rows()]
        parts = [self.summary(), *lines, *([repr(self.validation)] if self.validation else [])]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        from helpers.formatting import show_table

        own = f"<p>{html.escape(self.summary())}</p>" + show_table(self.frame())._repr_html_()
        return own + (self.validation._repr_html_() if self.validation else "")
