"""Weights & Biases: a stand-in for its package shows what the service does; the real one, where installed, that it works."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import openai
import psutil
import pytest

from localtune.jobs import wandb_run
from tests.service.harness import PATIENCE, Service, chat_lines, create, upload, wait_for

REAL = wandb_run.installed()
needs_wandb = pytest.mark.skipif(
    not REAL, reason="NOT TESTED: wandb is not installed; pip install -r requirements-extras.txt runs this test"
)
STAND_IN = '''
import json, pathlib, sys, time
class Settings:
    def __init__(self, **given): pass
class Run:
    offline, url, summary = True, None, {}
    def __init__(self, given):
        if given["project"] == "fails": sys.exit("no such project")
        if given["project"] == "hangs": time.sleep(3600)
        self.settings = self
        self.sync_dir = pathlib.Path(given["dir"], "wandb", "offline-run-20261121_120000-" + given["id"])
        self.told, self.rows = {name: value for name, value in given.items() if name != "settings"}, []
    def log(self, row, step): self.rows.append([step, row])
    def finish(self, exit_code):
        self.sync_dir.mkdir(parents=True)
        content = {**self.told, "rows": self.rows, "summary": self.summary, "exit_code": exit_code}
        (self.sync_dir / "run.json").write_text(json.dumps(content), encoding="utf-8")
def init(**given): return Run(given)
'''


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `wandb` of a few lines, in front of a real one."""
    site = tmp_path / "site"
    for name, content in {"wandb/__init__.py": STAND_IN, "wandb-0.dist-info/METADATA": "Name: wandb\nVersion: 0\n"}.items():
        (site / name).parent.mkdir(parents=True)
        (site / name).write_text(content, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))


def integration(project: str, **more: object) -> dict[str, object]:
    return {"type": "wandb", "wandb": {"project": project, **more}}


