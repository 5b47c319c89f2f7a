"""Who goes next among the texts that wait for a place."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from localtune.infer.sequence import Sequence


class FairQueue:
    """Sequences in line for a model's places, one line for every owner.

    Next is the owner who holds the fewest places, among equals the one served longest ago. Who holds none does not wait
    for the long texts of others: beside the `places` for all there are as many again for such owners.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._lines: dict[str, deque[Sequence]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def __iter__(self) -> Iterator[Sequence]:
        return (sequence for line in self._lines.values() for sequence in line)

    def join(self, sequence: Sequence) -> None:
        """Stand at the end of the owner's line."""
        self._lines.setdefault(sequence.request.owner, deque()).append(sequence)

    def next(self, placed: Iterable[Sequence]) -> Sequence | None:
        """Who may have a place beside those who have one; stays in line until `leave`."""
        if not self._lines:  # as at most steps
            return None
        held = Counter(sequence.request.owner for sequence in placed)
        owner = min(self._lines, key=held.__getitem__)
        if held.total() >= self.places * (1 if held[owner] else 2):
            return None
        return self._lines[owner][0]

    def leave(self, sequence: Sequence) -> None:
        """Take the first of an owner's line out; the owner's turn comes again after everybody else's."""
        line = self._lines.pop(sequence.request.owner)
        line.popleft()
        if line:
            self._lines[sequence.request.owner] = line

    def drop_cancelled(self) -> None:
        """Take out everybody who no longer wants an answer."""
        lines = ((owner, deque(one for one in line if not one.cancelled)) for owner, line in self._lines.items())
        self._lines = {owner: line for owner, line in lines if line}

    def clear(self) -> None:
        """Send everybody away."""
        self._lines.clear()
