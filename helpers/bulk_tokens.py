"""What training on a file costs on every model: many examples in flat memory, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import tables
from helpers.counting import LOCAL
from helpers.formatting import iterate_jsonl
from helpers.tables import prices
from helpers.token_counter import TokenCounter
from helpers.tokens import auto_epochs, counted_by, example_limit, is_local, train_price


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
    counters = {encoding: TokenCounter(encoding, threads=2) for encoding in set(map(counted_by, names))}
    for line, row in enumerate(_rows(source), start=1):
        for counter in counters.values():
            counter.add_row(line, row)
    local = counters[LOCAL].summary()["total"] if LOCAL in counters else None
    lines = [_line(name, counters[counted_by(name)].counts(), epochs, local) for name in names]
    return pd.DataFrame(lines).set_index("model").sort_values("usd", kind="stable")


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
