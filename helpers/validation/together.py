"""What only shows when lines are compared: copies, contradictions, leakage, labels, system prompts.

Of every line a few 64-bit hashes are kept, nothing else, so a million lines take some forty megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from helpers.validation.fast import Example
from helpers.validation.findings import KEPT, Findings

MAX_LABELS, MAX_LABEL_LENGTH, EXAMPLES_PER_LABEL = 50, 60, 4
IMBALANCE = 10  # the most frequent label occurs this many times as often as the rarest
NO_QUESTION = 0
SYSTEM = ("system", "developer")
HEAD = 48  # letters at the start of the question by which lookalikes are found
MAIN_PROMPT = 0.5  # share of lines from which on a system prompt is "the" one

_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
_DROPPED = bytes(byte for byte in range(128) if not chr(byte).isalnum())
Hashes = NDArray[np.int64]


def fold(text: str) -> bytes:
    """Letters and digits only, in lower case."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _DROPPED)


def folded_hash(example: Example) -> int:
    """Equal for examples that differ in case, spaces and punctuation only."""
    roles, texts = example
    return hash((roles, *map(fold, texts)))


@dataclass
class Together:
    """Facts of all lines, each list in the order of `lines`."""

    lines: array[int] = field(default_factory=lambda: array("q"))
    exact: array[int] = field(default_factory=lambda: array("q"))
    heads: array[int] = field(default_factory=lambda: array("q"))
    questions: array[int] = field(default_factory=lambda: array("q"))
    systems: array[int] = field(default_factory=lambda: array("q"))
    labels: dict[str, int] | None = field(default_factory=dict)

    def add(self, line: int, example: Example) -> None:
        roles, texts = example
        has_system = len(texts) > 1 and roles[0] in SYSTEM
        question, answer = texts[-2] if len(texts) > 1 else "", texts[-1]
        self.lines.append(line)
        self.exact.append(hash((roles, *texts)))
        self.systems.append(hash(texts[0]) if has_system else 0)
        self.questions.append(hash(tuple(texts[has_system:-1])) if question else NO_QUESTION)
        self.heads.append(hash(fold((question or answer)[: 2 * HEAD])[:HEAD]))
        if self.labels is not None:
            self._count_label(answer)

    def _count_label(self, answer: str) -> None:
        if self.labels is None or len(answer) > MAX_LABEL_LENGTH:
            self.labels = None
            return
        self.labels[answer] = self.labels.get(answer, 0) + 1
        if len(self.labels) > MAX_LABELS:
            self.labels = None

    def report(self, findings: Findings, again: Callable[[Hashes], Iterable[tuple[int, Example]]]) -> None:
        """Adds all findings; `again` reads the examples of some lines a second time."""
        lines, exact = _numbers(self.lines), _numbers(self.exact)
        first = _first_with_same(exact)
        copies = first != np.arange(len(first))
        _add(findings, "duplicate_example", lines, lines[first], copies, "the same as line {}")
        self._near(findings, lines[~copies], _numbers(self.heads)[~copies], again)
        questions = _numbers(self.questions)
        asked = _first_with_same(questions)
        again_asked = (asked != np.arange(len(asked))) & ~copies & (questions != NO_QUESTION)
        _add(findings, "conflicting_answers", lines, lines[asked], again_asked, "another answer in line {}")
        self._system_prompts(findings, lines)
        findings.add_all(0, self._label_findings())

    def _near(
        self, findings: Findings, lines: Hashes, heads: Hashes, again: Callable[[Hashes], Iterable[tuple[int, Example]]]
    ) -> None:
        _, group, sizes = np.unique(heads, return_inverse=True, return_counts=True)
        candidates = lines[sizes[group] > 1]
        if not len(candidates):
            return
        numbers, folded = array("q"), array("q")
        for line, example in again(candidates):
            numbers.append(line)
            folded.append(folded_hash(example))
        found, first = _numbers(numbers), _first_with_same(_numbers(folded))
        alike = first != np.arange(len(first))
        _add(findings, "near_duplicate", found, found[first], alike, "nearly the same as line {}")

    def _system_prompts(self, findings: Findings, lines: Hashes) -> None:
        systems = _numbers(self.systems)
        values, first, counts = np.unique(systems, return_index=True, return_counts=True)
        if len(values) < 2:
            return
        main = int(np.argmax(counts))
        share = counts[main] / len(systems)
        example = f"as in line {lines[first[main]]}" if values[main] else "none"
        findings.add(0, "system_prompt_differs", f"{len(values):,} kinds; {share:.0%} of the lines have one: {example}")
        if share >= MAIN_PROMPT:
            other, same = systems != values[main], np.full(len(lines), lines[first[main]])
            _add(findings, "system_prompt_differs", lines, same, other, "not the system prompt of line {}")

    def _label_findings(self) -> Iterator[tuple[str, str]]:
        labels, total = self.labels, len(self.lines)
        if not labels or len(labels) < 2 or total < EXAMPLES_PER_LABEL * len(labels):
            return
        often, rare = max(labels, key=labels.__getitem__), min(labels, key=labels.__getitem__)
        if labels[often] >= IMBALANCE * labels[rare]:
            what = f"{len(labels)} labels; {often!r} {labels[often]:,} times, {rare!r} {labels[rare]:,} times"
            yield "label_imbalance", what
        spellings: dict[str, list[str]] = {}
        for label in labels:
            spellings.setdefault(label.strip(" \n\t.!").casefold(), []).append(label)
        for alike in spellings.values():
            if len(alike) > 1:
                yield "label_spelling", " and ".join(f"{label!r} ({labels[label]:,})" for label in alike)


def leakage(training: Together, validation: Together, findings: Findings) -> None:
    """Adds to the training file's findings what stands in both files."""
    lines, others = _numbers(training.lines), _numbers(validation.lines)
    leaked, where = _found_in(_numbers(training.exact), _numbers(validation.exact), others)
    _add(findings, "leaked_example", lines, where, leaked, "also in line {} of the validation file")
    questions = _numbers(training.questions)
    asked, where = _found_in(questions, _numbers(validation.questions), others)
    asked &= ~leaked & (questions != NO_QUESTION)
    _add(findings, "leaked_question", lines, where, asked, "the same question is in line {} of the validation file")


def _numbers(values: array[int]) -> Hashes:
    return np.frombuffer(values, np.int64) if len(values) else np.empty(0, np.int64)


def _first_with_same(values: Hashes) -> Hashes:
    """For each position the first position with an equal value."""
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    return first[group] if len(values) else np.empty(0, np.int64)


def _found_in(values: Hashes, others: Hashes, lines: Hashes) -> tuple[NDArray[np.bool_], Hashes]:
    """Which values are among the others, and the line of the first such."""
    known, first = np.unique(others, return_index=True)
    if not len(known):
        return np.zeros(len(values), bool), np.zeros(len(values), np.int64)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return known[at] == values, lines[first[at]]


def _add(findings: Findings, rule: str, lines: Hashes, others: Hashes, chosen: NDArray[np.bool_], what: str) -> None:
    positions = np.flatnonzero(chosen)
    for position in positions[:KEPT]:
        findings.add(int(lines[position]), rule, what.format(others[position]))
    if len(positions) > KEPT:
        findings.count_more(rule, len(positions) - KEPT, int(lines[positions[-1]]))
