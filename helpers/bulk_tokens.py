"""Tokens of large files: many examples in flat memory, and what training on them costs on every model."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import tables
from helpers.formatting import iterate_jsonl
from helpers.tables import prices
from helpers.tokens import auto_epochs, count, count_many, count_row, encoding_name, example_limit, is_local, train_price


class TokenCounter:
    """Tokens of many examples in flat memory: texts are counted in batches, sixteen bytes per example are kept."""

    BATCH = 1000  # examples

    def __init__(self, model: str) -> None:
        self.model, self.local = model, is_local(model)
        self.lines, self.tokens = array("q"), array("q")
        self._texts: list[str] = []
        self._ends: list[int] = []  # of each waiting example, in `_texts`
        self._roles: dict[str, int] = {}

    def add(self, line: int, roles: Sequence[str], texts: list[str]) -> None:
        """A chat of plain texts with their roles, or, with another number of roles, prompt and completion."""
        pair = len(roles) != len(texts)
        around = int(self.local) if pair else (0 if self.local else 3) + sum(map(self._around, roles))
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
            self._add(line, count_row(row, self.model), [])

    def _add(self, line: int, around: int, texts: list[str]) -> None:
        self.lines.append(line)
        self.tokens.append(around)
        self._texts += texts
        self._ends.append(len(self._texts))
        if len(self._ends) >= self.BATCH:
            self._flush()

    def summary(self) -> dict[str, int]:
        """examples, total, shortest, median, longest; all zero without examples."""
        if not self.tokens:
            return dict.fromkeys(("examples", "total", "shortest", "median", "longest"), 0)
        tokens = self.counts()
        figures = {"shortest": tokens.min(), "median": np.median(tokens), "longest": tokens.max()}
        return {"examples": len(tokens), "total": int(tokens.sum()), **{name: int(n) for name, n in figures.items()}}

    def counts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Tokens of each example, in the order in which they were added."""
        self._flush()
        return np.asarray(self.tokens, dtype=np.int64)

    def longer_than(self, limit: int | None) -> Iterator[tuple[int, int]]:
        """Line and tokens of every example over the limit."""
        for position in np.flatnonzero(self.counts() > limit) if limit is not None else ():
            yield self.lines[position], self.tokens[position]

    def _around(self, role: str) -> int:
        if role not in self._roles:
            own = count(f"{role}\n", self.model) + count("\n", self.model) + 2 if self.local else count(role, self.model) + 3
            self._roles[role] = own
        return self._roles[role]

    def _flush(self) -> None:
        sums = np.concatenate([[0], np.cumsum(count_many(self._texts, self.model), dtype=np.int64)])
        start, first = 0, len(self.tokens) - len(self._ends)
        for position, end in enumerate(self._ends, start=first):
            self.tokens[position] += int(sums[end] - sums[start])
            start = end
        self._texts, self._ends = [], []


def price_list(source: str | Path | Iterable[Mapping[str, Any]], epochs: int | None = None) -> pd.DataFrame:
    """What training on this file costs, on every model the course knows that is billed by tokens, and on the local base.

    One line per model: tokens of the file (examples cut to the model's limit), cut (examples over it), epochs (the auto
    rule, if none are given), trained_tokens, price (US dollars per million on the day in `collected`), usd,
    usd_per_example, local_tokens (the same file, counted by the local base). Raises ValueError for broken lines.
    """
    table = tables.models()
    trainable = table[(table["fine_tunable"] == "yes") & table["encoding"].isin(["cl100k_base", "o200k_base", "local"])]
    billed = prices().query("unit == '1M tokens'")["model"]
    names = list(dict.fromkeys([*trainable["id"], *billed]))
    first_of = {_counted_by(name): name for name in reversed(names)}
    counters = {key: TokenCounter(name) for key, name in first_of.items()}
    for line, row in enumerate(_rows(source), start=1):
        for counter in counters.values():
            counter.add_row(line, row)
    local = next((c.summary()["total"] for key, c in counters.items() if key == "local"), None)
    lines = [_line(name, counters[_counted_by(name)].counts(), epochs, local) for name in names]
    return pd.DataFrame(lines).set_index("model").sort_values("usd", kind="stable")


def _counted_by(model: str) -> str:
    return "local" if is_local(model) else encoding_name(model)


def _line(model: str, tokens: np.ndarray[Any, np.dtype[np.int64]], epochs: int | None, local: int | None) -> dict[str, Any]:
    limit, passes = example_limit(model), epochs or auto_epochs(len(tokens))
    cut = np.minimum(tokens, limit) if limit is not None else tokens
    price, collected = (0.0, "") if is_local(model) else train_price(model)
    usd = price * int(cut.sum()) * passes / 1e6
    return {
        "model": model,
        "tokens": int(cut.sum()),
        "cut": int((cut < tokens).sum()),
        "epochs": passes,
        "trained_tokens": int(cut.sum()) * passes,
        "price": price,
        "usd": round(usd, 4),
        "usd_per_example": usd / max(1, len(tokens)),
        "local_tokens": local,
        "collected": collected,
    }


def _rows(source: str | Path | Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return iterate_jsonl(source) if isinstance(source, (str, Path)) else source
