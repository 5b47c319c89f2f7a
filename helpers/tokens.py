"""Tokens and money, without a network: tiktoken with the ranks that come with the course (`data/tokenizers`).

Counts are those of OpenAI's tokenizers, because that is what a paid provider bills; the local model has its own.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
import tiktoken

from helpers.formatting import read_jsonl
from helpers.tables import DATA, base_of, model_row, prices

RANKS_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
Rows = Iterable[Mapping[str, Any]]


@cache
def encoding(name: str) -> tiktoken.Encoding:
    """tiktoken's encoding `cl100k_base` or `o200k_base`, loaded from the course's own files.

    Raises ValueError for any other name: its ranks would have to be downloaded.
    """
    if name not in SHA256:
        raise ValueError(f"no ranks for {name!r} in data/tokenizers; there are {', '.join(SHA256)}")
    _unpack(name)
    return tiktoken.get_encoding(name)


def encoding_for(model: str) -> tiktoken.Encoding:
    """Encoding of a base or fine-tuned model.

    tiktoken itself goes wrong on fine-tuned names: it takes `ft:gpt-4.1-…` for a gpt-4. Where the ranks are not shipped
    (the oldest models, other makers' models) cl100k_base stands in, with a warning that counts are approximate.
    """
    name = _encoding_name(base_of(model))
    if name not in SHA256:
        warnings.warn(f"{model}: no ranks for {name}; counted approximately, by cl100k_base", stacklevel=2)
        name = "cl100k_base"
    return encoding(name)


def _encoding_name(base: str) -> str:
    if (row := model_row(base)) is not None and isinstance(row["encoding"], str):
        return row["encoding"]
    try:
        name = tiktoken.encoding_name_for_model(base)
    except KeyError:
        return "unknown"
    return {"o200k_harmony": "o200k_base"}.get(name, name)  # the same ranks with more special tokens


def count(text: str, model: str) -> int:
    """Number of tokens in a text; strings that look like special tokens are counted as ordinary text."""
    return len(encoding_for(model).encode_ordinary(text))


def count_chat(messages: Iterable[Mapping[str, Any]], model: str) -> int:
    """Tokens of a chat by OpenAI's published rule: 3 per message, 1 per name, 3 per example, plus every value.

    The provider's bill may differ by a few tokens; tools and functions add some that were never specified.
    """
    total = 3
    for message in messages:
        total += 3 + ("name" in message) + sum(count(_text(v), model) for k, v in message.items() if k != "weight")
    return total


def count_row(row: Mapping[str, Any], model: str) -> int:
    """Tokens of one training example, chat or prompt/completion."""
    if "messages" in row:
        return count_chat(row["messages"], model)
    return count(row["prompt"], model) + count(row["completion"], model)


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
    lines = [_cost_line(rows, model, passes, table) for model in (models or table.index)]
    return pd.DataFrame(lines).set_index("model")


def usage_cost(model: str, prompt_tokens: float, completion_tokens: float) -> float:
    """US dollars for tokens read and written by a model fine-tuned from `model`; NaN if no price is known."""
    table = prices().set_index("model")
    if (name := _price_name(model, table)) is None:
        return float("nan")
    row = table.loc[name]
    return float(prompt_tokens * row["input"] + completion_tokens * row["output"]) / 1e6


def _cost_line(rows: list[Mapping[str, Any]], model: str, epochs: int, table: pd.DataFrame) -> dict[str, Any]:
    tokens, name = int(token_table(rows, model)["billed"].sum()), _price_name(model, table)
    price = float("nan") if name is None else float(table.loc[name, "train"])
    return {
        "model": base_of(model),
        "tokens": tokens,
        "epochs": epochs,
        "trained_tokens": tokens * epochs,
        "price": price,
        "usd": round(price * tokens * epochs / 1e6, 4),
        "collected": "" if name is None else table.loc[name, "collected"],
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


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(part, dict) and "text" in part for part in value):
        return "".join(part["text"] for part in value)
    return json.dumps(value, ensure_ascii=False)


def _unpack(name: str) -> None:
    """Puts the ranks where tiktoken looks before it downloads; never a folder of the project, since tiktoken deletes
    a file there whose hash it does not like."""
    if not os.environ.get("TIKTOKEN_CACHE_DIR"):
        os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(platformdirs.user_cache_dir("localtune")) / "tiktoken")
    folder = Path(os.environ["TIKTOKEN_CACHE_DIR"])
    target = folder / hashlib.sha1(RANKS_URL.format(name).encode()).hexdigest()
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == SHA256[name]:
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_bytes(lzma.decompress((DATA / "tokenizers" / f"{name}.tiktoken.xz").read_bytes()))
    os.replace(part, target)
