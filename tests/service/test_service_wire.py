"""Errors, headers and keys as any HTTP client sees them: never a framework's own words."""

from __future__ import annotations

import httpx2 as httpx
import openai
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from localtune import __version__
from localtune.api.auth import masked
from localtune.api.errors import APIError
from localtune.api.handlers import Activity, install
from localtune.store import Store
from tests.service.harness import Service

LOCAL = {"Authorization": "Bearer sk-local"}


def error_of(response: httpx.Response) -> dict[str, object]:
    assert list(response.json()) == ["error"]
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/nothing", 404, "Invalid URL (GET /v1/nothing)"),
        ("GET", "/files/", 404, "Invalid URL (GET /v1/files/)"),
        ("PUT", "/files", 405, "Not allowed to PUT on /v1/files."),
        ("GET", "/files?limit=0", 400, "invalid limit: 0, ensure this value is greater than or equal to 1"),
        ("GET", "/files?limit=x", 400, "invalid limit: x, value is not a valid integer"),
        ("GET", "/files?order=up", 400, "invalid order: up, unexpected value; permitted: 'asc' or 'desc'"),
        ("GET", "/files?after=file-x", 400, "invalid after: file-x, no such object in this list"),
        ("POST", "/files", 400, "'file' is a required property"),
        ("POST", "/fine_tuning/jobs", 400, "The request needs a JSON body."),
    ],
)
def test_every_error_has_the_envelope(service: Service, method: str, path: str, status: int, message: str) -> None:
    response = httpx.request(method, service.url + path, headers=LOCAL)
    assert response.status_code == status
    assert error_of(response)["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ("{", "We could not parse the JSON body of your request", None),
        ("[]", "invalid body: [], value is not a valid dict", "body"),
        ('{"model": "small"}', "Missing required parameter: 'training_file'.", "training_file"),
        ('{"model": 5, "training_file": "x"}', "invalid model: 5, str type expected", "model"),
        ('{"model": "small", "training_file": "x", "seed": "1"}', "invalid seed: 1, value is not", "seed"),
        ('{"model": "small", "training_file": "x", "seed": true}', "invalid seed: true, value is not", "seed"),
        ('{"model": "small", "training_file": "x", "metadata": {"a": 1}}', "invalid metadata.a: 1", "metadata.a"),
    ],
)
def test_wrong_bodies(service: Service, body: str, message: str, param: str | None) -> None:
    headers = {**LOCAL, "content-type": "application/json"}
    response = httpx.post(f"{service.url}/fine_tuning/jobs", content=body, headers=headers)
    assert response.status_code == 400
    assert error_of(response)["message"].startswith(message)
    assert error_of(response)["param"] == param


def test_headers_of_answers_and_errors(service: Service) -> None:
    for response in (httpx.get(f"{service.url}/models", headers=LOCAL), httpx.get(f"{service.url}/models")):
        assert response.headers["openai-version"] == "2020-10-01"
        assert response.headers["openai-organization"] == "localtune"
        assert response.headers["x-localtune"] == __version__
        assert response.headers["x-request-id"].startswith("req_")


def test_keys(service: Service) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        service.client("sk-abcdefghijklmnopwxyz").models.list()
    assert error.value.body == {
        "message": "Incorrect API key provided: sk-abcd********wxyz. "
        "You can find your API key at https://platform.openai.com/account/api-keys.",
        "type": "invalid_request_error", "param": None, "code": "invalid_api_key",
    }
    missing = httpx.get(f"{service.url}/models")
    assert missing.status_code == 401
    assert error_of(missing)["message"].startswith("You didn't provide an API key.")


def test_added_keys_work_until_revoked(service: Service) -> None:
    store = Store(service.state)
    key = store.keys.add("somebody")
    assert service.client(key).files.list().data == []
    assert store.keys.revoke("sk-") == 2  # ambiguous: nothing happens
    assert store.keys.revoke(key[:11]) == 1
    with pytest.raises(openai.AuthenticationError):
        service.client(key).files.list()
    secrets = [row["sha256"] + row["prefix"] for row in store.keys.list()]
    assert not any(key in secret for secret in secrets)


def test_the_key_everybody_knows_opens_only_under_local_names(service: Service) -> None:
    asked = [httpx.get(f"{service.url}/models", headers={**LOCAL, "Host": host}).status_code
        for host in ("localhost:8123", "[::1]:8123", "127.0.0.1", "page.example:8123")]
    assert asked == [200, 200, 200, 401]
    own = {"Authorization": f"Bearer {Store(service.state).keys.add('somebody')}", "Host": "page.example"}
    assert httpx.get(f"{service.url}/models", headers=own).status_code == 200


def test_a_mask_never_shows_the_whole_key() -> None:
    assert masked("sk-1") == "sk-*"
    assert masked("sk-abcdefghijklmnopwxyz") == "sk-abcd********wxyz"


def test_health_needs_no_key(service: Service) -> None:
    health = httpx.get(service.url.removesuffix("/v1") + "/healthz").json()
    assert (health["status"], health["version"]) == ("ok", __version__)
    assert health["base"] == {"small": {"parameters": 6}}
    assert set(health["jobs"]) == {"running", "queued"}


@pytest.fixture
def small_app() -> TestClient:
    app = FastAPI()
    app.state.activity = Activity()
    install(app)

    @app.get("/quota")
    def quota() -> None:
        raise APIError(429, "No money.", code="insufficient_quota", type="insufficient_quota")

    @app.get("/rate")
    def rate() -> None:
        raise APIError(429, "Slowly.", code="rate_limit_exceeded", type="requests")

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("a secret of the implementation")

    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


def test_retries_are_discouraged_only_where_they_cannot_help(small_app: TestClient) -> None:
    assert small_app.get("/quota").headers["x-should-retry"] == "false"
    assert "x-should-retry" not in small_app.get("/rate").headers


def test_a_bug_shows_no_secrets(small_app: TestClient) -> None:
    response = small_app.get("/bug")
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert response.headers["x-request-id"] in response.json()["error"]["message"]
    assert "secret" not in response.text
