"""Exercises on random tokens: what comes again, what belongs to a key, which two belong together.

In a page of words much can be guessed, and guessing is learnt first. Random tokens leave nothing to guess: only the circuits
that copy and look up lower the loss (induction: Olsson et al., 2022, "In-context learning and induction heads"; associative
recall: Arora et al., 2023, "Zoology"). The frames around them are those of real prompts: what is learnt is at hand there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localtune.base.rows import Row

if TYPE_CHECKING:
    from localtune.model.tokenizer import Tokenizer

Ids = list[int]
# Shares of rows by lesson, in the order in which they are taught. Simple ones first: two pairs of single tokens are told apart
# after some hundred steps, and then the rest follows; all kinds at once stayed near chance for as long (docs/log.md).
EXERCISES: dict[str, dict[str, float]] = {
    "repeating": {"repeated": 1.0},
    "looking up": {"looked_up": 0.8, "repeated": 0.2},
    "matching two": {"matched_two": 0.7, "looked_up": 0.15, "repeated": 0.15},
    "matching few": {"matched_few": 0.65, "matched_two": 0.15, "looked_up": 0.1, "repeated": 0.1},
    "matching": {"matched": 0.6, "matched_few": 0.2, "looked_up": 0.1, "repeated": 0.1},
    "looking back": {"looked_back": 0.6, "looked_up": 0.25, "repeated": 0.15},
}
FIRST = 259  # tokens below are the chat template's marks and single bytes
LONGEST = 256  # tokens of a row
SIZES = (1, 1, 2, 3)  # tokens of a name
TIES = (": ", " - ", " = ", " is ", " -> ", " has ", " likes ", "=", ":", " | ")  # between a key and its value
LINKS = (", ", ": ", " - ", " sells ", " has ", "\nProduct: ", " / ", "? ", " and ")  # between two that are asked about
GAPS = ("\n", "\n", ", ", "; ", ". ")
ASKED = ((":", "\n"), ("?", "\n"), (" ->", "\n"), (" =>", " END\n"), ("\n\n###\n\n", " END\n"), ("\nAnswer:", "\n"),
    (" =", "\n"), ("? ", " "), ("", "\n"))
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
        """Tables of keys and values in one notation, then each key and its value."""
        rng = self.rng
        lead, tail = self._name(rng.choice((0, 0, 0, 1, 2))), self._name(rng.choice((0, 0, 0, 1)))
        return self._look_up(SIZES, rng.choice((2, 4, 6, 8)), lead, tail)

    def looked_back(self) -> Row:
        """Tables of single tokens, then each value and its key."""
        return self._look_up((1,), self.rng.choice((2, 2, 3, 4)), backward=True)

    def matched_two(self) -> Row:
        """Two pairs of single tokens, then two of them in the same notation and whether they belong together."""
        return self._match((2,), (1,))

    def matched_few(self) -> Row:
        """Two or three pairs of one or two tokens, half of the time asked for in another notation."""
        return self._match((2, 2, 3), (1, 1, 2), relinked=0.5)

    def matched(self) -> Row:
        """Up to four pairs of any size, among other tokens, in another notation or in the opposite order."""
        return self._match((1, 2, 2, 3, 4), SIZES, relinked=0.6, flipped=0.3, noisy=0.4)

    def _look_up(
        self, sizes: Sequence[int], most: int, lead: Sequence[int] = (), tail: Sequence[int] = (), backward: bool = False
    ) -> Row:
        """Rows of tables with at most `most` pairs; a question is `lead`, what is known, `tail`."""
        frame, tie, gap = self._notation()
        size, row = [self.rng.choice(sizes) for _ in range(2)], Row([], [])
        put(row, frame.opening)
        while len(row.ids) < LONGEST:
            table = self._table(self.rng.randint(min(2, most), most), size)
            for left, right in table:
                put(row, [*left, *tie, *right, *gap])
            for pair in self.rng.sample(table, len(table)):
                asked, answer = reversed(pair) if backward else pair
                put(row, [*lead, *asked, *tail, *frame.before])
                put(row, answer, learnt=True)
                put(row, frame.after)
        return row

    def _match(
        self, counts: Sequence[int], sizes: Sequence[int], relinked: float = 0.0, flipped: float = 0.0, noisy: float = 0.0
    ) -> Row:
        """Tables of pairs, then two names and whether they belong together; `relinked` and so on are shares of rows."""
        rng, (frame, tie, gap) = self.rng, self._notation()
        relink, flip, noise = (rng.random() < share for share in (relinked, flipped, noisy))
        link = self._ids(rng.choice(LINKS)) if relink else tie
        verdicts = [self._ids(frame.space + word) for word in rng.choice(VERDICTS)]
        count, size, row = rng.choice(counts), [rng.choice(sizes) for _ in range(2)], Row([], [])
        put(row, frame.opening)
        while len(row.ids) < LONGEST:
            table = self._table(count, size)
            for left, right in table:
                put(row, [*self._noise(noise), *left, *self._noise(noise), *tie, *right, *gap])
            for _ in range(2 * count):
                true = rng.random() < 0.5
                left, right = rng.choice(table) if true else self._wrong(table)
                put(row, [*right, *link, *left, *frame.before] if flip else [*left, *link, *right, *frame.before])
                put(row, verdicts[not true], learnt=True)
                put(row, frame.after)
        return row

    def _table(self, count: int, size: Sequence[int]) -> list[tuple[Ids, Ids]]:
        return [(self._name(size[0]), self._name(size[1])) for _ in range(count)]

    def _wrong(self, table: list[tuple[Ids, Ids]]) -> tuple[Ids, Ids]:
        """Two names that do not belong together."""
        left, right = self.rng.choice(table)
        others = [other for _, other in table if other != right]
        if others and self.rng.random() < 0.85:
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
