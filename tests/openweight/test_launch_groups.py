"""An open-weight model trained by two processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.openweight.open_jobs import ROWS, last_model, open_spec
from tests.openweight.tiny_open import tiny_open
from tests.train.grouped import curve, run_grouped
from tests.train.jobs import chat, run_job

UNEVEN = [*ROWS[:5], *(chat(f"Why {n}?", "because " * (2 * n + 1)) for n in range(5))]


def test_two_processes_give_the_losses_and_the_adapter_of_one(tmp_path: Path) -> None:
    base = tiny_open(tmp_path / "base")
    one, two = (open_spec(tmp_path / name, base, UNEVEN) for name in ("one", "two"))
    expected, (lines, status) = run_job(one), run_grouped(two)
    assert status == 0 and lines[0]["trained"].startswith("lora of rank 16")
    assert curve(lines, "train_loss") == pytest.approx(curve(expected, "train_loss"), abs=1e-5)
    adapters = [load_file(last_model(spec) / "adapter_model.safetensors") for spec in (one, two)]
    assert max((adapters[1][name] - tensor).abs().max().item() for name, tensor in adapters[0].items()) < 1e-3
