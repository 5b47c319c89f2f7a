"""Questions that arrive together for one model are answered in one batch, through HTTP and all."""

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
PATIENCE = 20  # seconds


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    tiny_base(tmp_path / "bases" / "small")
    store = Store(tmp_path / "state")
    settings = Settings(state=tmp_path / "state", bases=tmp_path / "bases", worker=("sleep", "600"))
    with TestClient(create_app(settings, store), base_url="http://localhost", headers={"authorization": "Bearer sk-local"}) as client:
        yield client
    store.close()


def ask(http: TestClient, question: str) -> str:
    """An answer of exactly `TOKENS` tokens: the two that would end it are forbidden."""
    answer = http.post("/v1/chat/completions", json={
        "model": MODEL, "messages": [{"role": "user", "content": question}], "max_tokens": TOKENS, "temperature": 0,
        "logit_bias": {"0": -100, "2": -100},
    })
    assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] == TOKENS, answer.text
    return answer.json()["choices"][0]["message"]["content"]


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
        deadline = time.monotonic() + PATIENCE
        while engine._inbox.qsize() < CLIENTS and time.monotonic() < deadline:
            time.sleep(0.01)
        gate.set()
        assert [answer.result() for answer in answers] == alone
    assert sizes == [CLIENTS] * (TOKENS - 1)  # the first token comes with the reading of the prompts
