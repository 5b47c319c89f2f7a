"""Tokens and money, without a network: tiktoken with the ranks that come with the course (`data/tokenizers`).

Counts are those of OpenAI's tokenizers, because that is what a paid provider bills; the local base (`small`) is counted
with its own tokenizer.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import tiktoken

from helpers.counting import LOCAL, SHA256, count_example, count_messages, count_texts, encoding, local_tokenizer
from helpers.formatting import read_jsonl
from helpers.tables import base_of, model_row, prices

Rows = Iterable[Mapping[str, Any]]


def encoding_for(model: str) -> tiktoken.Encoding:
    """Encoding of a base or fine-tuned model.

    tiktoken itself goes wrong on fine-tuned names: it takes `ft:gpt-4.1-…` for a gpt-4. Where the ranks are not shipped
    (the oldest models, other makers' models) cl100k_base stands in, with a warning that counts are approximate.
    """
    return encoding(_shipped(model))


def counted_by(model: str) -> str:
    """What counts for this model: `local`, or an encoding whose ranks are shipped."""
    return LOCAL if is_local(model) else _shipped(model)


def _shipped(model: str) -> str:
    name = encoding_name(model)
    if name in SHA256:
        return name
    warnings.warn(f"{model}: no ranks for {name}; counted approximately, by cl100k_base", stacklevel=3)
    return "cl100k_base"


@cache  # asked for every text
def encoding_name(model: str) -> str:
    """Name of the right encoding for a base or fine-tuned model, whether its ranks are shipped or not; else "unknown"."""
    base = base_of(model)
    if (row := model_row(base)) is not None and isinstance(row["encoding"], str):
        return row["encoding"]
    try:
        name = tiktoken.encoding_name_for_model(base)
    except KeyError:
        return "unknown"
    return {"o200k_harmony": "o200k_base"}.get(name, name)  # the same ranks with more special tokens


@cache
def is_local(model: str) -> bool:
    """Whether the local base's own tokenizer counts for this model."""
    row = model_row(model)
    return row is not None and row["encoding"] == LOCAL


def count_many(texts: Sequence[str], model: str, threads: int = 2) -> list[int]:
    """Number of tokens of each text, by several threads; what looks like a special token is counted as ordinary text."""
    return count_texts(texts, counted_by(model), threads)


def count(text: str, model: str) -> int:
    """Number of tokens in a text; strings that look like special tokens are counted as ordinary text."""
    return count_many([text], model)[0]


def truncate(text: str, limit: int, model: str) -> str:
    """The text's first `limit` tokens: what is left of a part that is too long. Half characters at the cut are dropped."""
    if is_local(model):
        found = local_tokenizer().encode(text, add_special_tokens=False)
        return text if len(found.ids) <= limit else text[: found.offsets[limit - 1][1] if limit else 0]
    tokens = encoding_for(model).encode_ordinary(text)
    return text if len(tokens) <= limit else encoding_for(model).decode(tokens[:limit], errors="ignore")


def count_chat(messages: Iterable[Mapping[str, Any]], model: str) -> int:
    """Tokens of a chat by OpenAI's published rule, or the local base's: see `count_messages`."""
    return count_messages(messages, counted_by(model))


def count_row(row: Mapping[str, Any], model: str) -> int:
    """Tokens of one training example: chat (tools by their JSON), prompt/completion, or a preference pair (all of it)."""
    return count_example(row, counted_by(model))


def auto_epochs(examples: int) -> int:
    """What "auto" means: 3 epochs; small files get enough for about 100 steps (at most 25), huge ones fewer."""
    if 3 * examples < 100:
        return min(25, 100 // max(1, examples))
    return 3 if 3 * examples <= 25_000 else max(1, 25_000 // examples)


def token_table(source: str | Path | Rows, model: str) -> pd.DataFrame:
    """One line per example: `tokens`, and `billed` = tokens cut to the model's training limit where it is known."""
    tokens = pd.Series([count_row(example, model) for example in _rows(source)], name="tokens", dtype=int)
    return pd.DataFrame({"tokens": tokens, "billed": tokens.clip(upper=example_limit(model))})


def example_limit(model: str) -> int | None:
    """Tokens of one example that training uses: the model's context, or less where the price list says so."""
    row, table = model_row(model), prices().set_index("model")
    name = _price_name(model, table)
    limits = [None if row is None else row["context"], None if name is None else table.loc[name, "example_limit"]]
    return min((int(limit) for limit in limits if limit is not None and pd.notna(limit)), default=None)


def cost_table(
    source: str | Path | Rows, models: Iterable[str] | None = None, epochs: int | None = None
) -> pd.DataFrame:
    """What training on a file would cost on OpenAI, per model: tokens, epochs, trained_tokens, price, usd.

    `price` is US dollars per million tokens on the day in `collected`; `epochs` defaults to the auto rule. Models
    billed by the hour are left out; a model without a price gets NaN.
    """
    rows, table = list(_rows(source)), prices().set_index("model")
    table = table[table["unit"] == "1M tokens"]
    passes = epochs or auto_epochs(len(rows))
    lines = [_cost_line(rows, model, passes) for model in (models or table.index)]
    return pd.DataFrame(lines).set_index("model")


def usage_cost(model: str, prompt_tokens: float, completion_tokens: float) -> float:
    """US dollars for tokens read and written by a model fine-tuned from `model`; NaN if no price is known."""
    table = prices().set_index("model")
    if (name := _price_name(model, table)) is None:
        return float("nan")
    row = table.loc[name]
    return float(prompt_tokens * row["input"] + completion_tokens * row["output"]) / 1e6


def train_price(model: str) -> tuple[float, str]:
    """US dollars per million trained tokens and the day on which that was collected; NaN and "" if no price is known."""
    table = prices().query("unit == '1M tokens'").set_index("model")
    if (name := _price_name(model, table)) is None:
        return float("nan"), ""
    return float(table.loc[name, "train"]), str(table.loc[name, "collected"])


def _cost_line(rows: list[Mapping[str, Any]], model: str, epochs: int) -> dict[str, Any]:
    tokens = int(token_table(rows, model)["billed"].sum())
    price, collected = train_price(model)
    return {
        "model": base_of(model),
        "tokens": tokens,
        "epochs": epochs,
        "trained_tokens": tokens * epochs,
        "price": price,
        "usd": round(price * tokens * epochs / 1e6, 4),
        "collected": collected,
    }


def _price_name(model: str, table: pd.DataFrame) -> str | None:
    """The model's own line, else the line of its family: snapshots differ by a date (`-0613`, `-2024-07-18`) only."""
    base = base_of(model)
    names = [name for name in table.index if name == base] or [n for n in table.index if _family(n) == _family(base)]
    return names[0] if names else None


def _family(model: str) -> str:
    return re.sub(r"-(\d{4}-\d{2}-\d{2}|\d{4})$", "", model)


def _rows(source: str | Path | Rows) -> Rows:
    return read_jsonl(source) if isinstance(source, (str, Path)) else source
