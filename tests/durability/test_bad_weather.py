"""Full disks, locked databases, clocks that go back, workers that hang or run out of memory."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import openai
import pytest

from localtune.jobs.journal import Journal
from localtune.serve import check_writable
from localtune.store import Store
from localtune.store.trouble import is_full, is_passing
from localtune.train import __main__ as worker
from localtune.train.errors import JobError
from tests.service.conftest import bases, new_service
from tests.service.harness import ROOT, Service, create, messages_of, upload, wait_for, wait_for_step
from tests.tiny import tiny_base
from tests.train.jobs import make_spec, run_job

__all__ = ["bases", "new_service"]


@pytest.fixture
def impatient(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that takes a worker for hung after half a second."""
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps({"hung_after_seconds": 0.5}))
    return new_service


def test_a_hung_worker_is_killed_and_its_job_tried_again(impatient: Service) -> None:
    client = impatient.start().client()
    job = wait_for(client, create(client, "hang-once").id)
    assert job.status == "succeeded"
    messages = messages_of(client, job.id)
    assert any("hung: no message and no computing for 0.5 s; the job continues" in message for message in messages)
    assert len([message for message in messages if message.startswith("Step ")]) == 100


def test_a_worker_that_hangs_again_fails_its_job(impatient: Service) -> None:
    client = impatient.start().client()
    job = wait_for(client, create(client, "hang").id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "hung" in job.error.message and "again after a restart" in job.error.message


def test_steps_nobody_heard_of_are_in_the_curve(new_service: Service) -> None:
    """The worker wrote step 5 down; the service was killed before it read of it."""
    client = new_service.start().client()
    job = create(client, "unheard")
    wait_for_step(client, job.id, 4)
    written = Journal(new_service.state / "jobs" / job.id)
    while len(written.rows()) < 5:
        time.sleep(0.02)
    new_service.process.kill()
    new_service.process.wait(20)
    client = new_service.start().client()
    assert wait_for(client, job.id).status == "succeeded"
    steps = [message.split("/")[0] for message in messages_of(client, job.id) if message.startswith("Step ")]
    assert steps == [f"Step {step}" for step in range(1, 101)]


def test_a_locked_database_is_a_503_that_can_be_tried_again(
    new_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_service.start().client()
    other = sqlite3.connect(new_service.state / "localtune.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(openai.InternalServerError) as caught:
        upload(client, b"{}\n")
    assert caught.value.status_code == 503 and caught.value.response.headers["retry-after"] == "1"
    assert client.files.list().data == []  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert client.files.retrieve(upload(client, b"{}\n")).id


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_full_disk_refuses_uploads_and_loses_nothing(new_service: Service) -> None:
    import resource

    client = new_service.start().client()
    before = upload(client, b'{"a": 1}\n' * 1000)
    resource.prlimit(new_service.process.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    with pytest.raises(openai.InternalServerError) as caught:
        upload(client, b'{"a": 1}\n' * 200_000)
    assert caught.value.status_code == 507 and "full" in str(caught.value)
    resource.prlimit(new_service.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert [file.id for file in client.files.list().data] == [before]
    assert len(client.files.content(before).content) == 9_000
    assert not list((new_service.state / "blobs" / "incoming").iterdir())
    assert client.files.retrieve(upload(client, b'{"a": 1}\n' * 200_000)).bytes == 1_800_000


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_disk_that_is_full_for_the_worker_fails_the_job_with_its_cause(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    spec.save(tmp_path / "job.json")
    code = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        f"sys.argv = ['train', '--spec', {str(tmp_path / 'job.json')!r}]; "
        "runpy.run_module('localtune.train', run_name='__main__')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, cwd=ROOT) as process:  # stdin stays open: its end ends a worker
        lines = process.stdout.read().splitlines()
    last = json.loads(lines[-1])
    assert (last["type"], last["code"]) == ("failed", "disk_full")


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


def test_a_clock_that_goes_back_ends_no_job_before_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    file = store.files.add("proj_local", "a.jsonl", "fine-tune", "0" * 64, 1)
    columns = {
        "project": "proj_local", "key_id": 1, "model": "small", "training_file": file["id"], "seed": 1,
        "training_blob": file["sha256"], "hyperparameters": {}, "metadata": None, "integrations": [],
    }
    job = store.jobs.create(columns, "first")
    monkeypatch.setattr(time, "time", lambda: job["created_at"] - 1000.0)
    store.queue.note(job, [])
    store.queue.fail(job, "server_error", "last", None)
    assert store.jobs.find("proj_local", job["id"])["finished_at"] == job["created_at"]
    newest_first = store.records.events("proj_local", job["id"], None, 10).rows
    assert [row["message"] for row in newest_first][::2] == ["last", "first"]
    store.close()


@pytest.mark.parametrize(("error", "full"), [
    (OSError(errno.ENOSPC, "no"), True), (sqlite3.OperationalError("database or disk is full"), True),
    (sqlite3.OperationalError("database is locked"), False),
])
def test_what_may_pass(error: Exception, full: bool) -> None:
    assert is_passing(error) and is_full(error) is full
    assert not is_passing(FileNotFoundError(errno.ENOENT, "gone")) and not is_passing(ValueError("full"))


@pytest.mark.skipif(os.name == "nt", reason="folders are protected otherwise there")
def test_a_state_folder_that_cannot_be_written_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # root may write whatever the mode says
    with pytest.raises(OSError, match=f"{tmp_path} cannot be written .*Read-only.*--state"):
        check_writable(tmp_path)


def test_a_state_folder_below_a_file_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "localtune", "serve", "--port", "0", "--state", str(tmp_path / "file" / "state")]
    process = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert process.returncode == 2
    assert "cannot start: the state folder" in process.stderr and "--state" in process.stderr


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
        "import sys; from pathlib import Path; from localtune.config import Settings; from localtune.serve import serve; "
        f"sys.exit(serve(Settings(state=Path({str(tmp_path / 'state')!r}), bases=Path({str(tmp_path / 'bases')!r}), port=0)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        client = openai.OpenAI(base_url=process.stdout.readline().split()[1], api_key="sk-local", max_retries=0, timeout=60)
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
            reader.join(60)
        assert len(ends) == 2
        assert process.wait(60) == 0
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
