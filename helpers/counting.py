"""Counting by the name of an encoding, offline and with little memory: all that a process needs which counts a large file.

The encodings are tiktoken's, with the ranks that come with the course (`data/tokenizers`), and `local`, the local base's own.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import tiktoken

if TYPE_CHECKING:
    import tokenizers  # at run time only where the local base counts

DATA = Path(__file__).resolve().parents[1] / "data"
LOCAL = "local"
RANKS_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@cache
def encoding(name: str) -> tiktoken.Encoding:
    """tiktoken's encoding `cl100k_base` or `o200k_base`, loaded from the course's own files.

    Raises ValueError for any other name: its ranks would have to be downloaded.
    """
    if name not in SHA256:
        raise ValueError(f"no ranks for {name!r} in data/tokenizers; there are {', '.join(SHA256)}")
    _unpack(name)
    return tiktoken.get_encoding(name)


def load_to_count(name: str) -> None:
    """Loads the encoding without the table that tiktoken keeps beside its compiled one: a third of its memory."""
    if name != LOCAL:
        encoding(name)._mergeable_ranks.clear()


@cache
def local_tokenizer() -> tokenizers.Tokenizer:
    """The byte-level tokenizer of the local base."""
    from tokenizers import Tokenizer

    text = (DATA / "base" / "small" / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_str(text)
    tokenizer.encode_special_tokens = True  # a text that looks like a special token is a text
    return tokenizer


def count_texts(texts: Sequence[str], name: str, threads: int = 1) -> list[int]:
    """Number of tokens of each text; what looks like a special token is counted as ordinary text."""
    if name == LOCAL:
        return [len(found.ids) for found in local_tokenizer().encode_batch(list(texts), add_special_tokens=False)]
    if threads > 1 and len(texts) >= 100:  # for a few texts threads cost more than they save
        return list(map(len, encoding(name).encode_ordinary_batch(list(texts), num_threads=threads)))
    return [len(encoding(name).encode_ordinary(text)) for text in texts]


@lru_cache(maxsize=64)
def count_repeated(text: str, name: str) -> int:
    """The same for a text that many examples share: a role, a system prompt."""
    return count_texts([text], name)[0]


def count_messages(messages: Iterable[Mapping[str, Any]], name: str) -> int:
    """Tokens of a chat by OpenAI's published rule: 3 per message, 1 per name, 3 per example, plus every value.

    The provider's bill may differ by a few tokens; tools and functions add some that were never specified. The local
    base reads ChatML: a mark at both ends of each message, and no texts but role and content.
    """
    messages = list(messages)
    if name == LOCAL:
        parts = [part for m in messages for part in (f"{m['role']}\n", _text(m.get("content")), "\n")]
        return 2 * len(messages) + sum(count_texts(parts, name))
    texts = [_text(value) for message in messages for key, value in message.items() if key != "weight"]
    return 3 + 3 * len(messages) + sum("name" in message for message in messages) + sum(count_texts(texts, name))


def count_example(row: Mapping[str, Any], name: str) -> int:
    """Tokens of one training example: chat (tools by their JSON), prompt/completion, or a preference pair (all of it)."""
    if "messages" in row:
        definitions = [_text(row[key]) for key in ("tools", "functions") if key in row]
        return count_messages(row["messages"], name) + sum(count_texts(definitions, name))
    if "input" in row:
        answers = [*row["preferred_completion"], *row["non_preferred_completion"]]
        return count_example(row["input"], name) + count_messages(answers, name)
    return sum(count_texts([row["prompt"], row["completion"]], name)) + (name == LOCAL)


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
