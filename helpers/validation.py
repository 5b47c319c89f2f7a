"""The first look at a training file: every problem at once, each with its line, a rule id and a fix.

A provider reports one problem per attempt, sometimes minutes after the upload. `validate` finds what would be refused
("error"), what would train but probably not as meant ("warning"), and what is good to know ("info").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.tokens import count_row, example_limit

MIN_EXAMPLES, RECOMMENDED_EXAMPLES = 10, 50
MAX_FILE_BYTES, MAX_LINE_BYTES = 512 * 1024**2, 16 * 1024**2
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal"}
CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
TOOL_KEYS = {"tools", "parallel_tool_calls", "functions", "tool_calls", "function_call", "refusal"}
PREFERENCE_KEYS = {"input", "preferred_completion", "non_preferred_completion"}

RULES: dict[str, tuple[str, str]] = {
    "wrong_extension": ("error", "rename the file: its name must end in .jsonl"),
    "file_too_large": ("error", "split the file, or leave examples out: 512 MB is the limit"),
    "empty_file": ("error", "write one JSON object per line"),
    "too_few_examples": ("error", "add examples: at least 10 are demanded"),
    "few_examples": ("info", "50 to 100 good examples are a sensible start"),
    "mixed_formats": ("error", "use one form in the whole file: all chat, or all prompt/completion"),
    "byte_order_mark": ("error", "save the file as UTF-8 without BOM"),
    "not_utf8": ("error", "save the file as UTF-8"),
    "line_too_large": ("error", "shorten the example: 16 MB is the limit"),
    "blank_line": ("error", "delete the empty line"),
    "invalid_json": ("error", "write the row with json.dumps instead of by hand: quotes, commas, one object per line"),
    "not_an_object": ("error", 'the line must be an object: {"messages": [...]}'),
    "unexpected_format": ("error", 'the keys must be "messages", or "prompt" and "completion"'),
    "preference_format": ("error", 'preference pairs need a job with method type "dpo"'),
    "extra_key": ("error", "remove the key"),
    "missing_messages_list": ("error", '"messages" must be a list with at least one message'),
    "data_type": ("error", 'every message must be an object: {"role": ..., "content": ...}'),
    "message_missing_key": ("error", 'give every message a "role"'),
    "unrecognized_role": ("error", f"use one of {', '.join(ROLES)}"),
    "message_unrecognized_key": ("error", "remove the key from the message"),
    "missing_content": ("error", 'give the message a "content" text; only a tool call may do without'),
    "bad_name": ("error", '"name" must be a text'),
    "bad_weight": ("error", '"weight" is 0 (not learnt) or 1, and only on assistant messages'),
    "tool_call_id": ("error", 'a tool message needs the "tool_call_id" it answers'),
    "example_missing_assistant_message": ("error", "add the answer the model shall learn, with role assistant"),
    "nothing_learnt": ("error", "leave weight 1 on at least one assistant message"),
    "last_not_assistant": ("warning", "end the example with the assistant's answer; what follows it is never learnt"),
    "late_system_message": ("warning", "put the system message first, where it stands in use"),
    "empty_answer": ("warning", "remove the example, or write the answer: the model would learn to say nothing"),
    "prompt_type": ("error", '"prompt" must be a text (it may be empty)'),
    "completion_type": ("error", '"completion" must be a text'),
    "empty_completion": ("error", "remove the example, or write the completion"),
    "lone_surrogate": ("error", "a character was cut in half: repair the text, usually an emoji, at its source"),
    "not_local": ("warning", "a provider may take it; the local service trains on plain texts only and refuses it"),
    "duplicate_example": ("warning", "keep one copy: repeated examples count double and may leak into the test set"),
    "too_long": ("warning", "shorten or split the example: the end is cut off, and with it the answer"),
}
Finding = tuple[str, str]  # rule id, what was found


def validate(
    source: str | Path | Iterable[Mapping[str, Any]], model: str | None = None, training: bool = True
) -> pd.DataFrame:
    """All findings of a training file or of rows: columns line, rule, severity, what, fix; empty if all is well.

    `line` counts from 1, 0 is the file as a whole. With `model` examples are measured against its training limit; with
    `training=False` it is a validation file, which may be small. The file is read line by line; only a short hash of
    each line is kept in memory.
    """
    findings: list[tuple[int, str, str]] = []
    kinds: set[str] = set()
    seen: dict[bytes, int] = {}
    lines, limit = 0, example_limit(model) if model else None
    for number, raw in _numbered(source):
        lines += 1
        row, problems = _parse(raw, number)
        if row is not None:
            kinds.add(_kind(row))
            problems += [*_example(row), *_repeated(row, number, seen)]
            problems += [] if _refused(problems) else _length(row, model, limit)
        findings += [(number, *problem) for problem in problems]
    findings = [(0, *problem) for problem in _whole(source, lines, kinds, training)] + findings
    rows = [(line, rule, RULES[rule][0], what, RULES[rule][1]) for line, rule, what in findings]
    return pd.DataFrame(rows, columns=["line", "rule", "severity", "what", "fix"])


def is_accepted(findings: pd.DataFrame) -> bool:
    """True if no finding is an error, so that a provider should take the file."""
    return not (findings["severity"] == "error").any()


def _numbered(source: str | Path | Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; empty lines at the end are no lines."""
    empty: list[tuple[int, bytes]] = []
    for number, line in enumerate(_lines(source), start=1):
        if line.strip():
            yield from empty
            empty = []
            yield number, line
        else:
            empty.append((number, b""))


