"""From bytes to lines and rows: what can be wrong before a row has any meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.validation.findings import Finding
from helpers.validation.rules import MAX_LINE_BYTES

BLOCK = 256 * 1024  # bytes: what is read at once still lies in the processor's cache when it is looked at again
BOM = b"\xef\xbb\xbf"
Block = tuple[int, bytes, list[bytes]]  # number of the first line, the bytes, the lines without their line feeds


def blocks(source: Path | Iterable[Mapping[str, Any]]) -> Iterator[Block]:
    """Whole lines in blocks. Of a line longer than the limit only limit + 1 bytes are kept."""
    number = 1
    for block in _file_blocks(source) if isinstance(source, Path) else _row_blocks(source):
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield number, block, lines
        number += len(lines)


def _file_blocks(path: Path) -> Iterator[bytes]:
    rest = b""
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            end = block.rfind(b"\n") + 1
            if end:
                yield rest + block[:end]
                rest = block[end:]
            elif len(rest) <= MAX_LINE_BYTES:
                rest = (rest + block)[: MAX_LINE_BYTES + 1]
    if rest:
        yield rest


def _row_blocks(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    return (json.dumps(row).encode() + b"\n" for row in rows)


def parse(raw: bytes, number: int) -> tuple[dict[str, Any] | None, list[Finding]]:
    """A line's row, or None with the reason. Slow and exact; `fast.py` spares good lines this way."""
    if number == 1 and raw.startswith(BOM):
        return None, [("byte_order_mark", "the file starts with a byte order mark")]
    if len(raw) >= MAX_LINE_BYTES:
        return None, [("line_too_large", f"the line starts with {_start(raw)}")]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [("not_utf8", _where_not_utf8(raw, error))]
    return _row(text, raw)


def _row(text: str, raw: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    problems: list[Finding] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(items)
        if len(row) < len(items):
            names = [name for name, _ in items]
            twice = sorted({name for name in names if names.count(name) > 1})
            problems.append(("duplicate_key", f"{', '.join(map(repr, twice))} stands there more than once"))
        return row

    def constant(name: str) -> float:
        problems.append(("nan_or_infinity", f"{name} is not JSON"))
        return float(name)

    try:
        row = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        return None, [("invalid_json", f"{error}; the line starts with {_start(raw)}")]
    if not isinstance(row, dict):
        return None, [*problems, ("not_an_object", f"the line is a {type(row).__name__}")]
    return row, problems


def _where_not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file is UTF-16 (it starts with that encoding's mark)"
    return f"byte {error.start + 1} of the line is 0x{raw[error.start]:02x}, which is not UTF-8 here ({error.reason})"


def _start(raw: bytes) -> str:
    return repr(raw[:40].decode("utf-8", "replace"))
