"""Small tables and short calls for the tests of preparation."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from helpers.preparation import Finding, Prepared, prepare


def table(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["prompt", "completion"], dtype=object)


def everything(finding: Finding) -> bool:
    """Accepts every remedy."""
    return True


def quietly(path: Path, **settings: object) -> Prepared:
    return prepare(path, quiet=True, say=lambda line: None, **settings)


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


FACTS = table(*((f"word {i} of the list", f"thing number {i} is here {i}") for i in range(6)))
LABELS = table(*((f"text {i}.", ["positive", "negative"][i % 2]) for i in range(20)))
