"""Two processes train one job: the numbers of one process, one voice, one end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from localtune.config import Settings
from localtune.jobs.launcher_torchrun import TorchrunLauncher
from localtune.train.errors import JobError
from localtune.train.group import Group, take_gpu
from tests.train.grouped import PATIENCE, curve, run_grouped
from tests.train.jobs import ROWS, chat, make_spec, run_job, write_rows

# Answers of very different lengths, so that a mean of the processes' means would be another number.
UNEVEN = [*ROWS[:5], *(chat(f"Why {n}?", "because " * (3 * n)) for n in range(5))]
METRICS = ("train_loss", "train_mean_token_accuracy", "valid_loss", "full_valid_loss", "full_valid_mean_token_accuracy")


def test_two_processes_give_the_numbers_of_one(tmp_path: Path) -> None:
    """Ten rows in batches of three: the last batch of an epoch has one row, so one of the processes has none."""
    specs = [make_spec(tmp_path / name, UNEVEN) for name in ("one", "two")]
    one, two = (replace(spec, validation_file=write_rows(Path(spec.output) / "valid.jsonl", UNEVEN[3:8])) for spec in specs)
    expected, (lines, status) = run_job(one), run_grouped(two)
    assert status == 0
    assert [(line["type"], line.get("step")) for line in lines] == [(line["type"], line.get("step")) for line in expected]
    for name in METRICS:
        assert curve(lines, name) == pytest.approx(curve(expected, name), abs=1e-5), name
    weights = [load_file(Path(spec.output) / "checkpoints/step-16/model.safetensors") for spec in (one, two)]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, atol=1e-3, rtol=0)  # float16 in the file


def test_a_failure_ends_every_process_with_its_own_words(tmp_path: Path) -> None:
    lines, status = run_grouped(make_spec(tmp_path, learning_rate_multiplier=1e30))
    assert status != 0 and lines[-1]["code"] == "training_diverged"


def test_a_group_of_which_one_process_hangs_is_ended(tmp_path: Path) -> None:
    """The others wait for it, which looks a little like work."""
    spec = make_spec(tmp_path, n_epochs=5_000)
    path = Path(spec.output) / "job.json"
    spec.save(path)
    reason, ranks = asyncio.run(one_stopped(path))
    assert reason == "no message and no computing for 5 s"
    assert len(ranks) == 2 and not psutil.wait_procs(ranks, timeout=PATIENCE)[1]


async def one_stopped(path: Path) -> tuple[str, list[psutil.Process]]:
    """Stop one of two processes once they train; why the group was ended, and who they were."""
    worker, ranks = await TorchrunLauncher(2, hung_after=5.0, silent_after=PATIENCE).start(path), []
    async for batch in worker.messages():
        if batch[-1]["type"] == "metrics" and not ranks:
            ranks = psutil.Process(worker.process.pid).children(recursive=True)
            ranks[-1].suspend()
    await worker.kill()
    return worker.hung, ranks


def test_parts_are_everything_once() -> None:
    for size in (1, 2, 3):
        parts = [Group(rank, size).part("abcd") for rank in range(size)]
        assert sorted("".join(parts)) == list("abcd")
    assert Group(1, 2).part("a") == ""


def test_rounds_are_everything_once_and_as_many_for_all() -> None:
    rounds = [list(Group(rank, 3).rounds("abcd")) for rank in range(3)]
    assert [len(turns) for turns in rounds] == [2, 2, 2]
    assert sorted(item for turns in rounds for item, counts in turns if counts) == list("abcd")


def test_fewer_gpus_than_processes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(JobError, match="--processes 1"):
        take_gpu(0, needed=2)


@pytest.mark.parametrize(("wrong", "reason"), [
    ({"launcher": "slurm"}, "there are local, torchrun, ray"), ({"processes": 2}, "add --launcher torchrun"),
    ({"launcher": "torchrun", "processes": 0}, "more than 0"), ({"launcher": "ray", "ray_gpus": -1}, "cannot have -1 GPUs"),
])
def test_launchers_that_make_no_sense(wrong: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        Settings(state=tmp_path, **wrong)
