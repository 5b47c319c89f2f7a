"""How much one request and one key may ask for, and how that is told."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from localtune.__main__ import main
from localtune.api.app import create_app
from localtune.api.body import depth
from localtune.config import Settings
from localtune.store import Store
from localtune.store.keys import PROJECT
from tests.service.conftest import bases, new_service
from tests.service.harness import MODEL, PATIENCE, Service, chat_lines, create, upload
from tests.tiny import tiny_base

__all__ = ["bases", "new_service"]

TIGHT = {
    "max_body_bytes": 2_000, "max_json_depth": 8, "max_open_requests": 2, "max_requests_per_minute": 40,
    "max_unfinished_jobs": 2,
}


@pytest.fixture
def tight(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps(TIGHT))
    yield new_service.start().client()


def test_long_and_deep_bodies_are_refused_before_they_are_read(tight: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        tight.fine_tuning.jobs.create(model="m" * 3_000, training_file="f")
    assert caught.value.status_code == 413
    deep: object = "x"
    for _ in range(10):
        deep = [deep]
    with pytest.raises(openai.BadRequestError, match="more than 8 levels deep"):
        tight.post("/fine_tuning/jobs", body={"model": deep}, cast_to=object)


def test_a_key_has_so_many_unfinished_jobs(tight: openai.OpenAI, new_service: Service) -> None:
    jobs = [create(tight, "slow", hyperparameters={"n_epochs": 50}) for _ in range(2)]
    with pytest.raises(openai.RateLimitError) as caught:
        create(tight)
    assert caught.value.code == "rate_limit_exceeded" and int(caught.value.response.headers["retry-after"]) > 0
    other = new_service.client(Store(new_service.state).keys.add("other"))
    assert create(other).status == "validating_files"  # its own count
    tight.fine_tuning.jobs.cancel(jobs[1].id)
    assert create(tight).id


def test_a_key_has_so_many_requests_a_minute(tight: openai.OpenAI, new_service: Service) -> None:
    with pytest.raises(openai.RateLimitError, match="at most 40 requests per min") as caught:
        for _ in range(60):
            tight.files.list()
    assert caught.value.response.headers["retry-after"] in ("1", "2")  # a place becomes free every 1.5 s
    assert new_service.client(Store(new_service.state).keys.add("other")).files.list().data == []


def test_only_so_many_requests_at_once(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps({"max_open_requests": 2}))
    client = new_service.start().client()
    begun, release = threading.Semaphore(0), threading.Event()

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        begun.release()
        release.wait(120)
        yield b'{}\n\r\n--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--x--\r\n'

    def send() -> None:
        headers = {"authorization": "Bearer sk-local", "content-type": "multipart/form-data; boundary=x"}
        client._client.post(f"{new_service.url}/files", content=body(), headers=headers)

    senders = [threading.Thread(target=send) for _ in range(2)]
    try:
        for sender in senders:
            sender.start()
            assert begun.acquire(timeout=60)
        with pytest.raises(openai.RateLimitError, match="at most 2 requests at once"):
            for _ in range(2_000):  # what was sent may still be on its way
                client.files.list()
                time.sleep(0.02)
    finally:
        release.set()
        for sender in senders:
            sender.join()
    assert len(client.files.list().data) == 2


@pytest.mark.parametrize("settings", [{"max_state_bytes": 1000}, {"min_free_bytes": 1 << 60}])
def test_a_full_state_folder_takes_nothing_more(
    new_service: Service, monkeypatch: pytest.MonkeyPatch, settings: dict[str, int]
) -> None:
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps(settings))
    client = new_service.start().client()
    with pytest.raises(openai.InternalServerError, match="Delete files or models") as caught:
        upload(client, chat_lines(10))
    assert (caught.value.status_code, caught.value.code) == (507, "insufficient_storage")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert client.files.list().data == []


def test_depth_counts_brackets_outside_strings() -> None:
    assert depth(b'{"a": [1, {"b": "[[[[\\"[["}], "c": []}', 64) == 3
    assert depth(b"[" * 1_000_000, 64) == 65
    assert depth(b'"' + b'\\"[' * 1_000_000, 64) == 0  # a string that does not end
    assert depth(b"]]]][", 64) <= 1


def test_keys_are_kept_as_prefix_and_hash(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = store.keys.add("Ana")
    row = next(row for row in store.keys.list() if row["name"] == "Ana")
    assert (row["prefix"], row["sha256"]) == (key[:11], hashlib.sha256(key.encode()).hexdigest())
    assert store.keys.find(key) and not store.keys.find(key[:-1]) and not store.keys.find(key[:11])
    store.close()
    assert key.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_another_host_demands_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--port", "0", "--state", str(tmp_path)]) == 2
    assert "add --keys" in capsys.readouterr().err
    Settings(state=tmp_path, host="0.0.0.0", own_keys_only=True).check_host()
    Settings(state=tmp_path).check_host()


@pytest.mark.parametrize("wrong", [{"max_body_bytes": 0}, {"max_open_requests": 0}, {"hung_after_seconds": 0}])
def test_limits_of_nothing_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(state=tmp_path, **wrong)


def limited(tmp_path: Path, **limits: int) -> tuple[FastAPI, Store]:
    """A service in this process, with a base and a worker that does nothing."""
    tiny_base(tmp_path / "bases" / "small")
    store = Store(tmp_path / "state")
    settings = Settings(state=tmp_path / "state", bases=tmp_path / "bases", worker=("sleep", "60"), **limits)
    return create_app(settings, store), store


def test_no_route_is_without_limits(tmp_path: Path) -> None:
    """Every address but the one that says whether the service is well, admin keys included."""
    app, store = limited(tmp_path, max_requests_per_minute=1)
    with TestClient(app, base_url="http://localhost") as http:
        for path, methods in app.openapi()["paths"].items():
            for method in set(methods) if path != "/healthz" else ():
                key = store.permissions.add_admin_key(PROJECT) if "permissions" in path else store.keys.add(path)
                answers = [http.request(method, path, headers={"authorization": f"Bearer {key}"}) for _ in range(2)]
                assert answers[0].status_code != 429 and answers[1].status_code == 429, (method, path)
                assert int(answers[1].headers["retry-after"]) > 0
    store.close()


def test_an_answer_counts_until_its_stream_ends(tmp_path: Path) -> None:
    app, store = limited(tmp_path, max_open_requests=1)
    with served(app) as url:
        client = openai.OpenAI(base_url=url, api_key="sk-local", max_retries=0)
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True, n=32, max_tokens=900,
            logit_bias={"0": -100, "1": -100, "2": -100},  # no end before that
        )
        next(iter(stream))
        with pytest.raises(openai.RateLimitError, match="at most 1 requests at once"):
            client.files.list()
        stream.close()
        assert free(client), "a client that left still counts"
    store.close()


def free(client: openai.OpenAI) -> bool:
    """Whether a request is taken before long."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return client.files.list().data == []
        except openai.RateLimitError:
            time.sleep(0.05)
    return False


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application behind a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()
