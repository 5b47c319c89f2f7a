"""Reads CSV, TSV, XLSX, JSON, JSONL and TXT into one form: a table of texts, indexed by the example's place in the file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from helpers.preparation.findings import PreparationError

csv.field_size_limit(2**30)


@dataclass(frozen=True)
class Reading:
    """What a file holds: its table (texts only), what is odd about the file, and whether it must be converted."""

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    converted: bool = True


def read_table(path: str | Path) -> Reading:
    """Reads a file by its extension. Raises PreparationError with the place and the cure if that fails."""
    path = Path(path)
    if not path.is_file():
        raise PreparationError(f"{path}: there is no such file; check the name and the folder")
    if path.suffix.lower() not in READERS:
        raise PreparationError(f"{path}: {path.suffix or 'no extension'} is not known; save as one of {', '.join(READERS)}")
    reading = READERS[path.suffix.lower()](path)
    if reading.table.empty:
        raise PreparationError(f"{path}: there is no example in the file; write at least one")
    if "messages" in reading.table.columns and "prompt" not in reading.table.columns:
        raise PreparationError(f"{path}: these are chat examples already; check them with helpers.validation.validate")
    return reading


def _text(path: Path) -> str:
    """The file as text; a byte order mark is taken off, line ends become line feeds."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PreparationError(f"{path}: the file is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        raise PreparationError(
            f"{path}, line {data.count(bytes([10]), 0, error.start) + 1}, byte {error.start - start + 1}: "
            f"0x{data[error.start]:02x} is not UTF-8 (in Windows-1252 it is "
            f"{data[error.start:error.start + 1].decode('cp1252', 'replace')!r}); save the file as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _table(path: Path, header: list[str], rows: list[list[str]]) -> pd.DataFrame:
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise PreparationError(f"{path}: two columns are called {repeated[0]!r}; rename or delete one")
    return pd.DataFrame(rows, columns=header, dtype=object)


def _separated(path: Path, delimiter: str) -> Reading:
    """A table with a header line; text in quotes may hold delimiters and line breaks."""
    lines = csv.reader(io.StringIO(_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        header, rows = next(lines, []), []
        if len(header) == 1 and (other := next((mark for mark in ";,\t|" if mark != delimiter and mark in header[0]), None)):
            raise PreparationError(f"{path}: its columns are separated by {other!r}, but by its name they should be by "
                                   f"{delimiter!r}; save it anew, with commas as .csv or with tabs as .tsv")
        for row in lines:
            if row and len(row) != len(header):
                _ragged(path, lines.line_num, row, header)
            rows += [row] if row else []
    except csv.Error as error:
        cure = "close every quotation mark, double those inside"
        raise PreparationError(f"{path}, line {lines.line_num}: {error}; {cure}") from error
    return Reading(_table(path, header, rows))


def _ragged(path: Path, line: int, row: list[str], header: list[str]) -> NoReturn:
    raise PreparationError(f"{path}, line {line}: {len(row)} fields, but the header has {len(header)} ({', '.join(header)}); "
                           "put texts that contain the delimiter in quotation marks")


def _excel(path: Path) -> Reading:
    """The first sheet, its first row being the header; numbers, dates and truth values become texts."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError) as error:
        raise PreparationError(f"{path}: this is no Excel workbook ({error}); save it as .xlsx, or as CSV") from error
    try:
        rows = [[_cell(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        names = book.sheetnames
    finally:
        book.close()
    notes = (f"only the first of {len(names)} sheets is read: {names[0]!r}",) if len(names) > 1 else ()
    rows = [row for row in rows if any(row)]
    return Reading(_table(path, *_without_empty_columns(rows)), notes)


def _without_empty_columns(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    columns = [column for column in zip_longest(*rows, fillvalue="") if any(column)]
    kept = [list(row) for row in zip(*columns)]
    return (kept[0], kept[1:]) if kept else ([], [])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time.min:  # a date without a time is read as its midnight
        value = value.date()
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _lines_of_text(path: Path) -> Reading:
    """Every line is a completion with an empty prompt."""
    lines = _text(path).removesuffix("\n").split("\n")
    return Reading(_table(path, ["prompt", "completion"], [["", line] for line in lines] if any(lines) else []))


def _json_lines(path: Path) -> Reading:
    text = _text(path)
    if text.lstrip().startswith("["):
        return Reading(_objects(path, _parsed(path, text, 1)), ("the file is called .jsonl, but holds one JSON list",))
    return Reading(_objects(path, [*_rows_of(path, text)]), converted=False)


def _json(path: Path) -> Reading:
    text = _text(path)
    first = text.strip().split("\n", 1)[0]
    if first.startswith("{") and first.endswith("}") and "\n" in text.strip():
        return Reading(_objects(path, [*_rows_of(path, text)]), ("the file is called .json, but holds JSON lines",))
    parsed = _parsed(path, text, 1) if text.strip() else []
    return Reading(_objects(path, parsed))


def _rows_of(path: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _parsed(path, line, number)


def _parsed(path: Path, text: str, first_line: int) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_repeated_key, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"{path}, line {first_line + error.lineno - 1}, column {error.colno}"
        raise PreparationError(f"{place}: {error.msg}; write rows with json.dumps instead of by hand") from error
    except (ValueError, RecursionError) as error:
        raise PreparationError(f"{path}, in the JSON that starts in line {first_line}: {error}") from error


def _no_repeated_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if repeated := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"the key {repeated[0]!r} stands twice in one object; delete one")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write a text or a number")


def _objects(path: Path, parsed: Any) -> pd.DataFrame:
    """A list of objects, or one object of equally long lists (a column each)."""
    if isinstance(parsed, dict):
        parsed = _from_columns(path, parsed)
    if not isinstance(parsed, list):
        raise PreparationError(f'{path}: a list of objects is wanted: [{{"prompt": …, "completion": …}}, …]')
    for number, row in enumerate(parsed, start=1):
        if not isinstance(row, dict):
            raise PreparationError(f'{path}, example {number} is no object; write {{"prompt": …, "completion": …}}')
    header = list(dict.fromkeys(key for row in parsed for key in row))
    rows = [[_value(path, number, key, row.get(key)) for key in header] for number, row in enumerate(parsed, start=1)]
    return _table(path, header, rows)


def _from_columns(path: Path, columns: dict[str, Any]) -> list[dict[str, Any]]:
    lists = {key: list(value.values()) if isinstance(value, dict) else value for key, value in columns.items()}
    if not all(isinstance(value, list) for value in lists.values()):
        return [columns]
    if len({len(value) for value in lists.values()}) > 1:
        raise PreparationError(f"{path}: the columns are of different length: {({key: len(v) for key, v in lists.items()})}")
    return [dict(zip(lists, row)) for row in zip(*lists.values())]


def _value(path: Path, number: int, key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)) and key.lower() in ("prompt", "completion"):
        raise PreparationError(f"{path}, example {number}: {key!r} is a {type(value).__name__}; write a text")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


READERS: dict[str, Callable[[Path], Reading]] = {
    ".csv": lambda path: _separated(path, ","),
    ".tsv": lambda path: _separated(path, "\t"),
    ".xlsx": _excel,
    ".json": _json,
    ".jsonl": _json_lines,
    ".txt": _lines_of_text,
}
