"""Nearly the same: lines that differ in case, spaces and punctuation only, or in one word of a text that is long enough.

Lines that share a key (the question, a long answer, one half of the longest text, the end) are read again, one group after
the other, and compared word by word. Memory stays flat: of a group at most `MOST` lines are read, each is compared with the
`LATEST` before it, and no text outlives its group. Where many lines share a template, those are compared as well that have
a piece of their text in common with few others.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.validation.facts import LONG_WORD, NO_KEY, SYSTEM, Facts, conversation, fold
from helpers.validation.fast import Example

MOST = 10_000  # lines of a group
LATEST = 8  # lines before, in the same group
MOST_AGAIN = 50_000  # lines, in all, that are read once more for a piece they have in common with few others
MIN_WORDS, MIN_CHANGED = 10, 6  # of the example without its system message, and of the text in which one word may differ
SMALL_PIECE = 8  # letters
Read = Callable[[int], Example]  # of the example at a position among the facts
Positions = NDArray[np.int64]
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def near_duplicates(facts: Facts, copies: NDArray[np.bool_], read: Read, both_sides_of: int = 0) -> Positions:
    """For each example the position of an earlier one that is nearly the same, or -1; exact `copies` are left out.

    With `both_sides_of` only groups are looked at that have members before and after this position.
    """
    search = _Search(np.full(len(copies), -1, np.int64), read)
    for group in _groups(facts):
        if not both_sides_of or group[0] < both_sides_of <= group[-1]:
            search.group(group[~copies[group]][:MOST])
    return search.found


def changed_word(one: Example, other: Example) -> tuple[str, str] | None:
    """The words (there, here) if they are all that differs between two examples of enough words; "" if a word was added."""
    (roles, texts), (other_roles, other_texts) = one, other
    if roles != other_roles or len(texts) != len(other_texts):
        return None
    pairs = [(a, b) for a, b in zip(texts, other_texts) if a != b]
    if len(pairs) != 1 or roles[:1] and roles[0] in SYSTEM and texts[0] != other_texts[0]:
        return None
    there, here = (text.lower().split() for text in pairs[0])
    shortest = min(len(there), len(here))
    if max(len(there), len(here)) - shortest > 1 or shortest < MIN_CHANGED or _words(one) < MIN_WORDS:
        return None
    start = next((n for n in range(shortest) if there[n] != here[n]), shortest)
    end = next((n for n in range(shortest - start) if there[-1 - n] != here[-1 - n]), shortest - start)
    rest = there[start : len(there) - end], here[start : len(here) - end]
    return (" ".join(rest[0]), " ".join(rest[1])) if max(map(len, rest)) == 1 else None


def _words(example: Example) -> int:
    return sum(len(text.split()) for text in conversation(example))


@dataclass
class _Search:
    """What is alike, found in one group of ascending positions after the other."""

    found: Positions
    read: Read
    left: int = MOST_AGAIN

    def group(self, group: Positions) -> None:
        if len(group) < 2:
            return
        keys, owners = array("I"), array("I")
        for position, example in self._compared(group):
            if len(group) > LATEST + 1:
                keys.extend(_pieces("\n".join(conversation(example))))
                owners.extend([position] * (len(keys) - len(owners)))
        shared = _sharing(keys, np.asarray(owners)) if keys else ()
        for part in {part.tobytes(): part for part in shared if len(part) <= LATEST + 1}.values():
            if self.left > 0:
                self.left -= len(list(self._compared(part)))

    def _compared(self, group: Positions) -> Iterator[tuple[int, Example]]:
        """Each position and its example, once it was compared with those before it."""
        seen: dict[int, int] = {}
        latest: deque[tuple[int, Example]] = deque(maxlen=LATEST)
        for position in group.tolist():
            example = self.read(position)
            same = seen.setdefault(_folded(example), position)
            if same == position and self.found[position] < 0:
                same = next((p for p, other in latest if changed_word(other, example)), position)
            if same != position and self.found[position] < 0:
                self.found[position] = same
            latest.append((position, example))
            yield position, example


def _pieces(text: str) -> Iterator[int]:
    """Keys of the text's pieces, counted from its beginning and from its end: those before and after a changed word stay."""
    size = max(SMALL_PIECE, 1 << max(0, len(text).bit_length() - 4))
    both = size > SMALL_PIECE and len(text) - 8 * size < LONG_WORD  # near such a size both count, as in `Facts._halves`
    for own in (size, size // 2) if both else (size,):
        for start in range(0, len(text) - own + 1, own):
            yield hash((start, text[start : start + own])) & int(_LOW)
            yield hash((~start, text[len(text) - start - own : len(text) - start])) & int(_LOW)


def _folded(example: Example) -> int:
    return hash((example[0], *map(fold, example[1])))


def _groups(facts: Facts) -> Iterator[Positions]:
    for keys in (facts.ends, facts.questions, facts.answers):
        yield from _sharing(keys, None)
    yield from _sharing(facts.halves, np.asarray(facts.owners))


def _sharing(values: object, owners: NDArray[np.uint32] | None) -> Iterator[Positions]:
    """Ascending positions of those that have the same key, group by group."""
    keys = np.asarray(values)
    known = np.flatnonzero(keys != NO_KEY)
    ordered = np.sort((keys[known].astype(np.uint64) << _HALF) | known.astype(np.uint64))  # much faster than argsort
    same = (ordered[1:] ^ ordered[:-1]) >> _HALF == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
        group = (ordered[start : end + 1] & _LOW).astype(np.int64)
        yield group if owners is None else np.unique(owners[group]).astype(np.int64)
