"""An open-weight model spread over two processes (FSDP): the numbers of one, whole files, and going on after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from localtune.crash import VARIABLE
from localtune.jobs.launcher_torchrun import SIGKILL
from localtune.jobs.spec import JobSpec, Sharding
from localtune.openweight.accelerate_file import read_sharding
from localtune.openweight.load import load_model
from localtune.train.errors import JobError
from localtune.train.loop import Job, Message
from tests.openweight.open_jobs import ROWS, last_model, open_spec
from tests.openweight.tiny_open import tiny_open
from tests.train.grouped import curve, run_grouped
from tests.train.jobs import chat, run_job, write_rows

SHIPPED = Path(__file__).parents[2] / "data" / "accelerate"
UNEVEN = [*ROWS[:5], *(chat(f"Why {n}?", "because " * (2 * n + 1)) for n in range(5))]
FULL_SHARD = Sharding(processes=2, precision="float32", layers=None, reshard=True, offload=False, recompute=False)
METRICS = ("train_loss", "train_mean_token_accuracy", "valid_loss", "full_valid_loss", "full_valid_mean_token_accuracy")
FULL = {"adaptation": "full", "learning_rate_multiplier": 200.0}
CASES = {
    "lora": ("llama", {"adaptation": "lora"}, {}),
    "full, tied, recomputed": (
        "qwen3", FULL, {"recompute": True, "layers": ["Qwen3DecoderLayer"]},
    ),
    "full, offloaded, not resharded": (
        "llama", FULL, {"offload": True, "reshard": False, "layers": []},
    ),
}


class Crash(BaseException):
    """Stands for the end of the process."""


def crash_at_10(line: Message) -> None:
    if line.get("step") == 10:
        raise Crash


def both(folder: Path, base: Path, changes: dict, spread: dict) -> tuple[JobSpec, JobSpec]:
    """One job for one process, and for a group that shares the weights."""
    one, two = (open_spec(folder / name, base, UNEVEN, **changes) for name in ("one", "two"))
    valid = write_rows(folder / "valid.jsonl", UNEVEN[3:8])
    return replace(one, validation_file=valid), replace(two, validation_file=valid, sharding=replace(FULL_SHARD, **spread))


@pytest.mark.parametrize("case", CASES)
def test_two_processes_that_share_the_weights_give_the_numbers_of_one(case: str, tmp_path: Path) -> None:
    family, changes, spread = CASES[case]
    base = tiny_open(tmp_path / "base", family, tie_word_embeddings="tied" in case)
    one, two = both(tmp_path, base, changes, spread)
    expected, (lines, status) = run_job(one), run_grouped(two)
    assert status == 0, lines[-1]
    assert lines[0]["trained"] == expected[0]["trained"]
    for name in METRICS:
        assert curve(lines, name) == pytest.approx(curve(expected, name), abs=1e-5), name
    assert_same_model(last_model(two), last_model(one))


def test_who_waits_inside_the_model_for_one_that_was_killed_does_not_call_that_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process dies as it writes; by then the other has begun the next step, and FSDP is where it finds out."""
    _, spec = both(tmp_path, tiny_open(tmp_path / "base"), {}, {})
    fuse = tmp_path / "fuse"
    fuse.write_text("1", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, f"checkpoint.write@{fuse}")
    lines, status = run_grouped(spec)
    assert not fuse.exists() and status == -SIGKILL
    assert lines[-1]["type"] == "metrics" and lines[-1]["step"] == 8


def test_a_job_begun_alone_goes_on_in_a_group(tmp_path: Path) -> None:
    """The saved state is whole, so each process takes its parts of it: as if nothing had happened."""
    base = tiny_open(tmp_path / "base")
    one, two = both(tmp_path, base, FULL, {})
    expected = curve(run_job(one), "train_loss")
    with pytest.raises(Crash):
        Job(replace(two, sharding=None), crash_at_10).run()
    lines, status = run_grouped(two)
    assert status == 0 and lines[0]["resumed_at_step"] == 8, lines[-1]
    assert curve(lines, "train_loss") == pytest.approx({step: expected[step] for step in range(9, 17)}, abs=1e-5)


@pytest.mark.parametrize(("file", "said"), [("fsdp.yaml", "FSDP spreads"), ("zero3.yaml", "ZeRO does in stage 3, FSDP spreads")])
def test_the_shipped_files_train(file: str, said: str, tmp_path: Path) -> None:
    """In bfloat16, so nearly the numbers; for eight processes, but two will do."""
    base = tiny_open(tmp_path / "base")
    one, two = both(tmp_path, base, {"n_epochs": 2}, {})
    lines, status = run_grouped(replace(two, sharding=read_sharding(SHIPPED / file)))
    assert status == 0 and lines[0]["precision"] == "bfloat16", lines[-1]
    assert any(said in line.get("message", "") for line in lines)
    assert curve(lines, "train_loss") == pytest.approx(curve(run_job(one), "train_loss"), abs=0.1)


def test_four_bits_are_not_spread(tmp_path: Path) -> None:
    spec = open_spec(tmp_path, tiny_open(tmp_path / "base"), adaptation="qlora", sharding=FULL_SHARD)
    with pytest.raises(JobError, match="adaptation 'lora', or restart the service without --accelerate"):
        run_job(spec)


def assert_same_model(found: Path, expected: Path) -> None:
    """The same files with nearly the same weights, which load."""
    assert {path.name for path in found.iterdir()} == {path.name for path in expected.iterdir()}
    weights = [load_file(next(folder.glob("*.safetensors"))) for folder in (found, expected)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[1].items():
        torch.testing.assert_close(weights[0][name], tensor, atol=1e-3, rtol=0)
    ids = torch.arange(20)[None]
    logits = [load_model(folder, "cpu", torch.float32)(input_ids=ids).logits for folder in (found, expected)]
    torch.testing.assert_close(logits[0], logits[1], atol=1e-2, rtol=0)
