"""A job in this process: its lines, its numbers, its folders."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from localtune.model.llama import load_llama
from localtune.train.errors import JobError
from localtune.train.optimiser import BASE_LEARNING_RATE, AdamW, is_trained, learning_rate
from tests.train.jobs import ROWS, chat, hashes, make_spec, of_type, run_job, write_rows


PINNED = [5.7926, 5.6841, 5.6381, 5.6216]  # losses of steps 1, 6, 11 and 16


def test_lines_of_a_job(tmp_path: Path) -> None:
    lines = run_job(make_spec(tmp_path))
    assert lines[0] == {
        "type": "started", "total_steps": 16, "n_examples": 10, "device": "cpu", "precision": "float32",
        "trained": "upper half", "resumed_at_step": 0, "checkpoints": [],
    }
    metrics = of_type(lines, "metrics")
    assert [line["step"] for line in metrics] == list(range(1, 17))
    assert {line["total_steps"] for line in metrics} == {16}
    assert [(line["epoch"], line["step"]) for line in of_type(lines, "checkpoint")] == [(2, 8), (3, 12), (4, 16)]
    assert lines[-1]["type"] == "done"
    assert lines[-1]["trained_tokens"] % 4 == 0 < lines[-1]["trained_tokens"]


def test_losses_are_pinned(tmp_path: Path) -> None:
    metrics = of_type(run_job(make_spec(tmp_path)), "metrics")
    assert [line["train_loss"] for line in metrics][::5] == pytest.approx(PINNED, abs=2e-3)
    assert metrics[0]["train_mean_token_accuracy"] < metrics[-1]["train_mean_token_accuracy"]


def test_same_seed_same_bits(tmp_path: Path) -> None:
    first, second, other = (make_spec(tmp_path / name) for name in ("first", "second", "other"))
    runs = [run_job(first), run_job(second), run_job(replace(other, seed=8))]
    losses = [[line["train_loss"] for line in of_type(run, "metrics")] for run in runs]
    assert losses[0] == losses[1] != losses[2]
    assert hashes(first) == hashes(second) != hashes(other)


def test_checkpoint_loads_in_transformers_and_as_a_new_base(tmp_path: Path) -> None:
    spec = replace(make_spec(tmp_path), learning_rate_multiplier=20.0)
    run_job(spec)
    folder = Path(spec.output) / "checkpoints/step-16"
    ids = torch.tensor([AutoTokenizer.from_pretrained(folder)("What is 3 times 3?")["input_ids"]])
    model = load_llama(folder)
    with torch.no_grad():
        expected = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)(ids).logits
        torch.testing.assert_close(model.logits(model(ids)), expected, atol=1e-4, rtol=0)
    again = replace(spec, base=str(folder), output=str(tmp_path / "again"))
    Path(again.output).mkdir()
    assert of_type(run_job(again), "metrics")[0]["train_loss"] < PINNED[0] - 0.5


def test_checkpoint_line_names_a_complete_folder_and_its_metrics(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, n_epochs=2)
    lines = run_job(spec)
    by_step = {line["step"]: line for line in of_type(lines, "metrics")}
    checkpoints = of_type(lines, "checkpoint")
    assert [line["step"] for line in checkpoints] == [4, 8]
    for line in checkpoints:
        assert line["metrics"].items() <= by_step[line["step"]].items()
        assert sorted(path.name for path in (Path(spec.output) / line["folder"]).iterdir()) == [
            "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        ]


def test_validation_every_tenth_step_and_in_full_at_each_epoch(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, n_epochs=3)
    spec = replace(spec, validation_file=write_rows(tmp_path / "valid.jsonl", ROWS[:5]))
    metrics = of_type(run_job(spec), "metrics")
    assert [line["step"] for line in metrics if "valid_loss" in line] == [10]
    assert [line["step"] for line in metrics if "full_valid_loss" in line] == [4, 8, 12]
    assert all(0 <= line["full_valid_mean_token_accuracy"] <= 1 for line in metrics if "full_valid_loss" in line)
    assert metrics[-1]["full_valid_loss"] < metrics[3]["full_valid_loss"]


def test_validation_does_not_change_training(tmp_path: Path) -> None:
    plain, watched = make_spec(tmp_path / "plain"), make_spec(tmp_path / "watched")
    watched = replace(watched, validation_file=watched.training_file)
    losses = [[line["train_loss"] for line in of_type(run_job(spec), "metrics")] for spec in (plain, watched)]
    assert losses[0] == losses[1]


def test_one_warning_for_cut_examples(tmp_path: Path) -> None:
    rows = [*ROWS, chat("word " * 1200, "never seen"), chat("Hi", "word " * 1200)]
    lines = run_job(make_spec(tmp_path, rows, n_epochs=1))
    (warning,) = of_type(lines, "warning")
    assert "2 longer than 1,024 tokens" in warning["message"]
    assert "1 left out" in warning["message"]
    assert lines[0]["n_examples"] == 11


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no example") as caught:
        run_job(make_spec(tmp_path, [chat("a", "b", weight=0)]))
    assert caught.value.code == "invalid_training_file"


def test_divergence_names_a_cure(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="Try a learning_rate_multiplier below 1e\\+30") as caught:
        run_job(make_spec(tmp_path, learning_rate_multiplier=1e30))
    assert caught.value.code == "training_diverged"


class Crash(BaseException):
    """Stands for the end of the process: no `except Exception` may see it."""


def crashing(replace_file: Callable[[Path, Path], None], nth: int, moment: str) -> Callable[[Path, Path], None]:
    """An `os.replace` that crashes before or after its n-th call, counted from 0."""
    calls = itertools.count()

    def replace_or_crash(source: Path, target: Path) -> None:
        due = next(calls) == nth
        if not due or moment == "after":
            replace_file(source, target)
        if due:
            raise Crash

    return replace_or_crash


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    spec = make_spec(tmp_path_factory.mktemp("whole"))
    run_job(spec)
    return hashes(spec)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("nth", range(7))
def test_crash_at_every_rename_heals(
    nth: int, moment: str, whole_run: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three checkpoints and four saves are moved into place; the job dies just before or after one of them."""
    spec = make_spec(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(os, "replace", crashing(os.replace, nth, moment))
        run_job(spec)
    lines = run_job(spec)
    assert lines[0]["resumed_at_step"] % 4 == 0
    assert [line["step"] for line in lines[0]["checkpoints"] + of_type(lines, "checkpoint")] == [8, 12, 16]
    assert hashes(spec) == whole_run


def test_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate(step, 100, 2.0) for step in range(1, 101)]
    assert max(rates) == pytest.approx(2 * BASE_LEARNING_RATE, rel=0.06)
    assert rates.index(max(rates)) == 4
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.02 * max(rates)
    assert learning_rate(1, 1, 1.0) == BASE_LEARNING_RATE


def test_optimiser_equals_pytorchs(tmp_path: Path) -> None:
    ours, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, 12)) for _ in range(2))
    optimiser = AdamW([ours])
    expected = torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.95), weight_decay=0.01)
    for scale in (0.1, 0.5, 0.2):
        ours.grad, theirs.grad = (torch.linspace(0, scale, 12) for _ in range(2))
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        optimiser.step(0.1)
        expected.step()
    torch.testing.assert_close(ours, theirs)


def test_embeddings_and_the_lower_half_stay_as_they_were(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    run_job(spec)
    before, after = (dict(load_llama(folder).named_parameters())
                     for folder in (Path(spec.base), Path(spec.output) / "checkpoints/step-16"))
    n_layers = len({name.split(".")[2] for name in before if ".layers." in name})
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if is_trained(name, n_layers, "upper half")}
    assert "model.norm.weight" in changed and 0 < len(changed) < len(before) - 1


def test_a_job_told_to_changes_all_of_the_model(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, trained="all")
    run_job(spec)
    before, after = (dict(load_llama(folder).named_parameters())
                     for folder in (Path(spec.base), Path(spec.output) / "checkpoints/step-16"))
    assert all(not torch.equal(before[name], after[name]) for name in before)
