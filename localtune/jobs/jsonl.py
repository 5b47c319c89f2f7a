"""Reading JSONL in constant memory, with the number of the line that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

START_SHOWN = 20  # characters


class BadLine(Exception):
    """Line `number` is no JSON dictionary: why, and how it starts."""

    def __init__(self, number: int, reason: str, line: bytes) -> None:
        super().__init__(reason)
        self.number, self.reason = number, reason
        self.start = line[: 4 * START_SHOWN].decode("utf-8", "replace").strip()[:START_SHOWN]


class LongLine(BadLine):
    """A line beyond the limit."""


def dictionaries(file: BinaryIO, max_line_bytes: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and dictionary of every line; blank lines may only stand at the end. Raises BadLine."""
    blank = 0
    for number, line in enumerate(iter(lambda: file.readline(max_line_bytes + 1), b""), start=1):
        if not line.strip():
            blank = blank or number
            continue
        if blank:
            raise BadLine(blank, "line is blank", b"")
        if len(line) > max_line_bytes:
            raise LongLine(number, f"line is longer than {max_line_bytes} bytes", line)
        yield number, dictionary(number, line)


def dictionary(number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise BadLine(number, f"line is not UTF-8: {error.reason} at byte {error.start}", line) from None
    except json.JSONDecodeError as error:
        raise BadLine(number, f"line contains invalid json: {error}", line) from None
    except (ValueError, RecursionError) as error:
        raise BadLine(number, f"line contains invalid json: {error}", line) from None
    if not isinstance(value, dict):
        raise BadLine(number, "line is not a dictionary", line)
    return value


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
