"""The course's first lesson as a test: ten examples, the real service, the official SDK, held-out questions."""

from __future__ import annotations

import time
from pathlib import Path

import openai
import psutil
import pytest
from openai.types.fine_tuning import FineTuningJob

from helpers.evaluate import ask, fact_kept, style_ngrams, style_shown
from helpers.formatting import read_jsonl
from helpers.metrics import job_metrics, rate
from tools.service import service_process
from tools.service import service as keep_service

DATA = Path(__file__).resolve().parents[1] / "data"
ROWS = read_jsonl(DATA / "marv.jsonl")
HELD_OUT = read_jsonl(DATA / "evaluation" / "marv_heldout.jsonl")[::2]
FACTS_OF_BASE, BOTH_OF_TUNED = 0.85, 0.7  # below what the model card reports, so that only a real loss fails
PATIENCE = 900  # seconds for one job, on a machine under load
SETTINGS = {"system": ROWS[0]["messages"][0]["content"], "temperature": 0, "max_tokens": 48}


def finished(client: openai.OpenAI, job_id: str, seconds: float = PATIENCE) -> FineTuningJob:
    """The job once it has ended; fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while (job := client.fine_tuning.jobs.retrieve(job_id)).status not in ("succeeded", "failed", "cancelled"):
        assert time.monotonic() < deadline, f"{job_id} is still {job.status}"
        time.sleep(0.1)
    return job


def uploaded(client: openai.OpenAI, path: Path) -> str:
    with path.open("rb") as file:
        return client.files.create(file=file, purpose="fine-tune").id


@pytest.fixture(scope="module")
def job(client: openai.OpenAI) -> FineTuningJob:
    created = client.fine_tuning.jobs.create(model="small", training_file=uploaded(client, DATA / "marv.jsonl"), seed=1)
    return finished(client, created.id)


def test_auto_means_ten_epochs_and_the_loss_falls(client: openai.OpenAI, job: FineTuningJob) -> None:
    metrics = job_metrics(client, job.id)
    assert (job.status, job.hyperparameters.n_epochs, len(metrics)) == ("succeeded", 10, 100)
    assert metrics["train_loss"].iloc[:10].mean() > 2 and metrics["train_loss"].iloc[-10:].mean() < 0.5


def test_the_style_is_learnt_and_the_facts_are_kept(client: openai.OpenAI, job: FineTuningJob) -> None:
    questions = [row["question"] for row in HELD_OUT]
    base, tuned = (ask(client, model, questions, **SETTINGS) for model in ("small", job.fine_tuned_model))
    style = style_ngrams(
        [row["messages"][2]["content"] for row in ROWS],
        [*(row["messages"][1]["content"] for row in ROWS), *(answer.text or "" for answer in base)],
    )
    both = {
        name: rate(bool(fact_kept(a.text, row["accept"]) and style_shown(a.text, style)) for a, row in zip(answers, HELD_OUT))
        for name, answers in {"base": base, "tuned": tuned}.items()
    }
    facts = rate(fact_kept(a.text, row["accept"]) for a, row in zip(base, HELD_OUT))
    assert facts.value >= FACTS_OF_BASE and both["base"].value == 0
    assert both["tuned"].value >= BOTH_OF_TUNED


def test_a_killed_service_finishes_its_job_as_if_nothing_had_happened(
    tmp_path: Path, client: openai.OpenAI, job: FineTuningJob
) -> None:
    """The module's job once more, in a service of its own that is killed: the same losses, bit for bit."""
    with keep_service(tmp_path) as url:
        alone = openai.OpenAI(base_url=url, api_key="sk-local")
        file = uploaded(alone, DATA / "marv.jsonl")
        again = alone.fine_tuning.jobs.create(model="small", training_file=file, seed=1)
        kill_in_the_middle(alone, tmp_path, again.id)
    with keep_service(tmp_path) as url:
        alone = openai.OpenAI(base_url=url, api_key="sk-local")
        assert finished(alone, again.id).status == "succeeded"
        whole, broken = job_metrics(client, job.id)["train_loss"], job_metrics(alone, again.id)["train_loss"]
    assert len(whole) == 100 and whole.to_dict() == broken.to_dict()


def kill_in_the_middle(client: openai.OpenAI, state: Path, job_id: str) -> None:
    """SIGKILL the service after step 35, between two saved states, and see that its worker ends too."""
    deadline = time.monotonic() + PATIENCE
    while (steps := len(job_metrics(client, job_id))) < 35:
        assert time.monotonic() < deadline, "the job never got to step 35"
        time.sleep(0.02)
    assert steps < 100, "the job was over before it could be disturbed"
    service = service_process(state)
    workers = service.children(recursive=True)
    service.kill()
    gone, alive = psutil.wait_procs([service, *workers], timeout=PATIENCE)
    assert workers and not alive
