"""Bytes that are rare in a text, found in a block of lines at once: a few passes of numpy lead to few places, and what begins
or ends with such a byte is sought there only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_BACKSLASHES = int.from_bytes(b"\\\\", "big")


class Marks:
    """`at`: where the rare bytes stand. `pairs`: each with the byte before it, as one number. `ends`: where lines end."""

    def __init__(self, data: bytes) -> None:
        self.bytes = np.frombuffer(data, np.uint8)
        fours = self.bytes | 3
        rare = fours == ord("K")  # H to K
        rare |= fours == ord("_")  # \ to _
        rare |= self.bytes == ord("-")
        rare |= self.bytes == ord("\n")
        self.at = np.flatnonzero(rare)
        found, before = self.bytes[self.at], self.bytes[self.at - 1]
        before[self.at == 0] = 0  # the first byte has none before it
        self.pairs = before.astype(np.uint16) << 8 | found
        self.ends = self.at[found == ord("\n")]

    def where(self, pairs: NDArray[np.bool_]) -> list[int]:
        """Where these pairs end; `pairs` comes from `pair_table`."""
        return self.at[pairs[self.pairs]].tolist()

    def texts(self, data: bytes) -> int:
        """How many JSON texts, keys included, stand in these whole lines: half of the quotes that are not escaped."""
        if (self.pairs == _BACKSLASHES).any():
            data = data.replace(b"\\\\", b"")  # an escaped backslash escapes no quote
            return (data.count(b'"') - data.count(b'\\"')) // 2
        escaped = self.bytes[self.at[self.pairs & 0xFF == ord("\\")] + 1]
        quotes = np.count_nonzero(self.bytes == ord('"')) - np.count_nonzero(escaped == ord('"'))
        return int(quotes) // 2


def pair_table(pairs: Iterable[bytes]) -> NDArray[np.bool_]:
    """True at the numbers of these pairs, each of which ends in a rare byte."""
    table = np.zeros(1 << 16, np.bool_)
    table[[int.from_bytes(pair, "big") for pair in pairs]] = True
    return table
