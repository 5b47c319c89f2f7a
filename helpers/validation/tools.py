"""Tools in chat lines: their definitions, the assistant's calls, and the answers that belong to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from helpers.validation.findings import Finding


NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_tools(row: dict[str, Any]) -> Iterator[Finding]:
    """Definitions under "tools" (and the older "functions")."""
    for key in ("tools", "functions"):
        definitions = row.get(key, [])
        if not isinstance(definitions, list):
            yield "bad_tools", f"{key!r} is a {type(definitions).__name__}"
            continue
        for number, definition in enumerate(definitions, start=1):
            if problem := _definition(definition, wrapped=key == "tools"):
                yield "bad_tools", f"{key} number {number}: {problem}"
    if not isinstance(row.get("parallel_tool_calls", True), bool):
        yield "bad_tools", f'"parallel_tool_calls" is {row["parallel_tool_calls"]!r:.40}, not true or false'


def tool_names(row: dict[str, Any]) -> set[str]:
    """Names of all functions the line defines."""
    functions = [_function(tool) for tool in _list(row.get("tools"))] + _list(row.get("functions"))
    return {f["name"] for f in functions if isinstance(f, dict) and isinstance(f.get("name"), str)}


def check_calls(messages: list[dict[str, Any]], known: set[str]) -> Iterator[Finding]:
    """Calls are well formed and known; tool messages answer a call before them; calls are answered."""
    asked: set[str] = set()
    answered: set[str] = set()
    for number, message in enumerate(messages, start=1):
        for rule, what in _calls(message, known, asked):
            yield rule, f"message {number}: {what}"
        if message.get("role") == "tool":
            call = message.get("tool_call_id")
            if not isinstance(call, str) or call not in asked:
                yield "tool_call_id", f'message {number}: "tool_call_id" is {call!r:.40}, no such call came before'
            else:
                answered.add(call)
    last = {call["id"] for call in _list(messages[-1].get("tool_calls")) if not _call_problem(call)} if messages else set()
    if open_calls := sorted(asked - answered - last):
        yield "unanswered_call", f"no answer to {', '.join(open_calls):.80}"


def _calls(message: dict[str, Any], known: set[str], asked: set[str]) -> Iterator[Finding]:
    if ("tool_calls" in message or "function_call" in message) and message.get("role") != "assistant":
        yield "bad_tool_call", f"a call by the role {message.get('role')!r:.40}"
    if not isinstance(message.get("tool_calls") or [], list):
        yield "bad_tool_call", f'"tool_calls" is {message["tool_calls"]!r:.40}'
    functions = []
    for call in _list(message.get("tool_calls")):
        if problem := _call_problem(call):
            yield "bad_tool_call", problem
        else:
            asked.add(call["id"])
            functions.append(call["function"])
    if (old := message.get("function_call")) is not None:
        if problem := _function_problem(old):
            yield "bad_tool_call", problem
        else:
            functions.append(old)
    for function in functions:
        if function["name"] not in known:
            yield "unknown_tool", f"calls {function['name']!r:.60}; defined are {', '.join(sorted(known)) or 'none':.80}"


def _definition(tool: object, wrapped: bool) -> str | None:
    if wrapped and not (isinstance(tool, dict) and tool.get("type") == "function"):
        return 'is no object of type "function"'
    function = _function(tool) if wrapped else tool
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        return 'has no function with a "name"'
    if not NAME.fullmatch(function["name"]):
        return f"the name {function['name']!r:.70} is not made of at most 64 letters, digits, _ and -"
    if not isinstance(function.get("parameters", {}), dict):
        return '"parameters" is no JSON schema'
    return None


def _call_problem(call: object) -> str | None:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str) or call.get("type") != "function":
        return f'{call!r:.60} lacks "id" or "type": "function"'
    return _function_problem(call.get("function"))


def _function_problem(function: object) -> str | None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return f'{function!r:.60} has no "name"'
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        return f"the arguments of {function['name']} are a {type(arguments).__name__}, not a text"
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return f"the arguments of {function['name']} are no JSON: {arguments!r:.40}"
    return None


def _function(tool: object) -> Any:
    return tool.get("function") if isinstance(tool, dict) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
