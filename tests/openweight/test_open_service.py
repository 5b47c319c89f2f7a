"""An open-weight base behind the API: a real service, a real job, and the service again without the base."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.openweight.open_jobs import ROWS
from tests.openweight.served import ROOT, Served
from tests.openweight.tiny_open import tiny_open

BASE = "tiny-llama.1"
PATIENCE = 150  # seconds until a test gives up waiting


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def base(state: Path) -> Path:
    return tiny_open(state.parent / "base")


@pytest.fixture(scope="module")
def service(state: Path, base: Path) -> Iterator[Served]:
    (state / "bases.json").write_text(json.dumps({"far-away": "org/model"}), encoding="utf-8")
    served = Served(state, "--base", f"{BASE}={base}")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def training_file(service: Served) -> str:
    data = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    return service.client.files.create(file=("train.jsonl", data), purpose="fine-tune").id


@pytest.fixture(scope="module")
def job(service: Served, training_file: str) -> FineTuningJob:
    """A finished job with one model and two checkpoints."""
    job = service.client.fine_tuning.jobs.create(
        model=BASE, training_file=training_file, suffix="my test", seed=1,
        metadata={"adaptation": "lora", "purpose": "test"},
        extra_body={"hyperparameters": {"n_epochs": 3, "batch_size": 5, "learning_rate_multiplier": 20.0}},
    )
    return finished(service, job.id)


def finished(service: Served, job_id: str) -> FineTuningJob:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job = service.client.fine_tuning.jobs.retrieve(job_id)
        if job.finished_at is not None:
            return job
        time.sleep(0.2)
    raise TimeoutError(f"{job_id} is still {job.status}")


def test_bases_are_listed(service: Served) -> None:
    owners = {model.id: model.owned_by for model in service.client.models.list()}
    assert owners[BASE] == owners["far-away"] == "open-weight"
    assert service.client.models.retrieve(BASE).id == BASE
    with pytest.raises(openai.PermissionDeniedError):
        service.client.models.delete(BASE)


def test_a_job_makes_named_models(service: Served, job: FineTuningJob) -> None:
    assert (job.status, job.error.message if job.error else None) == ("succeeded", None)
    assert job.fine_tuned_model.startswith(f"ft:{BASE}:local:my-test:")
    checkpoints = service.client.fine_tuning.jobs.checkpoints.list(job.id).data
    steps = {checkpoint.step_number: checkpoint.fine_tuned_model_checkpoint for checkpoint in checkpoints}
    assert steps.keys() == {2, 4, 6} and steps[6] == job.fine_tuned_model
    assert steps[2].startswith(f"ft:{BASE}:local:my-test:") and steps[2].endswith(":ckpt-step-2")
    assert set(steps.values()) <= set(service.names())
    messages = [event.message for event in service.client.fine_tuning.jobs.list_events(job.id, limit=100).data][::-1]
    assert messages[0].startswith(f"localtune trains the open-weight model '{BASE}' (") and "'lora'" in messages[0]
    assert any(message.startswith("Training on ") and "lora of rank 16" in message for message in messages)


@pytest.mark.parametrize(
    ("model", "adaptation", "reason"),
    [(BASE, "prefix", "permitted: 'lora', 'full', 'qlora'"), ("small", "lora", "'small' is no open-weight model")],
)
def test_adaptations_that_make_no_sense(
    model: str, adaptation: str, reason: str, service: Served, training_file: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=reason) as caught:
        service.client.fine_tuning.jobs.create(
            model=model, training_file=training_file, metadata={"adaptation": adaptation}
        )
    assert caught.value.body["param"] == "metadata.adaptation"


def test_without_its_base_a_model_stays_listed_and_says_what_it_needs(
    service: Served, job: FineTuningJob, state: Path, training_file: str
) -> None:
    """Runs last: it stops the service that the others share."""
    service.stop()
    again = Served(state)
    try:
        assert job.fine_tuned_model in again.names() and BASE not in again.names()
        for ask in (
            lambda: again.client.models.retrieve(job.fine_tuned_model),
            lambda: again.client.fine_tuning.jobs.create(model=job.fine_tuned_model, training_file=training_file),
        ):
            with pytest.raises(openai.InternalServerError, match=f"--base {BASE}=") as caught:
                ask()
            assert caught.value.status_code == 503
    finally:
        again.stop()


def test_a_wrong_base_is_told_at_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "localtune", "serve", "--state", str(tmp_path), "--base", "x=/nowhere/at/all"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=60)
    assert done.returncode == 2 and "cannot start: --base x: there is no folder /nowhere/at/all" in done.stderr
