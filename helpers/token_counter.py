"""Tokens of many examples in flat memory; light enough for each of several processes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from helpers.counting import LOCAL, count_example, count_repeated, count_texts

FIRST = ("system", "developer")  # of a chat: often the same text in many examples


class TokenCounter:
    """Texts are counted in batches by this encoding; of each example eight bytes are kept."""

    BATCH = 1000  # examples

    def __init__(self, encoding: str, threads: int = 1) -> None:
        self.encoding, self.threads = encoding, threads
        self.lines, self.tokens = array("I"), array("I")
        self._texts: list[str] = []
        self._ends: list[int] = []  # of each waiting example, in `_texts`

    def add(self, line: int, roles: Sequence[str], texts: Sequence[str]) -> None:
        """A chat of plain texts with their roles, or, with another number of roles, prompt and completion."""
        local = self.encoding == LOCAL
        pair = len(roles) != len(texts)
        around = int(local) if pair else (0 if local else 3) + sum(map(self._around, roles))
        if not pair and roles[:1] and roles[0] in FIRST:
            around, texts = around + count_repeated(texts[0], self.encoding), texts[1:]
        self._add(line, around, texts)

    def add_row(self, line: int, row: Mapping[str, Any]) -> None:
        """Any example; the plain ones wait for a batch, the others are counted at once."""
        messages = row.get("messages", [])
        plain = all(m.keys() == {"role", "content"} and isinstance(m["content"], str) for m in messages)
        if plain and row.keys() == {"messages"}:
            self.add(line, [message["role"] for message in messages], [message["content"] for message in messages])
        elif row.keys() == {"prompt", "completion"}:
            self.add(line, (), [row["prompt"], row["completion"]])
        else:
            self._add(line, count_example(row, self.encoding), [])

    def _add(self, line: int, around: int, texts: Sequence[str]) -> None:
        self.lines.append(line)
        self.tokens.append(around)
        self._texts += texts
        self._ends.append(len(self._texts))
        if len(self._ends) >= self.BATCH:
            self.flush()

    def join(self, later: TokenCounter, offset: int) -> None:
        """Adds a later part of the file, whose lines are counted from `offset` on; nothing may wait for a batch."""
        self.lines.extend(array("I", [line + offset for line in later.lines]))
        self.tokens.extend(later.tokens)

    def summary(self) -> dict[str, int]:
        """examples, total, shortest, median, longest; all zero without examples."""
        if not self.tokens:
            return dict.fromkeys(("examples", "total", "shortest", "median", "longest"), 0)
        tokens = self.counts()
        figures = {"shortest": tokens.min(), "median": np.median(tokens), "longest": tokens.max()}
        return {"examples": len(tokens), "total": int(tokens.sum()), **{name: int(n) for name, n in figures.items()}}

    def counts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Tokens of each example, in the order in which they were added."""
        self.flush()
        return np.asarray(self.tokens).astype(np.int64)

    def longer_than(self, limit: int | None) -> Iterator[tuple[int, int]]:
        """Line and tokens of every example over the limit."""
        for position in np.flatnonzero(self.counts() > limit) if limit is not None else ():
            yield self.lines[position], self.tokens[position]

    def flush(self) -> None:
        """Counts what waits for a batch."""
        sums = np.concatenate([[0], np.cumsum(count_texts(self._texts, self.encoding, self.threads), dtype=np.int64)])
        start, first = 0, len(self.tokens) - len(self._ends)
        for position, end in enumerate(self._ends, start=first):
            self.tokens[position] += int(sums[end] - sums[start])
            start = end
        self._texts, self._ends = [], []

    def _around(self, role: str) -> int:
        if self.encoding == LOCAL:
            return count_repeated(f"{role}\n", LOCAL) + count_repeated("\n", LOCAL) + 2
        return count_repeated(role, self.encoding) + 3
