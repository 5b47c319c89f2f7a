"""A fake provider behind the real SDK (no sockets), and a small table of models that tests can rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pandas as pd
import pytest
from helpers import tables

MODELS = pd.DataFrame(
    [
        ("gpt-3.5-turbo-0613", 4096, "cl100k_base", "yes", "2024-09-13", "small", "retired"),
        ("gpt-4.1-2025-04-14", 1_047_576, "o200k_base", "yes", "2027-01-14", "small", ""),
        ("davinci", 2049, "r50k_base", "yes", "2024-01-04", "small", "legacy"),
        ("small", 1024, "local", "yes", None, "small", ""),
        ("tiny-limit", 20, "o200k_base", "yes", None, "small", ""),
    ],
    columns=["id", "context", "encoding", "fine_tunable", "shutdown_date", "local_base", "note"],
)


@pytest.fixture(autouse=True)
def known_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "models", lambda: MODELS.copy())


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COURSE_MODE", "OPENAI_BASE_URL", "OPENAI_API_KEY", "LOCALTUNE_STATE"):
        monkeypatch.delenv(name, raising=False)


class FakeProvider:
    """Files, jobs, events and models as a provider keeps them; `jobs_answers` scripts what a job looks like next."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: list[dict[str, Any]] = []
        self.models: set[str] = set()
        self.models_since = 1  # Unix seconds
        self.events: list[dict[str, Any]] = []
        self.script: list[Callable[[], httpx2.Response | None]] = []
        self.requests: list[str] = []
        self.chat: Callable[[dict[str, Any]], httpx2.Response] = lambda body: self.error(404, "no chat")

    def client(self, host: str = "fake.test") -> openai.OpenAI:
        transport = httpx2.Client(transport=httpx2.MockTransport(self.handle))
        return openai.OpenAI(base_url=f"http://{host}/v1", api_key="sk-test", http_client=transport, max_retries=0)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        path, method = request.url.path.removeprefix("/v1"), request.method
        self.requests.append(f"{method} {path}")
        if path == "/files":
            return self.add_file(request) if method == "POST" else self.page(list(self.files.values()))
        if path.startswith("/files/") and path.endswith("/content"):
            return httpx2.Response(200, content=self.contents[path.split("/")[2]])
        if path == "/fine_tuning/jobs":
            return self.add_job(json.loads(request.content)) if method == "POST" else self.page(self.jobs[::-1])
        if path.endswith("/events"):
            return self.page(self.events[::-1])
        if path.endswith("/cancel"):
            return self.error(400, "Job has already completed")
        if path.startswith("/fine_tuning/jobs/"):
            return self.look_at_job(path.split("/")[3])
        if path.startswith("/models/"):
            return self.model(path.removeprefix("/models/"))
        if path == "/models":
            return self.page([self.model_object(name) for name in sorted(self.models)])
        return self.chat(json.loads(request.content))

    def add_file(self, request: httpx2.Request) -> httpx2.Response:
        filename = re.search(rb'filename="([^"]+)"', request.content)
        body = re.search(rb'filename="[^"]+".*?\r\n\r\n(.*?)\r\n--', request.content, re.DOTALL)
        assert filename and body
        file = {"id": f"file-{len(self.files) + 1}", "object": "file", "bytes": len(body[1]), "created_at": 1}
        file |= {"filename": filename[1].decode(), "purpose": "fine-tune", "status": "processed"}
        self.files[file["id"]], self.contents[file["id"]] = file, body[1]
        return httpx2.Response(200, json=file)

    def add_job(self, body: dict[str, Any]) -> httpx2.Response:
        job = self.job(f"ftjob-{len(self.jobs) + 1}", "validating_files") | body
        self.jobs.append(job)
        return httpx2.Response(200, json=job)

    def look_at_job(self, job_id: str) -> httpx2.Response:
        if self.script and (answer := self.script.pop(0)()):
            return answer
        return httpx2.Response(200, json=next(job for job in self.jobs if job["id"] == job_id))

    def model(self, name: str) -> httpx2.Response:
        if name not in self.models:
            return self.error(404, "no model")
        return httpx2.Response(200, json=self.model_object(name))

    def model_object(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self.models_since, "owned_by": "fake"}

    @staticmethod
    def page(data: list[dict[str, Any]]) -> httpx2.Response:
        return httpx2.Response(200, json={"object": "list", "data": data, "has_more": False})

    @staticmethod
    def error(status: int, message: str, code: str | None = None, param: str | None = None) -> httpx2.Response:
        body = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        return httpx2.Response(status, json={"error": body})

    @staticmethod
    def job(job_id: str, status: str, **fields: Any) -> dict[str, Any]:
        empty = dict.fromkeys(("error", "finished_at", "fine_tuned_model", "trained_tokens", "validation_file"))
        fixed = {"object": "fine_tuning.job", "created_at": 100, "organization_id": "org", "result_files": []}
        more = {"model": "gpt-3.5-turbo-0613", "seed": 1, "training_file": "file-1", "hyperparameters": {}}
        return {"id": job_id, "status": status, **empty, **fixed, **more, **fields}

    def move(self, status: str, **fields: Any) -> None:
        """Brings the newest job into another state."""
        self.jobs[-1] |= {"status": status, **fields}

    def say(self, message: str, data: dict[str, Any] | None = None, level: str = "info") -> None:
        """Appends an event to the newest job."""
        event = {"id": f"ftevent-{len(self.events)}", "object": "fine_tuning.job.event", "created_at": 1}
        kind = "metrics" if data else "message"
        self.events.append(event | {"level": level, "message": message, "type": kind, "data": data or {}})


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


def free(client: openai.OpenAI) -> Any:
    from helpers.connect import Answerer

    return Answerer("Local service", str(client.base_url), True, "no cost")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake provider counts as the local service: nothing to confirm."""
    monkeypatch.setattr("helpers.jobs.who", free)


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake provider counts as a paid one."""
    monkeypatch.setattr("helpers.connect.health", lambda url: None)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the notebook's outputs hold, by display id."""
    contents: dict[str, dict[str, Any]] = {}

    def display(content: dict[str, Any], raw: bool, display_id: str, update: bool = False) -> None:
        assert raw and (not update or display_id in contents)
        contents[display_id] = content

    monkeypatch.setattr("helpers.outputs.display", display)
    return contents
