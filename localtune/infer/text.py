"""From tokens to text that may be shown: stop sequences cut off, characters complete."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import replace

from localtune.infer.request import Token


class TextStream:
    """Holds tokens back while they may be part of a stop sequence, and bytes until their character is complete.

    Stop sequences are compared as bytes, so token borders do not matter. A `lead` at the very beginning is dropped.
    """

    def __init__(self, stop: tuple[str, ...], lead: str = "") -> None:
        self.lead = lead.encode()
        self.stop = [sequence.encode() for sequence in stop if sequence]
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.held: list[Token] = []
        self.tail = b""

    def push(self, token: Token) -> tuple[list[Token], bool]:
        """Tokens that may be shown after this one, and whether a stop sequence was met."""
        if self.lead:
            token, self.lead = replace(token, bytes=token.bytes.removeprefix(self.lead)), b""
        self.held.append(token)
        self.tail += token.bytes
        if (end := self._stop_at()) is not None:
            return list(self._until(end)), True
        return list(self._release(len(self.tail) - self._doubtful())), False

    def flush(self) -> list[Token]:
        """Everything held back, when the text ends otherwise. Bytes of an unfinished character are not shown."""
        return list(self._release(len(self.tail)))

    def _stop_at(self) -> int | None:
        found = [at for sequence in self.stop if (at := self.tail.find(sequence)) >= 0]
        return min(found, default=None)

    def _doubtful(self) -> int:
        """Length of the longest end of the tail that begins a stop sequence."""
        longest = max((min(len(sequence) - 1, len(self.tail)) for sequence in self.stop), default=0)
        for length in range(longest, 0, -1):
            if any(sequence.startswith(self.tail[-length:]) for sequence in self.stop):
                return length
        return 0

    def _release(self, length: int) -> Iterator[Token]:
        """The held tokens that lie completely within the first `length` bytes."""
        while self.held and len(self.held[0].bytes) <= length:
            token = self.held.pop(0)
            length -= len(token.bytes)
            self.tail = self.tail[len(token.bytes) :]
            yield replace(token, text=self.decoder.decode(token.bytes))

    def _until(self, end: int) -> Iterator[Token]:
        """The tokens before the stop sequence at byte `end`; one that reaches into it keeps its first part as text."""
        for token in self.held:
            if end <= 0:
                return
            yield replace(token, text=self.decoder.decode(token.bytes[:end]))
            end -= len(token.bytes)
