"""What the fuzzing tests share: how many cases, a service in this process, and what is true of it at the end."""

from __future__ import annotations

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
from tests.tiny import tiny_base

SHORT = 150
CASES = int(os.environ.get("LOCALTUNE_FUZZ_CASES", SHORT))  # of every test
MOST_MEGABYTES = 200  # more at the end than at the beginning would be a leak
MOST_THREADS = 45  # more than at the beginning; the pool that answers has 40
QUIET = settings(deadline=None, database=None, derandomize=CASES == SHORT, suppress_health_check=list(HealthCheck))
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
    with TestClient(app, raise_server_exceptions=False, headers=KEY) as client:
        yield client
    store.close()


@contextmanager
def nothing_leaks(http: TestClient) -> Iterator[None]:
    """Afterwards the service still answers, and neither memory nor threads nor temporary files have piled up."""
    process, threads = psutil.Process(), threading.active_count()
    memory = process.memory_info().rss
    yield
    assert http.get("/healthz").json()["status"] == "ok"
    assert process.memory_info().rss - memory < MOST_MEGABYTES * 1e6
    assert threading.active_count() <= threads + MOST_THREADS
    state = http.app.state.settings.state
    assert not list((state / "tmp").glob("*")) and not list((state / "blobs" / "incoming").iterdir())


def check(request: Any, answer: httpx.Response) -> None:
    """No fault of the service's own, and an error always in the API's form."""
    assert answer.status_code < 500, (request, answer.text)
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}, (request, answer.text)
    assert answer.headers["x-request-id"].startswith("req_")
