"""Disks that are full or read-only, and databases that somebody else holds."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from fastapi.testclient import TestClient

from localtune.api.app import create_app
from localtune.config import Settings
from localtune.serve import check_writable
from localtune.store import Store
from localtune.store.trouble import is_full, is_passing
from tests.service.conftest import bases, new_service
from tests.service.harness import ROOT, Service, create, messages_of, upload, wait_for, wait_for_step
from tests.tiny import tiny_base
from tests.train.jobs import make_spec

__all__ = ["bases", "new_service"]

HASTY = json.dumps({"busy_seconds": 0.5, "retry_seconds": 0.5})


def test_a_locked_database_is_a_503_that_can_be_tried_again(
    new_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SETTINGS", HASTY)
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


@pytest.mark.parametrize("trouble", [
    "locked", pytest.param("full", marks=pytest.mark.skipif(os.name == "nt", reason="no such limit there")),
])
def test_a_job_outlives_a_database_that_takes_nothing(
    new_service: Service, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """The service cannot write down what the worker reports, waits, and goes on from the last saved step."""
    monkeypatch.setenv("FAKE_SETTINGS", HASTY)
    client = new_service.start().client()
    job = create(client, "slow", hyperparameters={"n_epochs": 20})
    wait_for_step(client, job.id, 12)
    with (locked if trouble == "locked" else full)(new_service):
        before = len(messages_of(client, job.id))
        time.sleep(2)  # longer than the service waits for the lock, and than a step takes
        assert client.fine_tuning.jobs.retrieve(job.id).status == "running"
        assert len(messages_of(client, job.id)) - before < 30
    assert wait_for(client, job.id).status == "succeeded"
    steps = [message.split("/")[0] for message in messages_of(client, job.id) if message.startswith("Step ")]
    assert steps == [f"Step {step}" for step in range(1, 201)]


@contextmanager
def locked(service: Service) -> Iterator[None]:
    other = sqlite3.connect(service.state / "localtune.sqlite", isolation_level=None, timeout=300)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def full(service: Service) -> Iterator[None]:
    """No file of the service may grow."""
    import resource

    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    yield
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("error", [
    OSError(errno.EROFS, "Read-only file system"), sqlite3.OperationalError("attempt to write a readonly database"),
])
def test_a_state_folder_that_becomes_read_only_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise error

    store = Store(tmp_path / "state")
    tiny_base(tmp_path / "bases" / "small")
    app = create_app(Settings(state=tmp_path / "state", bases=tmp_path / "bases", worker=("sleep", "60")), store)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False, headers={"authorization": "Bearer sk-local"}) as http:
        monkeypatch.setattr(app.state.blobs, "keep", refuse)
        answer = http.post("/v1/files", files={"file": ("a.jsonl", b"{}\n"), "purpose": (None, "fine-tune")})
        assert answer.status_code == 503 and "cannot be written" in answer.json()["error"]["message"]
        assert answer.headers["x-should-retry"] == "false"
        assert http.get("/v1/files").json()["data"] == []
    store.close()


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
