"""Nearly the same: lines that differ in case, spaces and punctuation only, or in one word of a long text.

Lines that share a key (the question, a long answer, one half of the longest text, the end) are read again, one group after
the other, and compared word by word. Memory stays flat: of a group at most `MOST` lines are read, each is compared with the
`LATEST` before it, and no text outlives its group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from helpers.validation.facts import NO_KEY, SYSTEM, Facts, fold
from helpers.validation.fast import Example

MOST = 10_000  # lines of a group
LATEST = 8  # lines before, in the same group
MIN_WORDS = 10  # of the text in which one word may differ
Read = Callable[[int], Example]
Positions = NDArray[np.int64]
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def near_duplicates(facts: Facts, copies: NDArray[np.bool_], read: Read) -> Positions:
    """For each example the position of an earlier one that is nearly the same, or -1; exact `copies` are left out."""
    found = np.full(len(copies), -1, np.int64)
    for group in _groups(facts):
        _look(group[~copies[group]][:MOST], found, lambda position: read(facts.places[position]))
    return found


def changed_word(one: Example, other: Example) -> tuple[str, str] | None:
    """The words (there, here) if they are all that differs, and stand in a long text; "" if a word was added."""
    (roles, texts), (other_roles, other_texts) = one, other
    if roles != other_roles or len(texts) != len(other_texts):
        return None
    pairs = [(a, b) for a, b in zip(texts, other_texts) if a != b]
    if len(pairs) != 1 or roles[:1] and roles[0] in SYSTEM and texts[0] != other_texts[0]:
        return None
    there, here = (text.lower().split() for text in pairs[0])
    shortest = min(len(there), len(here))
    if max(len(there), len(here)) - shortest > 1 or shortest < MIN_WORDS:
        return None
    start = next((n for n in range(shortest) if there[n] != here[n]), shortest)
    end = next((n for n in range(shortest - start) if there[-1 - n] != here[-1 - n]), shortest - start)
    rest = there[start : len(there) - end], here[start : len(here) - end]
    return (" ".join(rest[0]), " ".join(rest[1])) if max(map(len, rest)) == 1 else None


def _look(group: Positions, found: Positions, read: Read) -> None:
    """Enters what is alike within one group of positions in ascending order."""
    seen: dict[int, int] = {}
    latest: deque[tuple[int, Example]] = deque(maxlen=LATEST)
    for position in group.tolist() if len(group) > 1 else ():
        example = read(position)
        same = seen.setdefault(_folded(example), position)
        if same == position and found[position] < 0:
            same = next((p for p, other in latest if changed_word(other, example)), position)
        if same != position and found[position] < 0:
            found[position] = same
        latest.append((position, example))


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
