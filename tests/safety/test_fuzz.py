"""Whatever is sent, the service answers in the API's form and never with a fault of its own.

`python3 start.py bench fuzz` is the long run.
"""

from __future__ import annotations

import json
from collections import Counter

import openai
import pytest
from fastapi.testclient import TestClient
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from tests.safety.fuzzing import CASES, QUIET, SEED, admin_key, check, http, nothing_leaks, things
from tests.safety.requests import requests
from tests.service.harness import MODEL, chat_lines

__all__ = ["http"]

STEPS = 20  # of one client's life
REQUESTS = 5  # at least, of one step: what was promised is looked at after each


def test_no_request_is_the_services_fault(http: TestClient) -> None:
    app = http.app
    ids, admin = things(http), admin_key(http)
    answers: Counter[int] = Counter()

    @seed(SEED)
    @settings(QUIET, max_examples=CASES)
    @given(requests(app.openapi(), ids))
    def case(request: dict) -> None:
        headers = {**request.pop("headers", {}), **(admin if "permissions" in request["url"] else {})}
        answer = http.request(**request, headers=headers)
        answers[answer.status_code] += 1
        check(request, answer)

    with nothing_leaks(http):
        case()
    print(f"{answers.total()} requests: {dict(sorted(answers.items()))}")


class Learner(RuleBasedStateMachine):
    """A client with the official SDK that remembers what it was promised."""

    client: openai.OpenAI
    files, jobs = Bundle("files"), Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, bytes] = {}
        self.status: dict[str, str] = {}

    @rule(target=files, count=st.integers(1, 12), first=st.text(st.characters(codec="utf-8"), max_size=10))
    def upload(self, count: int, first: str) -> str:
        data = chat_lines(count, first)
        file = self.client.files.create(file=("a.jsonl", data), purpose="fine-tune")
        self.kept[file.id] = data
        return file.id

    @rule(file=consumes(files))
    def delete(self, file: str) -> None:
        assert self.client.files.delete(file).deleted
        del self.kept[file]
        with pytest.raises(openai.NotFoundError):
            self.client.files.retrieve(file)

    @rule(target=jobs, file=files, suffix=st.none() | st.text("abc-", min_size=1, max_size=5))
    def train(self, file: str, suffix: str | None) -> str:
        options = {} if suffix is None else {"suffix": suffix}
        job = self.client.fine_tuning.jobs.create(model=MODEL, training_file=file, **options)
        self.status[job.id] = job.status
        return job.id

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        if self.status[job] == "cancelled":
            with pytest.raises(openai.BadRequestError):
                self.client.fine_tuning.jobs.cancel(job)
        else:
            self.status[job] = self.client.fine_tuning.jobs.cancel(job).status
            assert self.status[job] == "cancelled"

    @rule(job=jobs)
    def pause(self, job: str) -> None:
        with pytest.raises(openai.BadRequestError):  # nothing runs here
            self.client.fine_tuning.jobs.pause(job)

    @rule(limit=st.integers(1, 5))
    def page(self, limit: int) -> None:
        listed = [file.id for file in self.client.files.list(limit=limit, order="asc")]
        assert [name for name in listed if name in self.kept] == list(self.kept)

    @invariant()
    def what_was_promised_is_there(self) -> None:
        for file, data in list(self.kept.items())[-2:]:
            assert self.client.files.content(file).content == data
        for job, status in list(self.status.items())[-2:]:
            assert self.client.fine_tuning.jobs.retrieve(job).status == status


def test_the_sdk_gets_what_it_was_promised(http: TestClient) -> None:
    answers: Counter[int] = Counter()
    http.event_hooks = {"response": [lambda answer: answers.update([answer.status_code])]}
    Learner.client = openai.OpenAI(base_url="http://localhost/v1", api_key="sk-local", max_retries=0, http_client=http)
    chosen = settings(QUIET, max_examples=max(5, CASES // (STEPS * REQUESTS)), stateful_step_count=STEPS)
    with nothing_leaks(http):
        run_state_machine_as_test(seed(SEED)(Learner), settings=chosen)
    print(f"{answers.total()} requests of the SDK in {chosen.max_examples} lives: {dict(sorted(answers.items()))}")
    assert max(answers) < 500


def test_fuzzing_finds_a_fault_that_is_there(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: with a bug put in, the first test fails."""
    monkeypatch.setattr("localtune.store.jobs.Jobs.page", lambda *_: json.loads("no JSON"))
    monkeypatch.setitem(globals(), "QUIET", settings(QUIET, phases=(Phase.generate,)))  # nobody reads the smallest case
    with pytest.raises(AssertionError, match="The server had an error"):
        test_no_request_is_the_services_fault(http)
