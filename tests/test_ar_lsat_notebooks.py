"""The data steps of notebooks 02 and 03 on files in AR-LSAT's form, made up here, and on the real ones where they are.

That the notebooks run on the course's own games is what executing them shows.
"""
from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from helpers import ar_lsat
from tools.notebooks import NOTEBOOKS

REAL = os.environ.get(ar_lsat.FOLDER_SETTING)
SIZES = {"train": 240, "validation": 60, "test": 80}
A_PASSAGE = 4  # questions


def public_files(folder: Path) -> Path:
    """The course's games as if four questions shared a passage; the first of them has four options where that can be."""
    for split, name in ar_lsat.FILES.items():
        frame = getattr(ar_lsat.load(), split)[: SIZES[split]]
        games = [frame[start : start + A_PASSAGE].to_dict("records") for start in range(0, len(frame), A_PASSAGE)]
        content = [{"id": game[0]["id"], "passage": game[0]["passage"],
                    "questions": [shortened(n, row) for n, row in enumerate(game)]} for game in games]
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def shortened(number: int, row: dict[str, Any]) -> dict[str, Any]:
    options = row["options"][:4] if number == 0 and row["answer"] != "E" else row["options"]
    return {"id": row["id"], "question": row["question"], "options": options, "answer": row["answer"]}


def code_cells(name: str) -> list[str]:
    cells = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture(params=["made up", *(["real"] if REAL else [])])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv(ar_lsat.FOLDER_SETTING, raising=False)
    chosen = str(REAL) if request.param == "real" else str(public_files(tmp_path))
    monkeypatch.setenv(ar_lsat.FOLDER_SETTING, chosen)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    return chosen


def test_notebook_02_runs_on_ar_lsat(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, Any] = {}
    cells = code_cells("02_ar_lsat_data.ipynb")
    for cell in cells[:-1]:  # the last one removes the files
        exec(cell, values)
    said = capsys.readouterr().out
    assert values["data"].source == "AR-LSAT, from a folder" and "0 passages in common" in said
    assert f"{len(values['data'].train) / values['shuffled'].nunique():.1f} questions per passage" in said
    leaked = re.search(r"(\d+)% of the questions put aside", said)
    assert leaked and int(leaked[1]) > 80, "the careless shuffle leaks nothing"
    lines = (tmp_path / "work" / "ar_lsat_train.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(values["data"].train) and set(json.loads(lines[0])) == {"messages"}
    exec(cells[-1], values)
    assert not list((tmp_path / "work").iterdir())


def test_notebook_03_takes_its_subset_from_ar_lsat(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.connect.connect", lambda: None)
    values: dict[str, Any] = {}
    for cell in code_cells("03_ar_lsat_training.ipynb"):
        if "upload(" in cell:
            break
        exec(cell, values)
    chosen, held_out, exam, data = (values[name] for name in ("chosen", "held_out", "exam", "data"))
    assert 45 <= len(chosen) < 55 and 40 <= len(held_out) < 50
    assert min(150, len(data.test)) <= len(exam) < 160
    left = data.train[~data.train["id"].isin(chosen["id"])]
    assert not set(chosen["passage"].map(ar_lsat.same_text)) & set(left["passage"].map(ar_lsat.same_text))
