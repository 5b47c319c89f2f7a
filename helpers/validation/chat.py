"""Chat lines: messages, their parts, names and weights, and how they follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from helpers.validation.findings import Finding
from helpers.validation.rules import ROLES
from helpers.validation.tools import check_calls, check_tools, tool_names

MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
TOOL_KEYS = {"tools", "parallel_tool_calls", "functions", "tool_calls", "function_call", "refusal"}


def check_chat(row: dict[str, Any]) -> Iterator[Finding]:
    """A supervised chat example."""
    for key in sorted(row.keys() - CHAT_KEYS):
        yield "extra_key", f"extra {key!r:.40}"
    yield from check_messages(row)
    messages = row["messages"]
    if isinstance(messages, list) and messages:
        yield from _learnt([message for message in messages if isinstance(message, dict)])


def check_messages(row: dict[str, Any]) -> Iterator[Finding]:
    """The messages of any form of line, and the tools they may call."""
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "missing_messages_list", f'"messages" is {messages!r:.40}'
        return
    yield from check_tools(row)
    for number, message in enumerate(messages, start=1):
        for rule, what in check_message(message):
            yield rule, f"message {number}: {what}"
    known = [message for message in messages if isinstance(message, dict)]
    yield from check_calls(known, tool_names(row))
    roles = [message.get("role") for message in known]
    if "system" in roles[1:]:
        yield "late_system_message", f"a system message is number {roles.index('system', 1) + 1}"


def check_message(message: Any) -> Iterator[Finding]:
    """One message, whatever stands around it."""
    if not isinstance(message, dict):
        yield "data_type", f"is a {type(message).__name__}"
        return
    role = message.get("role")
    if "role" not in message:
        yield "message_missing_key", 'has no "role"'
    elif role not in ROLES:
        yield "unrecognized_role", f"role is {role!r:.40}"
    for key in sorted(message.keys() - MESSAGE_KEYS):
        yield "message_unrecognized_key", f"key {key!r:.40}"
    yield from _content(message, role)
    if not isinstance(message.get("name", ""), str):
        yield "bad_name", f"name is {message['name']!r:.40}"
    elif role == "function" and not message.get("name"):
        yield "bad_name", "a function's answer needs its name"
    weight = message.get("weight", 1)
    if "weight" in message and (role != "assistant" or type(weight) is not int or weight not in (0, 1)):
        yield "bad_weight", f"weight {weight!r:.40} on a message of role {role!r:.40}"


def _content(message: dict[str, Any], role: object) -> Iterator[Finding]:
    content, calls = message.get("content"), message.get("tool_calls") or message.get("function_call")
    if content is None and role == "assistant" and (calls or message.get("refusal")):
        return
    if isinstance(content, list):
        yield from _parts(content, role)
    elif not isinstance(content, str):
        yield "missing_content", f"content is {content!r:.40}" if "content" in message else 'has no "content"'
    if not calls and role in ("assistant", "user") and _says_nothing(content):
        yield f"empty_{'answer' if role == 'assistant' else 'question'}", "the content is empty"


def _says_nothing(content: object) -> bool:
    """Whether a text, or all parts of a content, are blank."""
    if isinstance(content, list):
        return all(isinstance(part, dict) and _says_nothing(part.get("text")) for part in content)
    return isinstance(content, str) and not content.strip()


def _parts(parts: list[Any], role: object) -> Iterator[Finding]:
    for number, part in enumerate(parts, start=1):
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            continue
        if isinstance(part, dict) and role == "user" and _is_image(part):
            continue
        yield "bad_part", f"part {number} is {part!r:.60}"


def _is_image(part: dict[str, Any]) -> bool:
    image = part.get("image_url")
    return part.get("type") == "image_url" and isinstance(image, dict) and isinstance(image.get("url"), str)


def _learnt(messages: list[dict[str, Any]]) -> Iterator[Finding]:
    roles = [message.get("role") for message in messages]
    answers = [message for message in messages if message.get("role") == "assistant"]
    if not answers:
        yield "example_missing_assistant_message", f"the roles are {', '.join(map(str, roles)):.80}"
    elif all(message.get("weight") == 0 for message in answers):
        yield "nothing_learnt", "every assistant message has weight 0"
    elif roles[-1] != "assistant":
        yield "last_not_assistant", f"the last message is of role {roles[-1]!r:.40}"
