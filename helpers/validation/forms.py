"""The forms of line and which checks belong to them; the exact, slow way through one row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from helpers.validation.chat import TOOL_KEYS, check_chat, check_message, check_messages
from helpers.validation.findings import Finding

Method = Literal["supervised", "preference", "reinforcement", "completion"]
METHODS: tuple[Method, ...] = ("supervised", "preference", "reinforcement", "completion")
CHAT, PAIR, PREFERENCE, UNKNOWN = "chat", "prompt/completion", "preference", "unknown"
PREFERENCE_KEYS = ("input", "preferred_completion", "non_preferred_completion")
READ_BY: dict[str, tuple[str, ...]] = {
    "supervised": (CHAT, PAIR),
    "completion": (PAIR,),
    "preference": (PREFERENCE,),
    "reinforcement": (CHAT,),
}


def form(row: dict[str, Any]) -> str:
    """Which form of line this is, judged by its keys alone."""
    if "messages" in row:
        return CHAT
    if "prompt" in row or "completion" in row:
        return PAIR
    return PREFERENCE if any(key in row for key in PREFERENCE_KEYS) else UNKNOWN


def check_row(row: dict[str, Any], method: Method) -> list[Finding]:
    """Everything that is wrong with one example, for a job of this method."""
    kind = form(row)
    keys = f"the keys are {', '.join(map(repr, row)) or 'none':.80}"
    if kind == UNKNOWN:
        return [("unexpected_format", keys)]
    if kind not in READ_BY[method]:
        rule = "preference_format" if kind == PREFERENCE else "wrong_method"
        return [(rule, f"{keys}, the method is {method}")]
    return [*_CHECKS[method, kind](row), *_text_only(row)]


def _check_pair(row: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(row.keys() - {"prompt", "completion"}):
        yield "extra_key", f"extra {key!r:.40}"
    for key in ("prompt", "completion"):
        if not isinstance(row.get(key), str):
            yield f"{key}_type", f"{key!r} is {type(row[key]).__name__}" if key in row else f"{key!r} is missing"
    if row.get("completion") == "":
        yield "empty_completion", "the completion is empty"
    elif isinstance(row.get("completion"), str) and not row["completion"].strip():
        yield "empty_answer", "the completion is nothing but spaces"


def _check_preference(row: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(row.keys() - set(PREFERENCE_KEYS)):
        yield "extra_key", f"extra {key!r:.40}"
    if missing := [key for key in PREFERENCE_KEYS if key not in row]:
        yield "preference_keys", f"{', '.join(missing)} is missing"
        return
    question = row["input"]
    if not isinstance(question, dict):
        yield "preference_keys", f'"input" is a {type(question).__name__}'
        return
    for key in sorted(question.keys() - {"messages", "tools", "parallel_tool_calls"}):
        yield "extra_key", f"extra {key!r:.40} in the input"
    yield from check_messages(question)
    for key in PREFERENCE_KEYS[1:]:
        yield from _check_answer(key, row[key])
    if row["preferred_completion"] == row["non_preferred_completion"]:
        yield "same_preference", "both answers are the same"


def _check_answer(key: str, answer: Any) -> Iterator[Finding]:
    if not isinstance(answer, list) or len(answer) != 1:
        yield "preference_answer", f"{key} is {answer!r:.40}"
    elif not isinstance(answer[0], dict) or answer[0].get("role") != "assistant":
        yield "preference_answer", f"{key} is not the assistant's: {answer[0]!r:.40}"
    else:
        for rule, what in check_message(answer[0]):
            yield rule, f"{key}: {what}"


def _check_reinforcement(row: dict[str, Any]) -> Iterator[Finding]:
    yield from check_messages(row)
    messages = row["messages"]
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and last.get("role") != "user":
        yield "last_not_user", f"the last message is of role {last.get('role')!r:.40}"


def _text_only(row: dict[str, Any]) -> Iterator[Finding]:
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        yield "lone_surrogate", f"the text contains {error.object[error.start]!r}"
    except RecursionError:
        yield "invalid_json", "objects are nested too deeply"
    messages = row.get("messages")
    messages = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    if keys := sorted(TOOL_KEYS & {key for part in (row, *messages) for key in part}):
        yield "not_local", f"uses {', '.join(keys)}"
    if any(isinstance(message.get("content"), list) for message in messages):
        yield "not_local", "a content is a list of parts"


_CHECKS: dict[tuple[str, str], Callable[[dict[str, Any]], Iterator[Finding]]] = {
    ("supervised", CHAT): check_chat,
    ("supervised", PAIR): _check_pair,
    ("completion", PAIR): _check_pair,
    ("preference", PREFERENCE): _check_preference,
    ("reinforcement", CHAT): _check_reinforcement,
}
