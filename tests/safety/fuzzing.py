"""What the fuzzing tests share: how many cases, a service in this process, and what is true of it at the end."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings

from localtune.api.app import create_app
from localtune.config import Settings
from localtune.store import Store
from localtune.store.keys import PROJECT
from localtune.store.queue import NewModel, Result
from tests.service.harness import MODEL, chat_lines
from tests.tiny import tiny_base

SHORT = 150
CASES = int(os.environ.get("LOCALTUNE_FUZZ_CASES", SHORT))  # of every test
SEED = int(os.environ.get("LOCALTUNE_FUZZ_SEED", 1))  # another one: other cases
MOST_MEGABYTES = 200  # more than that would be a leak
MOST_THREADS = 45  # more than at the beginning; the pool that answers has 40
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
KEY = {"authorization": "Bearer sk-local"}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a service whose jobs wait for ever: what is asked is looked at, not what is trained."""
    folder = tmp_path_factory.mktemp("fuzz")
    tiny_base(folder / "bases" / "small")
    store = Store(folder / "state")
    chosen = Settings(
        state=folder / "state", bases=folder / "bases", worker=("sleep", "6000"), max_requests_per_minute=10**9,
        max_unfinished_jobs=10**9,
    )
    app = create_app(chosen, store)
    app.state.supervisor.wake = lambda: None
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False, headers=KEY) as client:
        yield client
    store.close()


def things(http: TestClient) -> list[str]:
    """Names of what exists: a file, a job, an upload and its part, two models, a project."""
    form = {"file": ("a.jsonl", chat_lines(10)), "purpose": (None, "fine-tune")}
    file = http.post("/v1/files", files=form).json()["id"]
    job = http.post("/v1/fine_tuning/jobs", json={"model": MODEL, "training_file": file}).json()["id"]
    upload = http.post("/v1/uploads", json={
        "filename": "a.jsonl", "purpose": "fine-tune", "bytes": 9, "mime_type": "text/plain",
    }).json()["id"]
    part = http.post(f"/v1/uploads/{upload}/parts", files={"data": b'{"a": 1}\n'}).json()["id"]
    return [file, job, upload, part, MODEL, a_model(http, job), PROJECT]


def a_model(http: TestClient, job_id: str) -> str:
    """A fine-tuned model of a job, recorded as the supervisor would."""
    state = http.app.state
    folder = f"jobs/{job_id}/checkpoints/step-1"
    tiny_base(state.settings.state / folder)
    with state.store.database.transaction() as connection:
        connection.execute("UPDATE jobs SET status = 'running' WHERE id = :id", {"id": job_id})
    (job,) = state.store.database.rows("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
    model = NewModel(f"ft:{MODEL}:local::{job_id[-8:]}", folder, 1, {"step": 1})
    blob = state.blobs.keep(io.BytesIO(b"step\n1\n"), lambda sha256, size: (sha256, size))
    assert state.store.queue.succeed(job, Result((model,), 1, *blob))
    return model.name


def admin_key(http: TestClient) -> dict[str, str]:
    """The headers of a request that shares checkpoints."""
    return {"authorization": f"Bearer {http.app.state.store.permissions.add_admin_key(PROJECT)}"}


@contextmanager
def nothing_leaks(http: TestClient) -> Iterator[None]:
    """Afterwards the service still answers, and neither memory nor threads nor temporary files have piled up.

    Memory is what the process grew by while requests were answered: Schemathesis alone takes 900 MB to make them.
    """
    process, threads, grown, send = psutil.Process(), threading.active_count(), 0, http.send

    def measured(*arguments: Any, **options: Any) -> httpx.Response:
        nonlocal grown
        before = process.memory_info().rss
        answer = send(*arguments, **options)
        grown += process.memory_info().rss - before
        return answer

    http.send = measured
    try:
        yield
    finally:
        http.send = send
    assert http.get("/healthz").json()["status"] == "ok"
    assert grown < MOST_MEGABYTES * 1e6
    assert threading.active_count() <= threads + MOST_THREADS
    state = http.app.state.settings.state
    assert not list((state / "tmp").glob("*")) and not list((state / "blobs" / "incoming").iterdir())


def check(request: Any, answer: httpx.Response) -> None:
    """No fault of the service's own, and an error always in the API's form."""
    assert answer.status_code < 500, (request, answer.text)
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}, (request, answer.text)
    assert answer.headers["x-request-id"].startswith("req_")
