"""Jobs on open-weight models: what is trained, what is kept, and going on after a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from localtune.openweight.adapt import OpenWeight
from localtune.openweight.load import load_model
from localtune.train.data import collate, load_dataset
from localtune.train.errors import JobError
from localtune.train.objective import loss_and_hits
from tests.openweight.open_jobs import ROWS, digest, greedy, last_model, open_spec
from tests.openweight.tiny_open import FAMILIES, tiny_open
from tests.train.jobs import chat, of_type, run_job


@pytest.mark.parametrize("family", FAMILIES)
def test_lora_learns_and_keeps_the_adapter_alone(family: str, folders: dict[str, Path], tmp_path: Path) -> None:
    before = digest(folders[family])
    spec = open_spec(tmp_path, folders[family], n_epochs=12)
    lines = run_job(spec)
    losses = [line["train_loss"] for line in of_type(lines, "metrics")]
    assert len(losses) == 48 and losses[-1] < 0.75 * losses[0]  # the output layer stays random: it falls no further than 0.6
    assert [line["step"] for line in of_type(lines, "checkpoint")] == [40, 44, 48]
    adapter = Path(spec.output) / "checkpoints/step-48"
    names = {path.name for path in adapter.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert "model.safetensors" not in names and "README.md" not in names
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    assert (settings["r"], settings["lora_alpha"], settings["base_model_name_or_path"]) == (16, 32, str(folders[family]))
    targets = {name.split(".")[-1] for name in settings["target_modules"]}
    assert targets == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert digest(folders[family]) == before


def test_started_says_what_runs_and_where(folders: dict[str, Path], tmp_path: Path) -> None:
    lines = run_job(open_spec(tmp_path, folders["llama"], n_epochs=1))
    adapter = sum(tensor.numel() for tensor in load_file(next(tmp_path.rglob("adapter_model.safetensors"))).values())
    whole = sum(tensor.numel() for tensor in load_file(folders["llama"] / "model.safetensors").values()) + adapter
    trained = f"lora of rank 16, {adapter:,} of {whole:,} parameters change"
    assert lines[0].items() >= {"device": "cpu", "precision": "float32", "trained": trained}.items()
    assert of_type(lines, "note") == [{"type": "note", "message": f"Training on cpu in float32; {trained}."}]


def test_first_loss_is_transformers_own(folders: dict[str, Path], tmp_path: Path) -> None:
    """The mean over the learnt tokens of a padded batch, whatever of it the output layer is shown."""
    spec = open_spec(tmp_path, folders["gemma"], [*ROWS, chat("Hi", "word " * 20)])
    subject = OpenWeight(spec, lambda: None)
    dataset = load_dataset("training file", Path(spec.training_file), subject.tokenizer, subject.context)
    loss, _ = loss_and_hits(subject.model, collate(dataset.examples, subject.tokenizer.eot_id))
    plain, losses, count = AutoModelForCausalLM.from_pretrained(folders["gemma"], dtype=torch.float32).eval(), 0.0, 0
    for example in dataset.examples:
        ids = torch.tensor([example.ids])
        labels = torch.full_like(ids, -100)
        for position in example.learnt:
            labels[0, position + 1] = example.ids[position + 1]
        losses += plain(input_ids=ids, labels=labels).loss.item() * len(example.learnt)
        count += len(example.learnt)
    assert loss.item() == pytest.approx(losses / count, abs=1e-4)


def test_full_tuning_changes_every_weight_and_keeps_all(folders: dict[str, Path], tmp_path: Path) -> None:
    spec = open_spec(tmp_path, folders["qwen3"], adaptation="full", learning_rate_multiplier=200.0)
    lines = run_job(spec)
    losses = [line["train_loss"] for line in of_type(lines, "metrics")]
    assert losses[-1] < 0.6 * losses[0] and lines[0]["trained"].startswith("full, ")
    before, after = (load_file(folder / "model.safetensors") for folder in (folders["qwen3"], last_model(spec)))
    assert before.keys() == after.keys()
    assert all(not torch.equal(before[name], after[name]) for name in before)
    AutoModelForCausalLM.from_pretrained(last_model(spec))
    AutoTokenizer.from_pretrained(last_model(spec))


class Crash(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("adaptation", ["lora", "full"])
def test_a_crashed_job_goes_on_to_the_same_bits(
    adaptation: str, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = (open_spec(tmp_path / name, folders["llama"], adaptation=adaptation) for name in ("whole", "broken"))
    expected = [line["train_loss"] for line in of_type(run_job(whole), "metrics")]
    from localtune.train.loop import Job

    seen: list[float] = []

    def emit_until(line: dict, last: int) -> None:
        if line["type"] == "metrics":
            seen.append(line["train_loss"])
            if line["step"] == last:
                raise Crash

    with pytest.raises(Crash):
        Job(broken, lambda line: emit_until(line, 10)).run()
    saved = torch.load(Path(broken.output) / "resume.pt", weights_only=True)
    assert all(("lora_" in name) == (adaptation == "lora") for name in saved["model"])
    lines = run_job(broken)
    assert lines[0]["resumed_at_step"] == saved["step"] == 8
    assert seen[:8] + [line["train_loss"] for line in of_type(lines, "metrics")] == expected
    assert digest(last_model(broken)) == digest(last_model(whole))


def test_a_second_job_goes_on_with_the_adapter(folders: dict[str, Path], tmp_path: Path) -> None:
    first = open_spec(tmp_path / "first", folders["llama"])
    end = of_type(run_job(first), "metrics")[-1]["train_loss"]
    second = open_spec(tmp_path / "second", last_model(first))
    start = of_type(run_job(second), "metrics")[0]["train_loss"]
    assert start < 1.5 * end
    settings = json.loads((last_model(second) / "adapter_config.json").read_text(encoding="utf-8"))
    assert settings["base_model_name_or_path"] == str(folders["llama"])
    merged = open_spec(tmp_path / "merged", last_model(first), adaptation="full", n_epochs=1)
    assert of_type(run_job(merged), "metrics")[0]["train_loss"] == pytest.approx(start, abs=1e-4)


def test_long_examples_are_cut_at_the_models_context(folders: dict[str, Path], tmp_path: Path) -> None:
    lines = run_job(open_spec(tmp_path, folders["llama"], [*ROWS, chat("Hi", "word " * 600)], n_epochs=1))
    assert any("1 longer than 256 tokens, cut at the end" in line["message"] for line in of_type(lines, "warning"))


def test_a_base_without_template_warns_and_passes_it_on(tmp_path: Path) -> None:
    base = tiny_open(tmp_path / "base")
    (base / "chat_template.jinja").unlink()
    spec = open_spec(tmp_path, base)
    assert any("no chat template" in line["message"] for line in of_type(run_job(spec), "warning"))
    assert "im_start" in AutoTokenizer.from_pretrained(last_model(spec)).chat_template


def test_four_bits_are_refused_where_there_is_no_gpu(folders: dict[str, Path], tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(JobError, match="no NVIDIA GPU.*adaptation 'lora'") as caught:
        run_job(open_spec(tmp_path, folders["llama"], adaptation="qlora"))
    assert caught.value.code == "unsupported_adaptation"


def test_the_worker_trains_and_the_result_answers_alike_everywhere(folders: dict[str, Path], tmp_path: Path) -> None:
    spec = open_spec(tmp_path, folders["qwen3"])
    spec.save(tmp_path / "job.json")
    command = [sys.executable, "-m", "localtune.train", "--spec", str(tmp_path / "job.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as worker:
        lines = [json.loads(line) for line in worker.stdout]  # stdin stays open: its end would end the worker
    assert (lines[0]["type"], lines[-1]["type"]) == ("started", "done")
    tokenizer = AutoTokenizer.from_pretrained(last_model(spec))
    models = (
        load_model(last_model(spec), "cpu", torch.float32), AutoPeftModelForCausalLM.from_pretrained(last_model(spec)),
    )
    ours, theirs = (greedy(model, tokenizer, "What is 3 times 3?") for model in models)
    untuned = greedy(load_model(folders["qwen3"], "cpu", torch.float32), tokenizer, "What is 3 times 3?")
    assert ours == theirs != untuned


def test_the_small_base_needs_no_transformers() -> None:
    code = "import sys, localtune.train.__main__, localtune.api.app; print({'transformers', 'peft'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert out.stdout.strip() == "set()", out.stderr


def test_the_seed_draws_the_adapter(folders: dict[str, Path], tmp_path: Path) -> None:
    """Another seed, another adapter; the same seed, the same one."""
    specs = [open_spec(tmp_path / str(n), folders["llama"], n_epochs=1) for n in range(3)]
    specs[2] = replace(specs[2], seed=8)
    for spec in specs:
        run_job(spec)
    same, again, other = (digest(Path(spec.output) / "checkpoints/step-4") for spec in specs)
    assert same == again != other