def _lines(source: str | Path | Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    if not isinstance(source, (str, Path)):
        yield from (json.dumps(row).encode() for row in source)
        return
    with Path(source).open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            yield line
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):  # skip the rest of a huge line
                line = file.readline(MAX_LINE_BYTES + 1)


def _whole(source: object, examples: int, kinds: set[str], training: bool) -> Iterator[Finding]:
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.suffix.lower() != ".jsonl":
            yield "wrong_extension", f"the file is called {path.name}"
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            yield "file_too_large", f"{size / 1024**2:.0f} MB"
    if examples == 0:
        yield "empty_file", "there is no example"
    elif training and examples < MIN_EXAMPLES:
        yield "too_few_examples", f"{examples} example(s)"
    elif training and examples < RECOMMENDED_EXAMPLES:
        yield "few_examples", f"{examples} examples"
    if len(kinds - {"unknown"}) > 1:
        yield "mixed_formats", " and ".join(sorted(kinds - {"unknown"}))


def _parse(raw: bytes, number: int) -> tuple[dict[str, Any] | None, list[Finding]]:
    if number == 1 and raw.startswith(b"\xef\xbb\xbf"):
        return None, [("byte_order_mark", "the file starts with a byte order mark")]
    if len(raw) > MAX_LINE_BYTES:
        return None, [("line_too_large", f"the line starts with {raw[:40].decode('utf-8', 'replace')!r}")]
    if not raw.strip():
        return None, [("blank_line", "the line is empty")]
    try:
        row = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        return None, [("not_utf8", f"byte {error.start} is not UTF-8")]
    except (ValueError, RecursionError) as error:
        return None, [("invalid_json", f"{error}; the line starts with {raw[:40].decode('utf-8', 'replace')!r}")]
    if not isinstance(row, dict):
        return None, [("not_an_object", f"the line is a {type(row).__name__}")]
    return row, []


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _kind(row: dict[str, Any]) -> str:
    if "messages" in row:
        return "chat"
    if PREFERENCE_KEYS & row.keys():
        return "preference"
    return "prompt/completion" if {"prompt", "completion"} & row.keys() else "unknown"


def _example(row: dict[str, Any]) -> list[Finding]:
    checks: dict[str, Callable[[dict[str, Any]], Iterator[Finding]]] = {"chat": _chat, "prompt/completion": _completion}
    if (kind := _kind(row)) in checks:
        return [*checks[kind](row), *_text_only(row)]
    rule = "preference_format" if kind == "preference" else "unexpected_format"
    return [(rule, f"the keys are {', '.join(map(repr, row)) or 'none'}")]


