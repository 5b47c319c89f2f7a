"""The fast way: one typed decode tells that a line of plain texts is good. Any doubt sends it the exact way.

msgspec checks keys, types and UTF-8 while it parses, several times as fast as `json.loads` alone; it refuses NaN. What it
does not notice, a key that stands there twice, shows in how often the keys occur in the bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from helpers.validation.forms import CHAT, PAIR


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
_decode_pair = msgspec.json.Decoder(_Pair).decode
_MAX_SHAPES = 1000
PAIR_ROLES = ("prompt",)
PLAIN_ROLES = {"system", "developer", "user", "assistant"}
_shapes: dict[tuple[str, ...], bool] = {}


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
    if not (_shapes[roles] if roles in _shapes else _learn_shape(roles)):
        return None
    return (roles, texts) if all(map(str.strip, texts)) else None


def quick_pair(raw: bytes) -> Example | None:
    """The same for prompt/completion lines."""
    try:
        pair = _decode_pair(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if raw.count(b'"prompt"') != 1 or raw.count(b'"completion"') != 1 or not pair.completion:
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


def _learn_shape(roles: tuple[str, ...]) -> bool:
    good = PLAIN_ROLES.issuperset(roles) and roles[-1:] == ("assistant",) and "system" not in roles[1:]
    if len(_shapes) < _MAX_SHAPES:
        _shapes[roles] = good
    return good
