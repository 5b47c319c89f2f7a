"""Questions that arrive together for one model are answered in one batch, and keys take turns, through HTTP and all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from localtune.api.app import create_app
from localtune.config import Settings
from localtune.infer.runner import Runner
from localtune.store import Store
from tests.service.harness import MODEL
from tests.tiny import tiny_base

TOKENS, CLIENTS = 24, 12
QUESTIONS = [f"What is {number} times 12?" for number in range(CLIENTS)]
PATIENCE = 300  # seconds


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    tiny_base(tmp_path / "bases" / "small")
    store = Store(tmp_path / "state")
    settings = Settings(state=tmp_path / "state", bases=tmp_path / "bases", worker=("sleep", "600"))
    key = {"authorization": "Bearer sk-local"}
    with TestClient(create_app(settings, store), base_url="http://localhost", headers=key) as client:
        yield client
    store.close()


def ask(http: TestClient, question: str, key: str = "sk-local", n: int = 1) -> str:
    """An answer of exactly `TOKENS` tokens for each choice: the two that would end it are forbidden."""
    answer = http.post("/v1/chat/completions", headers={"authorization": f"Bearer {key}"}, json={
        "model": MODEL, "messages": [{"role": "user", "content": question}], "max_tokens": TOKENS, "temperature": 0,
        "logit_bias": {"0": -100, "2": -100}, "n": n,
    })
    assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] == n * TOKENS, answer.text
    return answer.json()["choices"][0]["message"]["content"]


def wait_for_inbox(http: TestClient, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while http.app.state.engine._inbox.qsize() < count and time.monotonic() < deadline:
        time.sleep(0.01)


def test_questions_that_come_together_share_every_step(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [ask(http, question) for question in QUESTIONS]
    sizes: list[int] = []
    decode = Runner._decode

    def counted(runner: Runner) -> None:
        sizes.append(len(runner.active))
        decode(runner)

    monkeypatch.setattr(Runner, "_decode", counted)
    engine, gate = http.app.state.engine, threading.Event()
    engine._post(gate.wait)  # the engine looks up when everybody's question is there
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(ask, http, question) for question in QUESTIONS]
        wait_for_inbox(http, CLIENTS)
        gate.set()
        assert [answer.result() for answer in answers] == alone
    assert sizes == [CLIENTS] * (TOKENS - 1)  # the first token comes with the reading of the prompts


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_one_key_with_many_texts_does_not_keep_another_waiting(
    http: TestClient, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    """Two places: the first key has asked for six texts when the second asks for one, and is in the first batch with it."""
    keys = [http.app.state.store.keys.add(name) for name in ("eager", "patient")]
    projects = [http.app.state.store.keys.find(key).project for key in keys]
    engine, gate, batches = http.app.state.engine, threading.Event(), []
    engine.max_slots = 2
    decode = Runner._decode

    def seen(runner: Runner) -> None:
        batches.append([sequence.request.owner for sequence in runner.active])
        decode(runner)

    def many(key: str, n: int) -> None:
        if endpoint == "chat":
            ask(http, QUESTIONS[0], key, n)
        else:
            asked = {"model": MODEL, "prompt": ["a"] * n, "max_tokens": TOKENS, "logit_bias": {"0": -100, "1": -100, "2": -100}}
            http.post("/v1/completions", headers={"authorization": f"Bearer {key}"}, json=asked).raise_for_status()

    monkeypatch.setattr(Runner, "_decode", seen)
    engine._post(gate.wait)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(many, keys[0], 6)
        wait_for_inbox(http, 6)
        second = pool.submit(many, keys[1], 1)
        wait_for_inbox(http, 7)
        gate.set()
        first.result(), second.result()
    assert sorted(batches[0]) == sorted(projects)
    assert projects[1] not in batches[-1]
