"""What only shows when lines are compared: copies, contradictions, leakage, labels, system prompts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from helpers.validation.facts import NO_KEY, Facts
from helpers.validation.fast import Example
from helpers.validation.findings import KEPT, Findings
from helpers.validation.near import changed_word, near_duplicates

EXAMPLES_PER_LABEL = 4
IMBALANCE = 10  # the most frequent label occurs this many times as often as the rarest
MAIN_PROMPT = 0.5  # share of lines from which on a system prompt is "the" one
Hashes = NDArray[np.int64]
Read = Callable[[int], Example]  # of the line at a place


def compare(facts: Facts, findings: Findings, read: Read) -> None:
    """Adds all findings about lines together; `read` gives the example at a place once more."""
    lines = _numbers(facts.lines)
    first = _first_with_same(_numbers(facts.exact))
    copies = first != np.arange(len(first))
    _add(findings, "duplicate_example", lines, lines[first], copies, "the same as line {}")
    _near(facts, findings, copies, read)
    questions = _numbers(facts.questions)
    asked = _first_with_same(questions)
    again_asked = (asked != np.arange(len(asked))) & ~copies & (questions != NO_KEY)
    _add(findings, "conflicting_answers", lines, lines[asked], again_asked, "another answer in line {}")
    _system_prompts(facts, findings)
    findings.add_all(0, _label_findings(facts.labels, len(lines)))


def leakage(training: Facts, validation: Facts, findings: Findings, read: Read, read_other: Read) -> None:
    """Adds to the training file's findings what stands in both files, to the letter or nearly."""
    lines, others = _numbers(training.lines), _numbers(validation.lines)
    leaked, where = _found_in(_numbers(training.exact), _numbers(validation.exact), others)
    _add(findings, "leaked_example", lines, where, leaked, "also in line {} of the validation file")
    _near_leaks(training, validation, findings, read, read_other)
    questions = _numbers(training.questions)
    asked, where = _found_in(questions, _numbers(validation.questions), others)
    asked &= ~leaked & (questions != NO_KEY)
    _add(findings, "leaked_question", lines, where, asked, "the same question is in line {} of the validation file")


def _near(facts: Facts, findings: Findings, copies: NDArray[np.bool_], read: Read) -> None:
    like = near_duplicates(facts, copies, lambda position: read(facts.places[position]))
    found = np.flatnonzero(like >= 0)
    for position in found[:KEPT].tolist():
        here, there = (read(facts.places[p]) for p in (position, int(like[position])))
        what = _likeness(here, there, f"line {facts.lines[like[position]]}")
        findings.add(facts.lines[position], "near_duplicate", what)
    if len(found) > KEPT:
        findings.count_more("near_duplicate", len(found) - KEPT, facts.lines[found[-1]])


def _near_leaks(training: Facts, validation: Facts, findings: Findings, read: Read, read_other: Read) -> None:
    """As if the training file followed the validation file: near-duplicates across the border are leaks."""
    both, border = Facts(), len(validation.lines)
    if not border:
        return
    both.join(validation, 0)
    both.join(training, 0)
    first = _first_with_same(_numbers(both.exact))

    def example(position: int) -> Example:
        return read(training.places[position - border]) if position >= border else read_other(validation.places[position])

    like = near_duplicates(both, first != np.arange(len(first)), example, both_sides_of=border)
    found = np.flatnonzero((like[border:] >= 0) & (like[border:] < border))
    for position in found[:KEPT].tolist():
        other = int(like[border + position])
        here, there = read(training.places[position]), read_other(validation.places[other])
        what = _likeness(here, there, f"line {validation.lines[other]} of the validation file")
        findings.add(training.lines[position], "leaked_example", what)
    if len(found) > KEPT:
        findings.count_more("leaked_example", len(found) - KEPT, training.lines[found[-1]])


def _likeness(here: Example, there: Example, where: str) -> str:
    words = changed_word(there, here)
    if words is None:
        return f"nearly the same as {where}"
    return f"one word differs from {where}: {words[1]!r:.40} here, {words[0]!r:.40} there"


def _system_prompts(facts: Facts, findings: Findings) -> None:
    lines, systems = _numbers(facts.lines), _numbers(facts.systems)
    if (systems == systems[:1]).all():
        return
    values, first, counts = np.unique(systems, return_index=True, return_counts=True)
    main = int(np.argmax(counts))
    share = counts[main] / len(systems)
    example = f"as in line {lines[first[main]]}" if values[main] else "none"
    findings.add(0, "system_prompt_differs", f"{len(values):,} kinds; {share:.0%} of the lines have one: {example}")
    if share >= MAIN_PROMPT:
        other, same = systems != values[main], np.full(len(lines), lines[first[main]])
        _add(findings, "system_prompt_differs", lines, same, other, "not the system prompt of line {}")


def _label_findings(labels: dict[str, int] | None, total: int) -> Iterator[tuple[str, str]]:
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


def _numbers(values: array[int]) -> Hashes:
    return np.asarray(values).astype(np.int64, copy=False)


def _first_with_same(values: Hashes) -> Hashes:
    """For each position the first position with an equal value."""
    ordered = np.sort(values)
    if not (ordered[1:] == ordered[:-1]).any():  # the usual case takes a quarter of the memory
        return np.arange(len(values))
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    return first[group]


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
