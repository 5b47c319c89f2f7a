"""Exported models, read by plain transformers and peft."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from localtune.__main__ import main
from localtune.catalog import Catalog
from localtune.openweight.load import load_model
from localtune.store import Store
from localtune.store.queue import NewModel, Result
from tests.openweight.open_jobs import greedy, last_model, open_spec
from tests.openweight.tiny_open import tiny_open
from tests.train.jobs import make_spec, run_job

NAMES = {"adapter": "ft:my-base.1:local::aaaaaaaa", "full": "ft:my-base.1:local::bbbbbbbb", "small": "ft:small:local::cccccccc"}
UPPER = "ft:my-base.1:local::dddddddd"
QUESTION = "What is 3 times 3?"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a model of each kind."""
    folder = tmp_path_factory.mktemp("state")
    base = tiny_open(folder.parent / "base", "qwen3")
    adapter = open_spec(folder / "jobs/adapter", base)
    full = open_spec(folder / "jobs/full", base, adaptation="full", learning_rate_multiplier=200.0)
    small = make_spec(folder / "jobs/small")
    store = Store(folder)
    for name, spec in {"adapter": adapter, "full": full, "small": small}.items():
        run_job(spec)
        register(store, NAMES[name], last_model(spec).relative_to(folder).as_posix())
    store.close()
    return folder


def register(store: Store, name: str, folder: str) -> None:
    """The row of a model, by the life of a job."""
    columns = {"project": "proj_local", "key_id": 1, "model": "m", "training_file": "f", "training_blob": "b", "seed": 1}
    job = store.jobs.create({**columns, "hyperparameters": {}, "metadata": None, "integrations": []}, "first")
    store.queue.validated(job, 10)
    claimed = store.queue.claim(lambda row: {})
    assert store.queue.succeed(claimed, Result((NewModel(name, folder, 16, {"step": 16}),), 1, "0" * 64, 0))


@pytest.fixture(scope="module")
def expected(state: Path) -> dict[str, list[int]]:
    """What the trained models answer, as the service loads them."""
    folders = {name: state / "jobs" / name / "out/checkpoints/step-16" for name in ("adapter", "full")}
    return {
        name: greedy(load_model(folder, "cpu", torch.float32), AutoTokenizer.from_pretrained(folder), QUESTION)
        for name, folder in folders.items()
    }


def export(state: Path, name: str, target: Path, *options: str) -> int:
    return main(["export", NAMES.get(name, name), str(target), "--state", str(state), *options])


def test_adapter_answers_alike_in_peft(state: Path, expected: dict[str, list[int]], tmp_path: Path) -> None:
    assert export(state, "adapter", tmp_path / "out") == 0
    model = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "out")
    assert greedy(model, AutoTokenizer.from_pretrained(tmp_path / "out"), QUESTION) == expected["adapter"]


@pytest.mark.parametrize(("name", "options"), [("adapter", ["--merge"]), ("full", []), ("full", ["--merge"])])
def test_weights_answer_alike_in_transformers(
    name: str, options: list[str], state: Path, expected: dict[str, list[int]], tmp_path: Path
) -> None:
    assert export(state, name, tmp_path / "out", *options) == 0
    assert not (tmp_path / "out/adapter_config.json").exists()
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert greedy(model, AutoTokenizer.from_pretrained(tmp_path / "out"), QUESTION) == expected[name]
    assert expected["adapter"] != expected["full"]


def test_models_of_the_small_base_too(state: Path, tmp_path: Path) -> None:
    assert export(state, "small", tmp_path / "out") == 0
    assert len(greedy(AutoModelForCausalLM.from_pretrained(tmp_path / "out"),
                      AutoTokenizer.from_pretrained(tmp_path / "out"), QUESTION)) > 0


def test_nothing_is_overwritten(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert export(state, "adapter", tmp_path) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert export(state, "adapter", tmp_path / "notes.txt") == 1


def test_only_models_that_are_there_and_the_key_may_ask(state: Path, tmp_path: Path) -> None:
    key = Store(state).keys.add("somebody")
    assert export(state, "ft:nothing", tmp_path / "out") == 1
    assert export(state, "small", tmp_path / "out", "--key", key) == 1
    assert export(state, "small", tmp_path / "out", "--key", "sk-wrong") == 1
    assert not (tmp_path / "out").exists()
    assert export(state, "small", tmp_path / "out", "--key", "sk-local") == 0


def test_an_adapter_on_a_tuned_model_keeps_that_from_being_deleted(state: Path) -> None:
    full = state / "jobs/full/out/checkpoints/step-16"
    spec = open_spec(state / "jobs/upper", full, n_epochs=1)
    run_job(spec)
    store = Store(state)
    register(store, UPPER, "jobs/upper/out/checkpoints/step-4")
    catalog = Catalog(store, state, state)
    assert catalog.adapter_on(full) == UPPER
    assert catalog.adapter_on(state / "jobs/adapter/out/checkpoints/step-16") is None
    store.close()


def test_a_missing_base_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tiny_open(tmp_path / "base")
    spec = open_spec(tmp_path / "job", base, n_epochs=1)
    run_job(spec)
    base.rename(tmp_path / "elsewhere")
    store = Store(tmp_path / "state")
    (tmp_path / "state/jobs").mkdir()
    (Path(spec.output) / "checkpoints/step-4").rename(tmp_path / "state/jobs/model")
    register(store, NAMES["adapter"], "jobs/model")
    store.close()
    assert export(tmp_path / "state", "adapter", tmp_path / "out", "--merge") == 1
    assert str(base) in capsys.readouterr().err and not (tmp_path / "out").exists()
