"""What is kept of every line so that lines can be compared: some forty bytes of hashes, never a text.

A million lines take about forty megabytes. Hashes are Python's own: equal only within processes of one seed.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from helpers.validation.fast import Example

MAX_LABELS, MAX_LABEL_LENGTH = 50, 60
NO_KEY = 0  # the hash of an empty text
SYSTEM = ("system", "developer")
END = 48  # letters at the end by which texts are found that differ in case, spaces and punctuation
SHORT = 64  # letters: a shorter text, such as a label, occurs too often to lead to similar lines
LONG_WORD = 16  # letters

_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
_DROPPED = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_BETWEEN = b"\0"
_DROPPED_FROM_MANY = _DROPPED.replace(_BETWEEN, b"")
_LOW = 0xFFFFFFFF


def fold(text: str) -> bytes:
    """Letters and digits only, in lower case."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _DROPPED)


def _fold_many(texts: list[str]) -> list[bytes]:
    """Many texts at once, each folded."""
    joined = _BETWEEN.decode().join(texts).encode("utf-8", "surrogatepass")
    folded = joined.translate(_LOWER, _DROPPED_FROM_MANY).split(_BETWEEN)
    return folded if len(folded) == len(texts) else list(map(fold, texts))


def conversation(example: Example) -> tuple[str, ...]:
    """The texts without a system message at the beginning."""
    roles, texts = example
    return texts[1:] if len(texts) > 1 and roles[0] in SYSTEM else texts


def _longs() -> array[int]:
    return array("q")


def _ints() -> array[int]:
    return array("I")


@dataclass
class Facts:
    """Each list has one entry per example, in the order of the file; only long halves have an owner instead."""

    lines: array[int] = field(default_factory=_ints)
    places: array[int] = field(default_factory=_longs)  # where the line can be read again
    exact: array[int] = field(default_factory=_longs)
    questions: array[int] = field(default_factory=_longs)
    systems: array[int] = field(default_factory=_ints)
    answers: array[int] = field(default_factory=_ints)
    ends: array[int] = field(default_factory=_ints)
    halves: array[int] = field(default_factory=_ints)
    owners: array[int] = field(default_factory=_ints)
    labels: dict[str, int] | None = field(default_factory=dict)

    def add(self, lines: Sequence[int], places: Sequence[int], examples: Sequence[Example]) -> None:
        """Adds examples, each with its line's number and its place."""
        said = list(map(conversation, examples))
        answers = [s[-1] for s in said]
        before = len(self.lines)
        self.lines.extend(lines)
        self.places.extend(places)
        self.exact.extend(map(hash, examples))
        self.questions.extend([hash(s[:-1]) if len(s) > 1 and s[-2] else NO_KEY for s in said])
        self.systems.extend(_keys(["" if s is texts else texts[0] for s, (_, texts) in zip(said, examples)]))
        self.answers.extend(_keys([answer if len(answer) >= SHORT else "" for answer in answers]))
        self.ends.extend(_keys([end[-END:] for end in _fold_many(list(map(_tail, said)))]))
        for position, s in enumerate(said, start=before):
            if len(s[-1]) < SHORT or len(s) < 2 or len(s[-2]) < SHORT:
                self._halves(position, max(s, key=len))
        for answer in answers if self.labels is not None else ():
            self._count_label(answer)

    def _halves(self, position: int, text: str) -> None:
        """One changed word leaves the beginning or the end as it was. The size of both is a power of two, so that a few
        letters more or less do not matter; near such a size both sizes count."""
        if len(text) < SHORT // 2:
            return
        size = 1 << (len(text).bit_length() - 2)
        for own in (size, size // 2) if len(text) - 2 * size < LONG_WORD else (size,):
            self.halves.append(hash(text[:own]) & _LOW)
            self.halves.append(hash(text[-own:]) & _LOW)
            self.owners.extend((position, position))

    def _count_label(self, answer: str) -> None:
        if self.labels is None or len(answer) > MAX_LABEL_LENGTH:
            self.labels = None
            return
        self.labels[answer] = self.labels.get(answer, 0) + 1
        if len(self.labels) > MAX_LABELS:
            self.labels = None

    def join(self, later: Facts, offset: int) -> None:
        """Adds a later part of the file, whose lines are counted from `offset` on."""
        before = len(self.lines)
        self.lines.extend(_moved(later.lines, offset))
        self.owners.extend(_moved(later.owners, before))
        for name in ("places", "exact", "questions", "systems", "answers", "ends", "halves"):
            getattr(self, name).extend(getattr(later, name))
        labels = {} if self.labels is None or later.labels is None else {**self.labels}
        for label, count in (later.labels or {}).items():
            labels[label] = labels.get(label, 0) + count
        known = self.labels is not None and later.labels is not None and len(labels) <= MAX_LABELS
        self.labels = labels if known else None


def _keys(texts: Sequence[str | bytes]) -> array[int]:
    """A hash of 32 bits for each; `NO_KEY` for empty ones."""
    return array("I", np.fromiter(map(hash, texts), np.int64, len(texts)).astype(np.uint32).tobytes())


def _moved(values: array[int], by: int) -> array[int]:
    return array("I", (np.asarray(values) + np.uint32(by)).tobytes())


def _tail(said: tuple[str, ...]) -> str:
    answer = said[-1]
    return answer[-2 * END :] if len(answer) >= 2 * END else "".join(said[-2:])[-2 * END :]
