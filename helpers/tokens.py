"""Tokens and money, without a network: tiktoken with the ranks that come with the course (`data/tokenizers`).

Counts are those of OpenAI's tokenizers, because that is what a paid provider bills; the local base (`small`) is counted
with its own tokenizer.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs
import tiktoken
import tokenizers

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
    name = encoding_name(model)
    if name not in SHA256:
        warnings.warn(f"{model}: no ranks for {name}; counted approximately, by cl100k_base", stacklevel=2)
        name = "cl100k_base"
    return encoding(name)


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
    return row is not None and row["encoding"] == "local"


@cache
def local_tokenizer() -> tokenizers.Tokenizer:
    """The byte-level tokenizer of the local base."""
    text = (DATA / "base" / "small" / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = tokenizers.Tokenizer.from_str(text)
    tokenizer.encode_special_tokens = True  # a text that looks like a special token is a text
    return tokenizer


def count_many(texts: Sequence[str], model: str, threads: int = 2) -> list[int]:
    """Number of tokens of each text, by several threads; what looks like a special token is counted as ordinary text."""
    if is_local(model):
        return [len(found.ids) for found in local_tokenizer().encode_batch(list(texts), add_special_tokens=False)]
    encoding = encoding_for(model)
    if len(texts) < 100:  # threads would cost more than they save
        return [len(encoding.encode_ordinary(text)) for text in texts]
    return list(map(len, encoding.encode_ordinary_batch(list(texts), num_threads=threads)))


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
    """Tokens of a chat by OpenAI's published rule: 3 per message, 1 per name, 3 per example, plus every value.

    The provider's bill may differ by a few tokens; tools and functions add some that were never specified. The local
    base reads ChatML: a mark at both ends of each message, and no texts but role and content.
    """
    messages = list(messages)
    if is_local(model):
        parts = [part for m in messages for part in (f"{m['role']}\n", _text(m.get("content")), "\n")]
        return 2 * len(messages) + sum(count_many(parts, model))
    texts = [_text(value) for message in messages for key, value in message.items() if key != "weight"]
    return 3 + 3 * len(messages) + sum("name" in message for message in messages) + sum(count_many(texts, model))


def count_row(row: Mapping[str, Any], model: str) -> int:
    """Tokens of one training example: chat (tools by their JSON), prompt/completion, or a preference pair (all of it)."""
    if "messages" in row:
        definitions = [_text(row[key]) for key in ("tools", "functions") if key in row]
        return count_chat(row["messages"], model) + sum(count_many(definitions, model))
    if "input" in row:
        answers = [*row["preferred_completion"], *row["non_preferred_completion"]]
        return count_row(row["input"], model) + count_chat(answers, model)
    return sum(count_many([row["prompt"], row["completion"]], model)) + is_local(model)


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
