"""The fast way: one typed decode tells that lines of plain texts are good. Any doubt sends them the exact way.

msgspec checks keys, types and UTF-8 while it parses, several times as fast as `json.loads` alone; it refuses NaN. What it
does not notice, a key that stands there twice, shows in the bytes: in a block by the number of quotes, in a line by the
number of keys.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, Union

import msgspec

from helpers.validation.forms import CHAT, PAIR
from helpers.validation.marks import Marks

# What is compared between lines: who speaks, and the texts; the last text is the answer. A bare tuple, made a million times.
Example = tuple[tuple[str, ...], tuple[str, ...]]
PAIR_ROLES = ("prompt",)
PLAIN_ROLES = ("system", "developer", "user", "assistant")


def _message(role: str) -> type:
    """Of messages by this role: msgspec chooses the type by the text of "role"."""
    texts = [("content", str)]
    return msgspec.defstruct(role, texts, tag_field="role", tag=role, frozen=True, forbid_unknown_fields=True, gc=False)


_ROLE_OF = {_message(role): role for role in PLAIN_ROLES}  # a type for each role: faster than a field


class _Chat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    messages: list[Union[tuple(_ROLE_OF)]]  # type: ignore[misc]


class _Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    prompt: str
    completion: str


_decode_chat = msgspec.json.Decoder(_Chat).decode
_decode_chats = msgspec.json.Decoder(_Chat).decode_lines
_decode_pair = msgspec.json.Decoder(_Pair).decode
_messages, _content = attrgetter("messages"), attrgetter("content")


def quick_chats(data: bytes, marks: Marks) -> list[Example] | None:
    """The examples of all lines, if all are chats with nothing to remark; None if that is not certain."""
    if not _one_object_a_line(marks):
        return None
    try:
        chats = list(map(_messages, _decode_chats(data)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    keys_and_values = len(chats) + 4 * sum(map(len, chats))  # if there are more, a key stands there twice
    if len(chats) != len(marks.ends) or marks.texts(data) != keys_and_values:
        return None
    roles = [_roles(*map(type, messages)) for messages in chats]
    texts = [tuple(map(_content, messages)) for messages in chats]
    if None in roles or not all(map(str.strip, chain.from_iterable(texts))):
        return None
    return list(zip(roles, texts))


def _one_object_a_line(marks: Marks) -> bool:
    """Whether every line feed stands between two objects: inside of one there would be a comma or a bracket as well."""
    found, ends = marks.bytes, marks.ends
    if not len(ends) or ends[-1] != len(found) - 1 or found[0] != ord("{"):
        return False
    return bool((found[ends - 1] == ord("}")).all() and (found[ends[:-1] + 1] == ord("{")).all())


def quick_chat(raw: bytes) -> Example | None:
    """The example if the line is a chat of texts with nothing to remark; None if that is not certain."""
    try:
        messages = _decode_chat(raw).messages
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    count = len(messages)
    if raw.count(b'"role"') != count or raw.count(b'"content"') != count:  # so "messages" is not repeated either
        return None
    roles, texts = _roles(*map(type, messages)), tuple(map(_content, messages))
    return (roles, texts) if roles and all(map(str.strip, texts)) else None


def quick_pair(raw: bytes) -> Example | None:
    """The same for prompt/completion lines."""
    try:
        pair = _decode_pair(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if raw.count(b'"prompt"') != 1 or raw.count(b'"completion"') != 1 or not pair.completion.strip():
        return None
    return PAIR_ROLES, (pair.prompt, pair.completion)


def example_of(row: dict[str, Any], form: str) -> Example:
    """The same facts of any row, however odd: what is no text is compared by its JSON."""
    if form == PAIR:
        return PAIR_ROLES, (_text(row.get("prompt")), _text(row.get("completion")))
    if form == CHAT and isinstance(row["messages"], list) and all(isinstance(m, dict) for m in row["messages"]):
        more = [_text({k: v for k, v in row.items() if k != "messages"})] if len(row) > 1 else []
        roles = tuple([str(message.get("role")) for message in row["messages"]] + more)
        return roles, tuple(map(_said, row["messages"])) or ("",)
    return (form,), (_text(row),)


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
def _roles(*messages: type) -> tuple[str, ...] | None:
    """Who speaks, if that is in order."""
    roles = tuple([_ROLE_OF[message] for message in messages])
    return roles if roles[-1:] == ("assistant",) and "system" not in roles[1:] else None
