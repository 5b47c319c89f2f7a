"""From bytes to lines and rows: what can be wrong before a row has any meaning."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers.validation.findings import Finding
from helpers.validation.marks import Marks
from helpers.validation.rules import MAX_LINE_BYTES

BLOCK = 64 * 1024  # bytes: what is read at once still lies in the processor's cache when it is looked at again
ROWS = 64  # the same for rows in memory
BOM = "\ufeff"
Range = tuple[int, int]  # of bytes: from a line's beginning to another's
Rows = list[Mapping[str, Any]]


class Block(NamedTuple):
    """Whole lines that are looked at together."""

    number: int  # of the first line
    places: Sequence[int]  # of the lines: offsets in the file, or positions among the rows
    data: bytes
    marks: Marks

    @property
    def lines(self) -> list[bytes]:
        """The lines without their line feeds."""
        lines = self.data.split(b"\n")
        return lines if lines[-1] else lines[:-1]


def blocks(source: Path | Rows, part: Range | None = None) -> Iterator[Block]:
    """Lines counted from 1. Of a line longer than the limit only limit + 1 bytes are kept."""
    if not isinstance(source, Path):
        for start in range(0, len(source), ROWS):
            data = b"".join(map(_line, source[start : start + ROWS]))
            yield Block(start + 1, range(start, start + ROWS), data, Marks(data))
        return
    number = 1
    for place, data in _file_blocks(source, part):
        marks = Marks(data)
        yield Block(number, [place, *(place + 1 + marks.ends).tolist()], data, marks)
        number += len(marks.ends) + (not data.endswith(b"\n"))


def line_at(source: Path | Rows, place: int) -> bytes:
    """One line again, at the place that its block named."""
    if not isinstance(source, Path):
        return _line(source[place])
    with source.open("rb") as file:
        file.seek(place)
        return file.readline(MAX_LINE_BYTES).removesuffix(b"\n")


def parts(path: Path, size: int) -> Iterator[Range]:
    """The file in parts of about `size` bytes that end where a line ends."""
    with path.open("rb", buffering=0) as file:
        start, length = 0, file.seek(0, 2)
        while start < length:
            end = _line_end(file, start + size, length)
            yield start, end
            start = end


def _line_end(file: io.FileIO, position: int, length: int) -> int:
    file.seek(position)
    while block := file.read(BLOCK):
        if (at := block.find(b"\n")) >= 0:
            return position + at + 1
        position += len(block)
    return length


def _file_blocks(path: Path, part: Range | None) -> Iterator[tuple[int, bytes]]:
    rest, (start, stop) = b"", part or (0, path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while block := file.read(min(BLOCK, stop - start)):
            start += len(block)
            end = block.rfind(b"\n") + 1
            if end:
                data = b"".join((rest, memoryview(block)[:end]))
                rest = block[end:]
                yield start - len(rest) - len(data), data  # right for all lines but one that was cut
            elif len(rest) <= MAX_LINE_BYTES:
                rest = (rest + block)[: MAX_LINE_BYTES + 1]
    if rest:
        yield start - len(rest), rest


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def parse(raw: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    """A line's row, or None with the reason. Slow and exact: `fast.py` spares good lines."""
    if len(raw) >= MAX_LINE_BYTES:
        return None, [("line_too_large", f"the line starts with {_start(raw)}")]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [("not_utf8", _where_not_utf8(raw, error))]
    if b"\0" in raw:
        return None, [("not_utf8", "the line contains zero bytes, as UTF-16 does")]
    row, problems = _row(text.removeprefix(BOM), raw)
    if text.startswith(BOM):
        problems.insert(0, ("byte_order_mark", "a byte order mark stands before the line"))
    return row, problems


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
        ends = "; it contains a carriage return, which alone ends no line" if b"\r" in raw.rstrip() else ""
        return None, [*problems, ("invalid_json", f"{error}; the line starts with {_start(raw)}{ends}")]
    if not isinstance(row, dict):
        return None, [*problems, ("not_an_object", f"the line is a {type(row).__name__}")]
    return row, problems


def _where_not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file is UTF-16 (it starts with that encoding's mark)"
    return f"byte {error.start + 1} of the line is 0x{raw[error.start]:02x}, which is not UTF-8 here ({error.reason})"


def _start(raw: bytes) -> str:
    return repr(raw[:40].decode("utf-8", "replace"))