def _text_only(row: dict[str, Any]) -> Iterator[Finding]:
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        yield "lone_surrogate", f"the text contains {error.object[error.start]!r}"
    messages = row.get("messages")
    messages = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    if keys := sorted(TOOL_KEYS & {key for part in (row, *messages) for key in part}):
        yield "not_local", f"uses {', '.join(keys)}"
    if any(isinstance(message.get("content"), list) for message in messages):
        yield "not_local", "a content is a list of parts"


def _completion(row: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(row.keys() - {"prompt", "completion"}):
        yield "extra_key", f"extra {key!r}"
    for key in ("prompt", "completion"):
        if not isinstance(row.get(key), str):
            yield f"{key}_type", f"{key!r} is {type(row[key]).__name__}" if key in row else f"{key!r} is missing"
    if row.get("completion") == "":
        yield "empty_completion", "the completion is empty"


def _chat(row: dict[str, Any]) -> Iterator[Finding]:
    for key in sorted(row.keys() - CHAT_KEYS):
        yield "extra_key", f"extra {key!r}"
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        yield "missing_messages_list", f'"messages" is {messages!r:.40}'
        return
    for number, message in enumerate(messages, start=1):
        for rule, what in _message(message):
            yield rule, f"message {number}: {what}"
    yield from _conversation([m for m in messages if isinstance(m, dict)])


def _message(message: Any) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield "data_type", f"is a {type(message).__name__}"
        return
    role = message.get("role")
    if "role" not in message:
        yield "message_missing_key", 'has no "role"'
    elif role not in ROLES:
        yield "unrecognized_role", f"role is {role!r}"
    for key in sorted(message.keys() - MESSAGE_KEYS):
        yield "message_unrecognized_key", f"key {key!r}"
    yield from _content(message, role)
    if not isinstance(message.get("name", ""), str):
        yield "bad_name", f"name is {message['name']!r:.40}"
    weight = message.get("weight", 1)
    if "weight" in message and (role != "assistant" or type(weight) is not int or weight not in (0, 1)):
        yield "bad_weight", f"weight {weight!r:.40} on a message of role {role!r}"
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        yield "tool_call_id", 'has no "tool_call_id"'


def _content(message: dict[str, Any], role: object) -> Iterator[Finding]:
    content, calls = message.get("content"), message.get("tool_calls") or message.get("function_call")
    if content is None and role == "assistant" and (calls or message.get("refusal")):
        return
    if not isinstance(content, (str, list)):
        yield "missing_content", f"content is {content!r:.40}" if "content" in message else 'has no "content"'
    elif role == "assistant" and not calls and not (content.strip() if isinstance(content, str) else content):
        yield "empty_answer", "the answer is empty"


def _conversation(messages: list[dict[str, Any]]) -> Iterator[Finding]:
    roles = [message.get("role") for message in messages]
    answers = [message for message in messages if message.get("role") == "assistant"]
    if not answers:
        yield "example_missing_assistant_message", f"the roles are {', '.join(map(str, roles))}"
    elif all(message.get("weight") == 0 for message in answers):
        yield "nothing_learnt", "every assistant message has weight 0"
    elif roles[-1] != "assistant":
        yield "last_not_assistant", f"the last message is of role {roles[-1]}"
    if "system" in roles[1:]:
        yield "late_system_message", f"a system message is number {roles.index('system', 1) + 1}"


def _repeated(row: dict[str, Any], number: int, seen: dict[bytes, int]) -> list[Finding]:
    digest = hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=8).digest()
    first = seen.setdefault(digest, number)
    return [] if first == number else [("duplicate_example", f"the same as line {first}")]


def _refused(problems: list[Finding]) -> bool:
    return any(RULES[rule][0] == "error" for rule, _ in problems)


def _length(row: dict[str, Any], model: str | None, limit: int | None) -> list[Finding]:
    if model is None or limit is None or (tokens := count_row(row, model)) <= limit:
        return []
    return [("too_long", f"{tokens:,} tokens, the limit is {limit:,}")]
