"""How the removed tool read and wrote files: with pandas' defaults, surprises included (`Mistakes.careless_reading`)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers.preparation.findings import PreparationError
from helpers.preparation.reading import Reading


def read_as_before(path: str | Path) -> Reading:
    """Reads as `openai==0.28.1` did: "NA", "None", "null" in tables become empty texts, a JSON null the text "None"."""
    path = Path(path)
    kind = path.suffix.lower()
    try:
        if kind in (".csv", ".tsv"):
            table = pd.read_csv(path, sep="," if kind == ".csv" else "\t", dtype=str)
        elif kind == ".xlsx":
            table = pd.read_excel(path, dtype=str)
        elif kind == ".txt":
            lines = path.read_text(encoding="utf-8").split("\n")
            table = pd.DataFrame({"prompt": "", "completion": lines}, dtype=str)
        else:
            return _json_as_before(path)
    except (ValueError, TypeError, OSError) as error:
        raise PreparationError(f"{path}: not valid {kind.lstrip('.').upper()} ({error})") from error
    return Reading(table.fillna(""))


def _json_as_before(path: Path) -> Reading:
    """Tries JSON lines first; a single row is taken for a whole JSON document."""
    try:
        table = pd.read_json(path, lines=True, dtype=str)
        lines = len(table) != 1
    except ValueError:
        if path.suffix.lower() == ".jsonl":
            raise
        lines = False
    if not lines:
        table = pd.read_json(path, dtype=str)
    return Reading(table.fillna(""), converted=lines != (path.suffix.lower() == ".jsonl"))


def write_as_before(path: Path, table: pd.DataFrame) -> None:
    """Writes as the old tool did: slashes come out as `\\/`, which JSON allows and means the same."""
    table.to_json(path, lines=True, orient="records", force_ascii=False)
