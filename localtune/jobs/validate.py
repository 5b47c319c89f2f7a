"""Is this a training file? Checked line by line inside the job; the first thing wrong ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from localtune.config import Settings
from localtune.jobs.jsonl import BadLine, dictionaries

Use = Literal["training", "validation"]
Format = Literal["chat", "completion"]
MIN_TRAINING_EXAMPLES = 10
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MESSAGE_KEYS = {"role", "content", "name", "weight", "tool_call_id"}
TOOL_KEYS = {"tools", "parallel_tool_calls", "functions", "tool_calls", "function_call"}


class InvalidFile(Exception):
    """Why the job fails: the fields of `job.error`."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


class Problem(Exception):
    """What is wrong with one line; `format_error`: a key too much or too few has an error code of its own."""

    def __init__(self, message: str, format_error: bool = False) -> None:
        super().__init__(message)
        self.format_error = format_error


@dataclass(frozen=True)
class Checked:
    """A usable file."""

    format: Format
    n_examples: int


def validate(path: Path, use: Use, file_id: str, max_line_bytes: int = Settings.max_line_bytes) -> Checked:
    """Read the whole file in constant memory; raises InvalidFile."""
    checked: Checked | None = None
    try:
        with path.open("rb") as file:
            for number, line in dictionaries(file, max_line_bytes):
                found = line_format(number, line, file_id)
                same_format(number, found, checked)
                CHECKS[found](number, line)
                checked = Checked(found, number)
    except BadLine as error:
        raise invalid(use, f"Example {error.number} cannot be parsed. Error: {error.reason} (line {error.number})")
    except Problem as problem:
        raise format_error(use, str(problem)) if problem.format_error else invalid(use, str(problem))
    return enough(checked, use)


def enough(checked: Checked | None, use: Use) -> Checked:
    count, needed = checked.n_examples if checked else 0, MIN_TRAINING_EXAMPLES if use == "training" else 1
    if checked is None or count < needed:
        message = f"{use.capitalize()} file has {count} example(s), but must have at least {needed} examples"
        raise InvalidFile("invalid_n_examples", message, f"{use}_file")
    return checked


def check_same(training: Checked, validation: Checked) -> None:
    """Both files of a job must have one format; raises InvalidFile."""
    if training.format != validation.format:
        raise invalid(
            "validation",
            f"The validation file is in the {NAMES[validation.format]} format, but the training file is in the "
            f"{NAMES[training.format]} format.",
        )


def invalid(use: Use, detail: str) -> InvalidFile:
    kept = detail if detail.startswith("Unexpected") else f"Invalid file format. {detail}"
    return InvalidFile(f"invalid_{use}_file", f"The job failed due to an invalid {use} file. {kept}", f"{use}_file")


def format_error(use: Use, detail: str) -> InvalidFile:
    message = f"The job failed due to a file format error in the {use} file. Invalid file format. {detail}"
    return InvalidFile("invalid_file_format", message, f"{use}_file")


def line_format(number: int, line: Mapping[str, Any], file_id: str) -> Format:
    if "messages" in line:
        return "chat"
    if "prompt" in line or "completion" in line:
        return "completion"
    if "input" in line:
        raise Problem(
            f"Input file {file_id} is in the fine-tune-preference format, but the specified fine-tuning job is not "
            "using 'dpo' as the training method (provided method=supervised)."
        )
    raise Problem(
        f"Unexpected file format, expected either prompt/completion pairs or chat messages. (line {number})"
    )


def same_format(number: int, found: Format, before: Checked | None) -> None:
    if before is not None and found != before.format:
        raise Problem(
            f"Example {number} is in the {NAMES[found]} format, but the examples before it are in the "
            f"{NAMES[before.format]} format."
        )


def check_completion(number: int, line: Mapping[str, Any]) -> None:
    known_keys(f"Example {number}", line, {"prompt", "completion"})
    for key in ("prompt", "completion"):
        if key not in line:
            raise Problem(f"Example {number} is missing key '{key}'.", format_error=True)
        check_text(f'Line {number}, key "{key}"', line[key])
    if not line["completion"]:
        raise Problem(f'Line {number}, key "completion": must not be empty.')


def check_chat(number: int, line: Mapping[str, Any]) -> None:
    known_keys(f"Example {number}", line, {"messages"})
    messages, where = line["messages"], f'Line {number}, key "messages"'
    if not isinstance(messages, list):
        raise Problem(f"{where}: must be a list, not {json_type(messages)}.")
    if not messages:
        raise Problem(f"{where}: must not be empty.")
    for position, message in enumerate(messages, start=1):
        check_message(f"Example {number}, message {position}", message)
    assistant = [message for message in messages if message["role"] == "assistant"]
    if not assistant:
        raise Problem(f"{where}: At least one message must be from the assistant.")
    if all(message.get("weight") == 0 for message in assistant):
        raise Problem(f"{where}: At least one assistant message must have a weight of 1.")


def check_message(where: str, message: object) -> None:
    if not isinstance(message, dict):
        raise Problem(f"{where} must be a dictionary, not {json_type(message)}.")
    check_role(where, message)
    known_keys(where, message, MESSAGE_KEYS)
    if "content" not in message:
        raise Problem(f"{where} is missing key 'content'.")
    check_text(f'{where}, key "content"', message["content"])
    if "name" in message:
        check_text(f'{where}, key "name"', message["name"])
    check_weight(where, message)


def check_role(where: str, message: Mapping[str, Any]) -> None:
    if "role" not in message:
        raise Problem(f"{where} Discriminator 'role' is missing in value")
    if message["role"] not in ROLES:
        allowed = ", ".join(f"'{role}'" for role in ROLES)
        raise Problem(
            f"{where} No match for discriminator 'role' and value {message['role']!r} (allowed values: {allowed})"
        )


def check_weight(where: str, message: Mapping[str, Any]) -> None:
    if "weight" not in message:
        return
    if message["role"] != "assistant":
        raise Problem(f'{where} contains an extra "weight".', format_error=True)
    if type(message["weight"]) is not int or message["weight"] not in (0, 1):
        raise Problem(f'{where}, key "weight": must be 0 or 1, not {message["weight"]!r}.')


def known_keys(where: str, value: Mapping[str, Any], known: set[str]) -> None:
    for key in value:
        if key in TOOL_KEYS:
            raise Problem(f'{where} contains "{key}": the local models cannot be trained on tool calls.', True)
        if key not in known:
            raise Problem(f'{where} contains an extra "{key}".', format_error=True)


def check_text(where: str, value: object) -> None:
    if not isinstance(value, str):
        raise Problem(f"{where}: must be a string, not {json_type(value)}.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem(f"{where}: contains half of a surrogate pair, which is no character.") from None


def json_type(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else names.get(type(value), "a dictionary")


CHECKS: dict[Format, Callable[[int, Mapping[str, Any]], None]] = {"chat": check_chat, "completion": check_completion}
NAMES: dict[Format, str] = {"chat": "chat", "completion": "prompt/completion"}
