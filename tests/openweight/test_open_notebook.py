"""Notebook 07's cell for an open-weight model: a tiny one, behind a real service, trained and asked on a few rows."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.classification import classify
from helpers.formatting import completion_row
from helpers.jobs import create_or_reuse, follow, upload
from helpers.scoring import accuracy, interval, mcnemar
from tests.openweight.served import Served
from tests.openweight.tiny_open import tiny_open
from tools.notebooks import NOTEBOOKS

NAME = "mine"
ROWS = 16  # of each file
LABELS = ["yes", "no"]


def cells() -> list[str]:
    content = json.loads((NOTEBOOKS / "07_claims.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


def function(name: str) -> str:
    """The source of a function that the notebook defines."""
    trees = [ast.parse(cell) for cell in cells() if f"def {name}(" in cell]
    [found] = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return ast.unparse(found)


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the notebook has made by the time it comes to the cell, with few rows."""
    monkeypatch.chdir(NOTEBOOKS)
    values: dict[str, Any] = {"LABELS": LABELS, "SIZE": ROWS, "TESTS": ["test", "hard", "handwritten"]}
    exec(next(cell for cell in cells() if "NAMES = [" in cell), values)
    values["data"] = {name: table[:ROWS] for name, table in values["data"].items()}
    for name in ("claim", "split", "beats"):
        exec(function(name), values)
    base = tiny_open(tmp_path / "base", max_position_embeddings=1024)
    served = Served(tmp_path / "state", "--base", f"{NAME}={base}")
    try:
        values["client"] = served.client
        yield values
    finally:
        served.stop()


def test_the_cell_repeats_job_and_test_on_the_named_model(values: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    prompts = {name: [values["claim"](row) for row in table.itertuples()] for name, table in values["data"].items()}
    rows = [completion_row(prompt, label) for prompt, label in zip(prompts["train"], values["data"]["train"]["supported"])]
    files = {ROWS: upload(values["client"], rows, "claims.jsonl")}
    said = {"tuned": {name: ["yes"] * ROWS for name in values["TESTS"]}}
    tables: dict[str, pd.DataFrame] = {}
    helpers = {f.__name__: f for f in (accuracy, classify, create_or_reuse, follow, interval, mcnemar)}
    every = [prompt for name in values["TESTS"] for prompt in prompts[name]]
    values |= {**helpers, "files": files, "said": said, "tables": tables, "results": {}, "every": every}
    [cell] = [cell for cell in cells() if "OPEN_MODEL = " in cell]
    exec(cell.replace('OPEN_MODEL = ""', f'OPEN_MODEL = "{NAME}"'), values)
    assert values["larger"].fine_tuned_model.startswith(f"ft:{NAME}:") and values["larger"].status == "succeeded"
    assert {name: len(given) for name, given in said["larger"].items()} == dict.fromkeys(values["TESTS"], ROWS)
    assert len(tables["larger"]) == len(every)
    shown = capsys.readouterr().out
    assert all(f"{name:12} {values['results']['larger'][name]}" in shown for name in values["TESTS"])
