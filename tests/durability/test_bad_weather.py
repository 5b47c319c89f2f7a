"""Clocks that go back, workers that run out of memory or of numbers, journals cut short, stops during an answer."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import openai
import pytest

from localtune.jobs.journal import Journal
from localtune.store import Store
from localtune.train import __main__ as worker
from localtune.train.errors import JobError
from tests.service.conftest import bases, new_service
from tests.service.harness import PATIENCE, ROOT, Service, create, messages_of, wait_for, wait_for_step
from tests.tiny import tiny_base
from tests.train.jobs import chat, make_spec, run_job

__all__ = ["bases", "new_service"]


def test_steps_nobody_heard_of_are_in_the_curve(new_service: Service) -> None:
    """The worker wrote step 5 down; the service was killed before it read of it."""
    client = new_service.start().client()
    job = create(client, "unheard")
    wait_for_step(client, job.id, 4)
    written = Journal(new_service.state / "jobs" / job.id)
    while len(written.rows()) < 5:
        time.sleep(0.02)
    new_service.process.kill()
    new_service.process.wait(PATIENCE)
    client = new_service.start().client()
    assert wait_for(client, job.id).status == "succeeded"
    steps = [message.split("/")[0] for message in messages_of(client, job.id) if message.startswith("Step ")]
    assert steps == [f"Step {step}" for step in range(1, 101)]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_worker_that_the_system_killed_is_told_with_the_likely_cause(new_service: Service) -> None:
    client = new_service.start().client()
    job = wait_for(client, create(client, "killed").id)
    assert job.status == "failed" and "killed, as systems do when memory runs out" in job.error.message


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to the limit")
def test_a_worker_out_of_memory_fails_its_job_with_a_cure(tmp_path: Path) -> None:
    """A real allocation that the system refuses: one long batch, and hardly more memory than the imports took."""
    rows = [chat(f"why {n}", "because " * 400) for n in range(32)]
    spec = make_spec(tmp_path, rows=rows, batch_size=32)
    spec.save(tmp_path / "job.json")
    code = (
        "import resource, psutil; from pathlib import Path; from localtune.train import __main__ as worker; "
        "most = psutil.Process().memory_info().vms + (200 << 20); "
        "resource.setrlimit(resource.RLIMIT_AS, (most, most)); "
        f"worker.run(Path({str(tmp_path / 'job.json')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["type"], last["code"]) == ("failed", "out_of_memory"), done.stderr[-2000:]
    assert "smaller batch_size" in last["message"]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 GB")]
)
def test_out_of_memory_is_told_with_a_cure(error: Exception) -> None:
    code, message = worker.explain(error)
    assert code == "out_of_memory" and "smaller batch_size" in message


def test_losses_that_are_no_number_fail_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def nothing(model: object, batch: object) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(float("nan")), torch.tensor(0)

    monkeypatch.setattr("localtune.train.loop.loss_and_hits", nothing)
    with pytest.raises(JobError, match="the loss became nan at step 1"):
        run_job(make_spec(tmp_path))


@pytest.mark.parametrize("end", [
    lambda store, job: store.queue.fail(job, "server_error", "last", None),
    lambda store, job: store.jobs.cancel(job["project"], job["id"]),
], ids=["failed", "cancelled"])
def test_a_clock_that_goes_back_ends_no_job_before_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Store, sqlite3.Row], bool]
) -> None:
    store = Store(tmp_path)
    file = store.files.add("proj_local", "a.jsonl", "fine-tune", "0" * 64, 1)
    columns = {
        "project": "proj_local", "key_id": 1, "model": "small", "training_file": file["id"], "seed": 1,
        "training_blob": file["sha256"], "hyperparameters": {}, "metadata": None, "integrations": [],
    }
    job = store.jobs.create(columns, "first")
    monkeypatch.setattr(time, "time", lambda: job["created_at"] - 1000.0)
    store.queue.note(job, [])
    end(store, job)
    assert store.jobs.find("proj_local", job["id"])["finished_at"] == job["created_at"]
    newest_first = store.records.events("proj_local", job["id"], None, 10).rows
    assert newest_first[0]["message"] in ("last", "The job has been cancelled") and newest_first[-1]["message"] == "first"
    store.close()


def test_a_cut_line_counts_as_not_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in (1, 2, 3):
        journal.add({"step": step, "train_loss": 1 / step})
    os.truncate(journal.path, journal.path.stat().st_size - 5)
    assert [row["step"] for row in journal.rows()] == [1, 2]
    journal.cut(2)
    journal.add({"step": 3, "train_loss": 0.5})
    assert journal.rows()[-1] == {"step": 3, "train_loss": 0.5}
    journal.cut(1)
    assert [row["step"] for row in journal.rows()] == [1]


def test_a_service_that_stops_ends_the_answers_it_is_giving(tmp_path: Path) -> None:
    """With inference: the stream ends soon with a word, and so does the process, in good order."""
    tiny_base(tmp_path / "bases" / "small")
    code = (
        "import sys; from pathlib import Path; from localtune import serve; from localtune.config import Settings; "
        f"state, bases = Path({str(tmp_path / 'state')!r}), Path({str(tmp_path / 'bases')!r}); serve.GRACE_SECONDS = 1; "
        "sys.exit(serve.serve(Settings(state=state, bases=bases, port=0)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        url = process.stdout.readline().split()[1]
        client = openai.OpenAI(base_url=url, api_key="sk-local", max_retries=0, timeout=PATIENCE)
        asked = [{"role": "user", "content": "Paris?"}]
        streams = [
            client.chat.completions.create(model="gpt-4o-mini-2024-07-18", messages=asked, stream=True, seed=seed, n=64,
                                           max_tokens=900, logit_bias={"0": -100, "2": -100})
            for seed in range(2)
        ]
        for stream in streams:
            next(iter(stream))
        ends: list[str] = []
        readers = [threading.Thread(target=read_to_its_end, args=(stream, ends)) for stream in streams]
        for reader in readers:
            reader.start()
        process.send_signal(signal.SIGTERM)
        for reader in readers:
            reader.join(PATIENCE)
        assert len(ends) == 2
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def read_to_its_end(stream: openai.Stream, ends: list[str]) -> None:
    try:
        for _ in stream:
            pass
        ends.append("done")
    except Exception as error:
        ends.append(type(error).__name__)
