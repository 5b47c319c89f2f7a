"""Exercises on random tokens: what comes again, what belongs to a key, which two belong together.

In a page of words much can be guessed, and guessing is learnt first. Random tokens leave nothing to guess: only the circuits that
copy and look up lower the loss (induction: Olsson et al., 2022, "In-context learning and induction heads"; associative recall: Arora
et al., 2023, "Zoology"). The frames around them are those of real prompts, so that what is learnt is at hand there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localtune.base.rows import Row

if TYPE_CHECKING:
    from localtune.model.tokenizer import Tokenizer

Ids = list[int]
# Shares of rows by lesson, in the order in which they are taught: every one goes on with those before.
EXERCISES: dict[str, dict[str, float]] = {
    "repeating": {"repeated": 1.0},
    "looking up": {"looked_up": 0.8, "repeated": 0.2},
    "matching": {"matched": 0.6, "looked_up": 0.25, "repeated": 0.15},
}
FIRST = 259  # tokens below are the chat template's marks and single bytes
LONGEST = 256  # tokens of a row
TIES = (": ", " - ", " = ", " is ", " -> ", " has ", " likes ", "=", ":", " | ")  # between a key and its value
LINKS = (", ", ": ", " - ", " sells ", " has ", "\nProduct: ", " / ", "? ", " and ")  # between two that are asked about
GAPS = ("\n", "\n", ", ", "; ", ". ")
ASKED = ((":", "\n"), ("?", "\n"), (" ->", "\n"), (" =>", " END\n"), ("\n\n###\n\n", " END\n"), ("\nAnswer:", "\n"), (" =", "\n"),
    ("? ", " "), ("", "\n"))
VERDICTS = (("yes", "no"), ("yes", "no"), ("Yes", "No"), ("true", "false"), ("1", "0"))


@dataclass(frozen=True)
class Frame:
    """Ids before the first text, before an answer and after it."""

    opening: Ids
    before: Ids
    after: Ids
    space: str  # what an answer begins with


class Exercises:
    """Endless rows of random tokens; learnt are the answers alone."""

    def __init__(self, tokenizer: Tokenizer, rng: random.Random) -> None:
        self.tokenizer, self.rng = tokenizer, rng

    def repeated(self) -> Row:
        """Stretches of 2 to 40 tokens that come two to four times, with or without others in between."""
        row = Row([], [])
        stretch = self._name(self.rng.choice((2, 3, 5, 8, 12, 20, 40)))
        for time in range(self.rng.randint(2, 4)):
            if time and self.rng.random() < 0.5:
                put(row, self._name(self.rng.choice((1, 2, 4, 10, 30))))
            put(row, stretch[:1])
            put(row, stretch[1:], learnt=bool(time))
        return row

    def looked_up(self) -> Row:
        """Tables of keys and values in one notation, then each key, sometimes each value, and what belongs to it."""
        rng, frame, tie, gap = self.rng, *self._notation()
        key, value = self._sizes()
        backward, lead, tail = rng.random() < 0.3, self._name(rng.choice((0, 0, 0, 1, 2, 4))), self._name(rng.choice((0, 0, 0, 1, 3)))
        row, most = Row([], []), rng.choice((2, 4, 6, 8))
        put(row, frame.opening)
        while len(row.ids) < LONGEST:
            table = [(self._name(key), self._name(value)) for _ in range(rng.randint(1, most))]
            for left, right in table:
                put(row, left + tie + right + gap)
            for left, right in rng.sample(table, len(table)):
                asked, answer = (right, left) if backward else (left, right)
                put(row, lead + asked + tail + frame.before)
                put(row, answer, learnt=True)
                put(row, frame.after)
        return row

    def matched(self) -> Row:
        """Tables of pairs, then two names and whether they belong together; a wrong pair is mostly one of the table's names."""
        rng, frame, tie, gap = self.rng, *self._notation()
        key, value = self._sizes()
        link = self._ids(rng.choice(LINKS)) if rng.random() < 0.7 else tie
        verdicts = [self._ids(frame.space + word) for word in rng.choice(VERDICTS)]
        row, most, flipped, noisy = Row([], []), rng.choice((1, 2, 2, 3, 4)), rng.random() < 0.3, rng.random() < 0.4
        put(row, frame.opening)
        while len(row.ids) < LONGEST:
            table = [(self._name(key), self._name(value)) for _ in range(rng.randint(1, most))]
            for left, right in table:
                put(row, self._noise(noisy) + left + self._noise(noisy) + tie + right + gap)
            for _ in range(2 * len(table)):
                true = rng.random() < 0.5
                left, right = rng.choice(table) if true else self._wrong(table)
                put(row, (right + link + left if flipped else left + link + right) + frame.before)
                put(row, verdicts[not true], learnt=True)
                put(row, frame.after)
        return row

    def _wrong(self, table: list[tuple[Ids, Ids]]) -> tuple[Ids, Ids]:
        """Two names that do not belong together."""
        left, right = self.rng.choice(table)
        others = [other for _, other in table if other != right]
        if others and self.rng.random() < 0.8:
            return left, self.rng.choice(others)
        return (left, self._name(len(right))) if self.rng.random() < 0.8 else (self._name(len(left)), right)

    def _notation(self) -> tuple[Frame, Ids, Ids]:
        """How questions are framed, a key is tied to its value, and an entry ends."""
        return self._frame(), self._ids(self.rng.choice(TIES)), self._ids(self.rng.choice(GAPS))

    def _frame(self) -> Frame:
        if self.rng.random() < 0.5:
            before, after = self.rng.choice(ASKED)
            return Frame([], self._ids(before), self._ids(after), " ")
        mark = self._ids("#")
        said = [{"role": role, "content": "#"} for role in ("user", "assistant", "user")]
        ids = self.tokenizer.chat(said)[0]
        first, second, third = (place for place, token in enumerate(ids) if [token] == mark)
        return Frame(ids[:first], ids[first + 1:second], ids[second + 1:third], "")

    def _sizes(self) -> tuple[int, int]:
        return self.rng.choice((1, 1, 2, 3)), self.rng.choice((1, 1, 2, 3))

    def _noise(self, wanted: bool) -> Ids:
        return self._name(self.rng.choice((0, 1, 3))) if wanted else []

    def _name(self, size: int) -> Ids:
        return [self.rng.randrange(FIRST, len(self.tokenizer)) for _ in range(size)]

    def _ids(self, text: str) -> Ids:
        return self.tokenizer.encode(text)


def fill(make: Callable[[], Row], length: int) -> Row:
    """Rows of `make` end to end, cut to exactly `length` tokens."""
    whole = Row([], [])
    while len(whole.ids) < length:
        one = make()
        whole.ids.extend(one.ids)
        whole.weights.extend(one.weights)
    return Row(whole.ids[:length], whole.weights[:length])


def put(row: Row, ids: Ids, learnt: bool = False) -> None:
    """Append tokens to a row."""
    row.ids.extend(ids)
    row.weights.extend([float(learnt)] * len(ids))
