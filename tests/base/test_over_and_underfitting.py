"""The two knobs mean what a course says of them: too little learns nothing, too much learns the rows by heart."""

from __future__ import annotations

from pathlib import Path

import pytest

from localtune.base.evaluation.rows import read
from localtune.base.evaluation.tasks import CLAIMS
from localtune.config import DATA
from tests.train.jobs import make_spec, of_type, run_job, write_rows

Losses = dict[str, list[float]]  # at the end of each epoch


def losses(folder: Path, n_epochs: int, multiplier: float) -> Losses:
    """A job of the small base on 40 adverts, with 40 others to validate on."""
    rows = [CLAIMS.line(row) for row in read(DATA / "claims" / "train.csv")]
    folder.mkdir()
    spec = make_spec(
        folder / "job", rows[:40], base=str(DATA / "base" / "small"), n_epochs=n_epochs, batch_size=8,
        learning_rate_multiplier=multiplier, validation_file=write_rows(folder / "validation.jsonl", rows[40:80]),
    )
    steps = of_type(run_job(spec), "metrics")
    ends = [n for n, line in enumerate(steps, start=1) if "full_valid_loss" in line]
    training = [sum(line["train_loss"] for line in steps[end - 5 : end]) / 5 for end in ends]
    return {"training": training, "validation": [steps[end - 1]["full_valid_loss"] for end in ends]}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Losses:
    return losses(tmp_path_factory.mktemp("usual") / "x", 3, 1.0)


def test_too_low_a_rate_learns_little(tmp_path: Path, usual: Losses) -> None:
    slow = losses(tmp_path / "slow", 3, 0.02)
    assert slow["training"][-1] > usual["training"][-1] + 1
    assert slow["validation"][-1] > usual["validation"][-1] + 1


def test_too_few_epochs_learn_less(usual: Losses, tmp_path: Path) -> None:
    assert losses(tmp_path / "short", 1, 1.0)["validation"][-1] > usual["validation"][-1]


@pytest.mark.parametrize(("n_epochs", "multiplier"), [(25, 1.0), (12, 4.0)])
def test_too_much_learns_the_rows_by_heart(tmp_path: Path, n_epochs: int, multiplier: float) -> None:
    long = losses(tmp_path / "long", n_epochs, multiplier)
    assert long["training"][-1] < 0.05
    assert long["validation"][-1] > min(long["validation"]) + 0.3