def report(client: openai.OpenAI, job_id: str) -> openai.types.fine_tuning.FineTuningJobEvent:
    """The event about Weights & Biases, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for event in client.fine_tuning.jobs.list_events(job_id, limit=100):
            if event.message.startswith("Weights & Biases"):
                return event
        time.sleep(0.05)
    raise TimeoutError(f"no word about Weights & Biases from {job_id}")


@pytest.mark.skipif(REAL, reason="wandb is installed here")
def test_without_the_package_the_job_says_how_to_get_it_and_goes_on(client: openai.OpenAI) -> None:
    settings = [integration("course", tags=["a"])]
    job = wait_for(client, create(client, integrations=settings).id)
    assert job.status == "succeeded"
    assert [one.model_dump(exclude_none=True) for one in job.integrations] == settings
    (warning,) = [event for event in client.fine_tuning.jobs.list_events(job.id, limit=1000) if event.level == "warn"]
    assert "pip install -r requirements-extras.txt" in warning.message
    assert client.fine_tuning.jobs.retrieve(create(client).id).integrations == []


def test_each_integration_of_an_ended_job_becomes_a_run(new_service: Service, stand_in: None) -> None:
    client = new_service.start().client()
    asked = [integration("course"), integration("other", name="mine", entity="us", tags=["a", "openai/finetune"])]
    job = wait_for(client, create(client, integrations=asked).id)
    event = report(client, job.id)
    assert event.level == "info" and "wandb sync wandb/offline-run-" in event.message
    first, second = (
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(new_service.state.glob("wandb/*/run.json"))
    )
    assert (first["project"], first["name"], first["id"], first["entity"]) == ("course", job.id, job.id, None)
    assert first["tags"] == ["openai/finetune", f"openai/{job.model}", f"openai/{job.id}"]
    assert (second["name"], second["entity"], second["tags"]) == ("mine", "us", [*first["tags"], "a"])
    assert first["summary"] == {"status": "succeeded", "fine_tuned_model": job.fine_tuned_model}
    assert first["config"]["hyperparameters"] == job.hyperparameters.to_dict() and first["exit_code"] == 0
    metrics = [e.data for e in client.fine_tuning.jobs.list_events(job.id, limit=1000) if e.type == "metrics"]
    assert [row["step"] for row in metrics[::-1]] == [step for step, _ in first["rows"]]
    assert first["rows"][0][1] == {"train_loss": 2.0, "train_mean_token_accuracy": 0.0}


def test_a_run_that_cannot_be_written_is_a_warning(new_service: Service, stand_in: None) -> None:
    client = new_service.start().client()
    job = wait_for(client, create(client, integrations=[integration("fails")]).id)
    event = report(client, job.id)
    assert (event.level, job.status) == ("warn", "succeeded") and "no such project" in event.message


def test_a_job_without_integration_says_nothing(new_service: Service, stand_in: None) -> None:
    client = new_service.start().client()
    silent, asked = create(client), create(client, integrations=[integration("course")])
    wait_for(client, asked.id)
    report(client, asked.id)
    events = client.fine_tuning.jobs.list_events(silent.id, limit=1000).data
    assert not any("Weights" in event.message for event in events)


def test_an_interrupted_run_is_written_by_the_next_service_and_no_process_stays(
    new_service: Service, stand_in: None, tmp_path: Path
) -> None:
    client = new_service.start().client()
    job = wait_for(client, create(client, integrations=[integration("hangs")]).id)
    service = psutil.Process(new_service.process.pid)
    writers = wait_until(lambda: [child for child in service.children() if "localtune.jobs.wandb_run" in child.cmdline()])
    new_service.process.kill()
    new_service.process.wait()
    assert psutil.wait_procs(writers, PATIENCE)[1] == []
    package = tmp_path / "site" / "wandb" / "__init__.py"
    package.write_text(STAND_IN.replace("time.sleep(3600)", "pass"), encoding="utf-8")
    assert report(new_service.start().client(), job.id).level == "info"


def wait_until(look):
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("program, seconds, reason", [
    ("import time; time.sleep(3600)", 1, "it took longer than 1 s"),
    ("raise SystemExit('broken')", PATIENCE, "broken"),
    ("", PATIENCE, "no reason given"),
])
def test_a_writer_that_fails_costs_a_warning(program: str, seconds: float, reason: str) -> None:
    event = asyncio.run(wandb_run.write({}, seconds, [sys.executable, "-c", program]))
    assert event.level == "warn" and reason in event.message and event.key == wandb_run.KEY


@needs_wandb
def test_the_real_package_writes_an_offline_run(new_service: Service) -> None:
    client = new_service.start().client()
    job = wait_for(client, create(client, integrations=[integration("course", tags=["a"])]).id)
    event = report(client, job.id)
    assert event.level == "info", event.message
    (folder,) = new_service.state.glob(f"wandb/offline-run-*-{job.id}")
    assert folder.name in event.message and (folder / f"run-{job.id}.wandb").stat().st_size > 0
    service = psutil.Process(new_service.process.pid)
    assert not [process for process in service.children(recursive=True) if "wandb" in " ".join(process.cmdline())]


@needs_wandb
def test_the_library_s_own_sync_runs_unmodified(
    new_service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.integration.openai.fine_tuning import WandbLogger

    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(WandbLogger, "_logged_in", True)  # it asks for a login first, which offline nobody can give
    client = new_service.start().client(strict=False)
    validation = upload(client, chat_lines(3), "valid.jsonl")
    job = wait_for(client, create(client, validation_file=validation).id)
    # Artifacts of data sets are for those who are online: wandb refuses `use_artifact` offline.
    said = WandbLogger.sync(fine_tune_job_id=job.id, openai_client=client, project="course", log_datasets=False)
    assert "completed successfully" in said
    (written,) = Path(tmp_path, "wandb").glob(f"offline-run-*-{job.id}/run-{job.id}.wandb")
    content = written.read_bytes()
    assert all(name in content for name in (b"train_loss", b"valid_mean_token_accuracy", job.fine_tuned_model.encode()))
