"""Reading the frozen data sets, and drawing from them in a way that never changes."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """Rows of a CSV file with a header, or of JSON lines. Raises FileNotFoundError when there is no such file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)) if path.suffix == ".csv" else [json.loads(line) for line in file]


def drawn(rows: list[Row], n: int | None) -> list[Row]:
    """The same `n` of the rows every time; all of them when there are no more or `n` is None."""
    return rows if n is None or n >= len(rows) else random.Random(0).sample(rows, n)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def stands_in(phrase: str, text: str) -> bool:
    """Whether the phrase occurs on word borders; case and punctuation do not count."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "
