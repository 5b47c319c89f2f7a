"""Nobody sees what is another's: every route of the service, asked with the wrong key for things that exist."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from localtune.api.app import create_app
from localtune.config import Settings
from localtune.store import Store
from localtune.store.queue import NewModel, Result
from tests.tiny import tiny_base

MODEL = "gpt-4o-mini-2024-07-18"
ASKED = [{"role": "user", "content": "Paris?"}]
# Routes that name no object of anybody: lists must not show another's, the others have nothing to give away.
LISTS = {("GET", "/v1/files"), ("GET", "/v1/fine_tuning/jobs"), ("GET", "/v1/models")}
NAMELESS = {("GET", "/healthz"), ("POST", "/v1/files"), ("POST", "/v1/uploads"), ("POST", "/v1/moderations")}
PERMISSIONS = "/v1/fine_tuning/checkpoints/{checkpoint}/permissions"


class Tenant:
    """A key with one of everything."""

    def __init__(self, app: FastAPI, http: TestClient, name: str) -> None:
        self.app, self.http = app, http
        store: Store = app.state.store
        self.headers = {"authorization": f"Bearer {store.keys.add(name)}"}
        self.project = store.keys.find(self.headers["authorization"].split()[1]).project
        admin = store.permissions.add_admin_key(self.project)
        self.admin = {"authorization": f"Bearer {admin}"}
        upload = {"file": ("a.jsonl", io.BytesIO(f'{{"of": "{name}"}}\n'.encode())), "purpose": (None, "fine-tune")}
        self.file = self.ask("POST", "/v1/files", files=upload).json()["id"]
        self.job = self.ask("POST", "/v1/fine_tuning/jobs", json=a_job(self.file)).json()["id"]
        whole = {"filename": "b.jsonl", "purpose": "fine-tune", "bytes": 9, "mime_type": "text/plain"}
        self.upload = self.ask("POST", "/v1/uploads", json=whole).json()["id"]
        part = self.ask("POST", f"/v1/uploads/{self.upload}/parts", files={"data": io.BytesIO(b'{"a": 1}\n')}).json()
        self.part = part["id"]
        self.model = self._train(store)
        shared = self.ask("POST", f"/v1/fine_tuning/checkpoints/{self.model}/permissions", json={
            "project_ids": [self.project]}, headers=self.admin)
        self.permission = shared.json()["data"][0]["id"]

    def _train(self, store: Store) -> str:
        """The job's success as the supervisor would record it."""
        (job,) = store.database.rows("SELECT * FROM jobs WHERE id = :id", {"id": self.job})
        place = self.app.state.settings.state / "jobs" / self.job / "checkpoints" / "step-1"
        tiny_base(place)
        with store.database.transaction() as connection:
            connection.execute("UPDATE jobs SET status = 'running' WHERE id = :id", {"id": self.job})
        model = NewModel(f"ft:{MODEL}:local::{self.job[-8:]}", str(place.relative_to(self.app.state.settings.state)), 1,
                         {"step": 1})
        blob = self.app.state.blobs.keep(
            io.BytesIO(b"step\n1\n"), lambda sha256, size: (sha256, size)
        )
        assert store.queue.succeed(job, Result((model,), 1, *blob))
        return model.name

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, path, **{"headers": self.headers, **options})

    def things(self) -> set[str]:
        return {self.file, self.job, self.upload, self.part, self.model, self.permission}


def a_job(file: str, model: str = MODEL) -> dict[str, Any]:
    return {"model": model, "training_file": file}


