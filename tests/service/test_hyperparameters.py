"""The rules behind "auto"."""

from __future__ import annotations

import pytest

from localtune.jobs.hyperparameters import auto_batch_size, auto_epochs, resolve, trained_part


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 25), (10, 10), (20, 5), (33, 3), (80, 3), (8_333, 3), (10_000, 2), (100_000, 1)]
)
def test_epochs(examples: int, epochs: int) -> None:
    assert auto_epochs(examples) == epochs


@pytest.mark.parametrize(("examples", "size"), [(1, 1), (100, 1), (101, 2), (294, 3), (500, 5), (1_600, 16), (9_999, 16)])
def test_batch_size(examples: int, size: int) -> None:
    assert auto_batch_size(examples) == size


@pytest.mark.parametrize(("examples", "part"), [(1, "upper half"), (99, "upper half"), (100, "layers"), (9_999, "layers")])
def test_what_a_job_changes(examples: int, part: str) -> None:
    assert trained_part(examples) == part


def test_only_auto_is_replaced() -> None:
    asked = {"n_epochs": "auto", "batch_size": 7, "learning_rate_multiplier": 0.3}
    assert resolve(asked, 10) == {"n_epochs": 10, "batch_size": 7, "learning_rate_multiplier": 0.3}
