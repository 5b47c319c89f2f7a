"""The fast way: one typed decode tells that lines of plain texts are good. Any doubt sends them the exact way.

msgspec checks keys, types and UTF-8 while it parses, several times as fast as `json.loads` alone; it refuses NaN. What it
does not notice, a key that stands there twice, shows in the bytes: in a block by the number of quotes, in a line by the
number of keys.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from helpers.validation.forms import CHAT, PAIR
from helpers.validation.pairs import Pairs

# What is compared between lines: who speaks, and the texts; the last text is the answer. A bare tuple, made a million times.
Example = tuple[tuple[str, ...], list[str]]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    role: str  # judged with the others by its shape: faster than a Literal
    content: str


class _Chat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    messages: list[_Message]


class _Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


_decode_chat = msgspec.json.Decoder(_Chat).decode
_decode_chats = msgspec.json.Decoder(_Chat).decode_lines
_decode_pair = msgspec.json.Decoder(_Pair).decode
_messages, _role, _content = attrgetter("messages"), attrgetter("role"), attrgetter("content")
PAIR_ROLES = ("prompt",)
PLAIN_ROLES = {"system", "developer", "user", "assistant"}


def quick_chats(data: bytes, pairs: Pairs) -> tuple[list[int], list[Example]] | None:
    """Where the lines begin, and their examples, if all are chats with nothing to remark; None if that is not certain."""
    found = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(found == 10)
    if not _one_object_a_line(found, ends):
        return None
    try:
        chats = list(map(_messages, _decode_chats(data)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    keys_and_values = len(chats) + 4 * sum(map(len, chats))  # if there are more, a key stands there twice
    if len(chats) != len(ends) or _texts(data, found, pairs) != keys_and_values:
        return None
    roles = [tuple(map(_role, messages)) for messages in chats]
    texts = [list(map(_content, messages)) for messages in chats]
    if not all(map(_good_shape, set(roles))) or not all(map(str.strip, chain.from_iterable(texts))):
        return None
    return [0, *(ends[:-1] + 1).tolist()], list(zip(roles, texts))


def _one_object_a_line(found: NDArray[np.uint8], ends: NDArray[np.int64]) -> bool:
    """Whether every line feed stands between two objects: inside of one there would be a comma or a bracket as well."""
    if not len(ends) or ends[-1] != len(found) - 1 or found[0] != ord("{"):
        return False
    return bool((found[ends - 1] == ord("}")).all() and (found[ends[:-1] + 1] == ord("{")).all())


def _texts(data: bytes, found: NDArray[np.uint8], pairs: Pairs) -> int:
    """How many texts, keys included, stand in these bytes: half of the quotes that are not escaped."""
    if pairs.count(b"\\\\"):
        data = data.replace(b"\\\\", b"")  # an escaped backslash escapes no quote
        return (data.count(b'"') - data.count(b'\\"')) // 2
    return (int(np.count_nonzero(found == ord('"'))) - pairs.count(b'\\"')) // 2


def quick_chat(raw: bytes) -> Example | None:
    """The example if the line is a chat of texts with nothing to remark; None if that is not certain."""
    try:
        messages = _decode_chat(raw).messages
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    count = len(messages)
    if raw.count(b'"role"') != count or raw.count(b'"content"') != count:  # so "messages" is not repeated either
        return None
    roles = tuple([message.role for message in messages])
    texts = [message.content for message in messages]
    return (roles, texts) if _good_shape(roles) and all(map(str.strip, texts)) else None


def quick_pair(raw: bytes) -> Example | None:
    """The same for prompt/completion lines."""
    try:
        pair = _decode_pair(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if raw.count(b'"prompt"') != 1 or raw.count(b'"completion"') != 1 or not pair.completion.strip():
        return None
    return PAIR_ROLES, [pair.prompt, pair.completion]


def example_of(row: dict[str, Any], form: str) -> Example:
    """The same facts of any row, however odd: what is no text is compared by its JSON."""
    if form == PAIR:
        return PAIR_ROLES, [_text(row.get("prompt")), _text(row.get("completion"))]
    if form == CHAT and isinstance(row["messages"], list) and all(isinstance(m, dict) for m in row["messages"]):
        more = [_text({k: v for k, v in row.items() if k != "messages"})] if len(row) > 1 else []
        roles = tuple([str(message.get("role")) for message in row["messages"]] + more)
        return roles, list(map(_said, row["messages"])) or [""]
    return (form,), [_text(row)]


def _said(message: dict[str, Any]) -> str:
    plain = isinstance(message.get("content"), str) and message.keys() <= {"role", "content"}
    return message["content"] if plain else _text({k: v for k, v in message.items() if k != "role"})


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value, order="deterministic").decode()
    except (ValueError, TypeError, OverflowError, RecursionError):  # half characters, huge numbers, deep nesting
        return repr(value)


@lru_cache(maxsize=1000)
def _good_shape(roles: tuple[str, ...]) -> bool:
    return PLAIN_ROLES.issuperset(roles) and roles[-1:] == ("assistant",) and "system" not in roles[1:]
