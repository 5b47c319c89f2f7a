"""What a finished run leaves: models from its checkpoint folders, the metrics file, a tidy job folder."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from localtune.ids import base_of, model_name
from localtune.store.queue import NewModel

CHECKPOINTS = "checkpoints"
KEPT = 3
COLUMNS = {  # of the result file → of the metrics
    "step": "step", "train_loss": "train_loss", "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss", "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


def new_models(
    job: sqlite3.Row, folder: Path, organisation: str, metrics: Iterable[Mapping[str, Any]]
) -> tuple[NewModel, ...]:
    """The last checkpoints by step, named; the last one is the fine-tuned model itself.

    Read from the folder rather than from the worker's reports: one lost with a killed service is still a checkpoint.
    """
    steps = sorted(int(path.name.removeprefix("step-")) for path in (folder / CHECKPOINTS).glob("step-*"))[-KEPT:]
    by_step = {row["step"]: row for row in metrics}
    models = []
    for step in steps:
        name = model_name(base_of(job["model"]), organisation, job["suffix"])
        if step != steps[-1]:
            name += f":ckpt-step-{step}"
        place = f"jobs/{job['id']}/{CHECKPOINTS}/step-{step}"
        models.append(NewModel(name, place, step, by_step.get(step, {"step": step})))
    return tuple(models)


def metrics_csv(metrics: Iterable[Mapping[str, Any]]) -> bytes:
    """One line per step; blank where nothing was measured."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in metrics:
        writer.writerow(shown(row.get(key)) for key in COLUMNS.values())
    return text.getvalue().encode("utf-8")


def shown(value: float | None) -> float | str:
    return "" if value is None else round(value, 5)


def tidy(folder: Path, status: str | None) -> None:
    """Remove what a finished job no longer needs; an unfinished one keeps all, a failed one nothing."""
    if status in ("failed", "cancelled", None):
        shutil.rmtree(folder, ignore_errors=True)
    elif status == "succeeded":
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()