def cases(own: Tenant, other: Tenant) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Requests of `own` that name something of `other`, by route."""
    part = {"data": io.BytesIO(b"{}\n")}
    plain = [
        ("GET", "/v1/files/{file_id}"), ("GET", "/v1/files/{file_id}/content"), ("DELETE", "/v1/files/{file_id}"),
        ("POST", "/v1/uploads/{upload_id}/cancel"),
        ("GET", "/v1/fine_tuning/jobs/{job_id}"), ("POST", "/v1/fine_tuning/jobs/{job_id}/cancel"),
        ("POST", "/v1/fine_tuning/jobs/{job_id}/pause"), ("POST", "/v1/fine_tuning/jobs/{job_id}/resume"),
        ("GET", "/v1/fine_tuning/jobs/{job_id}/events"), ("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints"),
        ("GET", "/v1/models/{name}"), ("DELETE", "/v1/models/{name}"),
    ]
    grader = {"type": "score_model", "name": "g", "model": other.model, "input": [{"role": "user", "content": "1"}]}
    admin = {"headers": own.admin}
    return {
        **{route: [{}] for route in plain},
        ("POST", "/v1/uploads/{upload_id}/parts"): [{"files": part}],
        ("POST", "/v1/uploads/{upload_id}/complete"): [{"json": {"part_ids": [other.part]}}],
        ("POST", "/v1/fine_tuning/jobs"): [{"json": a_job(other.file)}, {"json": a_job(own.file, other.model)},
                                           {"json": {**a_job(own.file), "validation_file": other.file}}],
        ("POST", "/v1/chat/completions"): [{"json": {"model": other.model, "messages": ASKED}}],
        ("POST", "/v1/completions"): [{"json": {"model": other.model, "prompt": "Paris"}}],
        ("POST", "/v1/fine_tuning/alpha/graders/run"): [{"json": {"grader": grader, "model_sample": "1"}}],
        ("POST", "/v1/fine_tuning/alpha/graders/validate"): [{"json": {"grader": grader}}],
        ("POST", PERMISSIONS): [{"json": {"project_ids": [own.project]}, **admin}],
        ("GET", PERMISSIONS): [admin],
        ("DELETE", PERMISSIONS + "/{permission_id}"): [admin],
    }


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tenant, Tenant]]:
    folder = tmp_path_factory.mktemp("tenants")
    tiny_base(folder / "bases" / "small")
    store = Store(folder / "state")
    # A worker that never comes: the jobs stay as the tests put them.
    app = create_app(Settings(state=folder / "state", bases=folder / "bases", worker=("sleep", "60")), store)
    app.state.supervisor.wake = lambda: None
    with TestClient(app, base_url="http://localhost") as http:
        yield Tenant(app, http, "A"), Tenant(app, http, "B")
    store.close()


def routes(app: FastAPI) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}


def filled(path: str, thing: Tenant) -> str:
    names = {"file_id": thing.file, "job_id": thing.job, "upload_id": thing.upload, "name": thing.model,
             "checkpoint": thing.model, "permission_id": thing.permission, "model": thing.model}
    return path.format(**names)


def test_every_route_has_a_case(tenants: tuple[Tenant, Tenant]) -> None:
    """A new route without one fails here."""
    assert routes(tenants[0].app) == {*cases(*tenants), *LISTS, *NAMELESS}


def test_what_is_anothers_is_not_found(tenants: tuple[Tenant, Tenant]) -> None:
    own, other = tenants
    seen = snapshot(other)
    for (method, path), requests in cases(own, other).items():
        for request in requests:
            answer = own.ask(method, filled(path, other), **request)
            where = f"{method} {path}: {answer.status_code} {answer.text}"
            assert answer.status_code in (400, 404), where
            if answer.status_code == 400:  # named in a body: the parameter is invalid, as for a thing that never was
                assert "invalid" in answer.text or "not available" in answer.text or "does not exist" in answer.text, where
    assert snapshot(other) == seen  # nothing was deleted, cancelled or shared either


def test_anothers_things_read_like_things_that_never_were(tenants: tuple[Tenant, Tenant]) -> None:
    """Word for word, on every route, whether the path or the body names them."""
    own, other = tenants
    for (method, path), requests in cases(own, other).items():
        for request in requests:
            theirs = own.ask(method, filled(path, other), **request)
            nobodys = own.ask(method, without(other, filled(path, other)), **unknown(other, request))
            assert theirs.status_code == nobodys.status_code, (method, path)
            assert steady(without(other, theirs.text)) == steady(nobodys.text), (method, path)


def without(tenant: Tenant, text: str) -> str:
    """Names of a tenant's things replaced by one that nothing has."""
    for name in sorted(tenant.things(), key=len, reverse=True):
        text = text.replace(name, "nothing")
    return text


def unknown(tenant: Tenant, request: dict[str, Any]) -> dict[str, Any]:
    """The same request for things that never were."""
    return {**request, **({"json": json.loads(without(tenant, json.dumps(request["json"])))} if "json" in request else {})}


def steady(text: str) -> str:
    """Without the time a request took."""
    return re.sub(r'"execution_time":[0-9.e-]+', "", text)


@pytest.mark.parametrize("path", ["/v1/files", "/v1/fine_tuning/jobs", "/v1/models"])
def test_never_in_a_list_nor_as_a_cursor(tenants: tuple[Tenant, Tenant], path: str) -> None:
    own, other = tenants
    text = own.ask("GET", path, params={"limit": 100} if path != "/v1/models" else {}).text
    assert not any(name in text for name in other.things())
    assert any(name in text for name in own.things())
    if path != "/v1/models":
        cursor = other.file if path == "/v1/files" else other.job
        assert own.ask("GET", path, params={"after": cursor}).status_code == 400


def test_without_a_key_or_with_a_wrong_one_nothing_answers(tenants: tuple[Tenant, Tenant]) -> None:
    own = tenants[0]
    for method, path in routes(own.app) - {("GET", "/healthz")}:
        for headers in ({}, {"authorization": "Bearer sk-wrong"}, {"authorization": "Basic eHg="}):
            answer = own.http.request(method, filled(path, own), headers=headers)
            assert answer.status_code == 401, (method, path, answer.text)


def snapshot(tenant: Tenant) -> list[str]:
    """What a tenant sees of its own."""
    paths = ["/v1/files", "/v1/fine_tuning/jobs", "/v1/models", f"/v1/fine_tuning/jobs/{tenant.job}/events",
             f"/v1/fine_tuning/jobs/{tenant.job}/checkpoints", f"/v1/files/{tenant.file}/content"]
    permissions = tenant.ask("GET", f"/v1/fine_tuning/checkpoints/{tenant.model}/permissions", headers=tenant.admin)
    return [*(tenant.ask("GET", path).text for path in paths), permissions.text]


def test_names_from_users_never_reach_the_file_system(tenants: tuple[Tenant, Tenant]) -> None:
    own = tenants[0]
    before = sorted(path for path in Path(own.app.state.settings.state).rglob("*") if "sqlite" not in path.name)
    for name in ("../../x.jsonl", "/etc/x.jsonl", "..\\..\\x.jsonl"):
        answer = own.ask("POST", "/v1/files", files={"file": (name, b"{}\n"), "purpose": (None, "fine-tune")}).json()
        assert answer["filename"] == "x.jsonl"
        own.ask("DELETE", f"/v1/files/{answer['id']}")
    for path in ("..%2F..%2Flocaltune.sqlite", "%2e%2e", "....//lock"):
        assert own.ask("GET", f"/v1/files/{path}/content").status_code == 404
        assert own.ask("GET", f"/v1/models/{path}").status_code == 404
    after = sorted(path for path in Path(own.app.state.settings.state).rglob("*") if "sqlite" not in path.name)
    assert [path for path in after if path.is_file()] == [path for path in before if path.is_file()]
