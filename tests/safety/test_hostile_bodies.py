"""Bodies that are legal enough to be read and made to break what reads them."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from localtune.api import chat
from localtune.graders import templates
from tests.safety.fuzzing import check, http
from tests.service.harness import MODEL, PATIENCE, chat_lines

__all__ = ["http"]

CHAT, JOBS, GRADE = "/v1/chat/completions", "/v1/fine_tuning/jobs", "/v1/fine_tuning/alpha/graders/run"
ASKED = [{"role": "user", "content": "Hi"}]
EQUAL = {"type": "string_check", "name": "g", "operation": "eq", "input": "{{item.a}}", "reference": "x"}
JSON = {"content-type": "application/json"}


def post(http: TestClient, path: str, body: Any) -> httpx.Response:
    """The answer to JSON written in ASCII, as most clients write it; always in the API's form."""
    answer = http.post(path, content=json.dumps(body), headers=JSON)
    check(path, answer)
    return answer


@pytest.mark.parametrize(("path", "body"), [
    (CHAT, {"model": "\ud800", "messages": ASKED}),
    (CHAT, {"model": MODEL, "messages": [{"role": "user", "content": "\udc00 Hi"}]}),
    (CHAT, {"model": MODEL, "messages": ASKED, "stop": "\ud800"}),
    (JOBS, {"model": MODEL, "training_file": "\ud800"}),
    (JOBS, {"model": MODEL, "training_file": "file-x", "\ud800": 1}),
    (JOBS, {"model": MODEL, "training_file": "file-x", "metadata": {"\ud800": ""}}),
    (GRADE, {"grader": EQUAL, "model_sample": "x", "item": {"a": ["\ud800"]}}),
])
def test_half_of_a_surrogate_pair_is_no_text(http: TestClient, path: str, body: dict[str, Any]) -> None:
    answer = post(http, path, body)
    assert answer.status_code == 400 and "half of a surrogate pair" in answer.json()["error"]["message"]


def test_characters_beyond_the_first_plane_are_text(http: TestClient) -> None:
    answer = post(http, GRADE, {"grader": EQUAL | {"reference": "\U0001f600"}, "model_sample": "", "item": {"a": "\U0001f600"}})
    assert answer.json()["reward"] == 1.0


@pytest.mark.parametrize("content", [b'{"model": "\xed\xa0\x80"}', '{"model": "x"}'.encode("utf-16-le"), b'{"model": "\xff"}'])
def test_json_is_utf8(http: TestClient, content: bytes) -> None:
    answer = http.post(JOBS, content=content, headers=JSON)
    check(content, answer)
    assert answer.status_code == 400 and "could not parse the JSON body" in answer.json()["error"]["message"]


def test_a_body_that_is_not_said_to_be_json(http: TestClient) -> None:
    answer = http.post(JOBS, content=b"{}", headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400 and "Content-Type: application/json" in answer.json()["error"]["message"]


def test_numbers_of_thousands_of_digits(http: TestClient) -> None:
    digits = "9" * 5_000
    assert post(http, CHAT, {"model": MODEL, "messages": ASKED, "logit_bias": {digits: 1}}).status_code == 400
    form = {
        "file": ("a.jsonl", chat_lines(1)), "purpose": (None, "fine-tune"), "expires_after[anchor]": (None, "created_at"),
        "expires_after[seconds]": (None, digits),
    }
    answer = http.post("/v1/files", files=form)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "expires_after.seconds"
    assert http.get("/v1/files", params={"limit": digits}).status_code == 400
    graded = post(http, GRADE, {"grader": EQUAL | {"input": f"{{{{item.{digits}}}}}"}, "model_sample": "", "item": [1]})
    assert graded.json()["metadata"]["errors"]["invalid_variable_error"]


def test_a_filter_has_as_many_pairs_as_a_job(http: TestClient) -> None:
    for count, status in ((16, 200), (17, 400), (1_500, 400)):
        query = "&".join(f"metadata[{number}]=" for number in range(count))
        assert http.get(f"{JOBS}?{query}").status_code == status


def test_only_uploads_are_read_as_forms(http: TestClient) -> None:
    """What calls itself multipart has no right to be longer than other bodies elsewhere."""
    too_long = b"x" * (http.app.state.settings.max_body_bytes + 1)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    for path in ("/v1/moderations", CHAT, "/v1/files/x", "/v1/uploads"):
        assert http.post(path, content=too_long, headers=headers).status_code == 413, path


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_megabytes_are_refused_without_counting_their_tokens(http: TestClient, path: str) -> None:
    text = "a b " * 3_000_000  # counting took minutes and two gigabytes
    asked = {"messages": [{"role": "user", "content": text}]} if path == CHAT else {"prompt": ["x", text]}
    answer = post(http, path, {"model": MODEL, **asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert "more than 1024 tokens" in answer.json()["error"]["message"]


def test_a_moderation_reads_so_much_text(http: TestClient) -> None:
    for texts in (["x" * 400_000] * 3, [{"type": "text", "text": "x" * 400_000}] * 3):
        answer = post(http, "/v1/moderations", {"input": texts})
        assert answer.status_code == 400 and "at most 1000000 characters" in answer.json()["error"]["message"]


def test_a_graders_seed_fits_the_models(http: TestClient) -> None:
    grader = {"type": "score_model", "name": "g", "model": MODEL, "input": ASKED, "sampling_params": {"seed": 2**80}}
    answer = post(http, GRADE, {"grader": grader, "model_sample": "x"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "grader.sampling_params.seed")


def test_one_request_asks_for_so_many_texts(http: TestClient) -> None:
    answer = post(http, "/v1/completions", {"model": MODEL, "prompt": ["a"] * 1_025, "n": 2})
    assert answer.status_code == 400 and "2050 texts; at most 2048" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("path", "asked"), [
    (CHAT, {"messages": ASKED, "n": 12, "max_tokens": 1_000, "logprobs": True, "top_logprobs": 20}),
    (CHAT, {"messages": ASKED, "n": 128, "logprobs": True, "top_logprobs": 20}),
    ("/v1/completions", {"prompt": ["a"] * 2_000, "max_tokens": 126}),
    ("/v1/completions", {"prompt": ["a " * 400] * 200, "max_tokens": 0, "echo": True, "logprobs": 5}),
])
def test_one_answer_holds_so_many_values(http: TestClient, path: str, asked: dict[str, Any]) -> None:
    answer = post(http, path, {"model": MODEL, **asked})
    assert answer.status_code == 400 and "at most 250,000 are given at once" in answer.json()["error"]["message"]


def test_others_are_answered_while_a_large_answer_is_written(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, release, released = threading.Event(), threading.Event(), []
    completion = chat.completion

    def slow(*arguments: Any) -> Any:
        writing.set()
        released.append(release.wait(PATIENCE))
        return completion(*arguments)

    monkeypatch.setattr(chat, "completion", slow)
    asking = threading.Thread(target=post, args=(http, CHAT, {"model": MODEL, "messages": ASKED, "max_tokens": 1}))
    asking.start()
    assert writing.wait(PATIENCE) and http.get("/healthz").status_code == 200
    release.set()
    asking.join()
    assert released == [True]


def test_a_template_cannot_multiply_a_sample(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    grader = EQUAL | {"input": "{{sample.output_text}}" * 40_000}
    graded = post(http, GRADE, {"grader": grader, "model_sample": "x" * 1_000_000}).json()  # would be 40 GB
    assert graded["reward"] == 0 and graded["metadata"]["errors"]["truncated_observation_error"]
    monkeypatch.setattr(templates, "MAX_CHARACTERS", 22 + 5)
    assert templates.fill("{{sample.output_text}}", {"sample": {"output_text": "12345"}}) == "12345"


def test_parts_of_any_size_are_joined(http: TestClient) -> None:
    """Short reads, one after the other, must not leave too little room for a long one."""
    first = b'{"a": 1}\n'
    pieces = [first, first, first * 300_000, first]
    made = http.post("/v1/uploads", json={
        "filename": "a.jsonl", "purpose": "fine-tune", "bytes": sum(map(len, pieces)), "mime_type": "text/jsonl",
    }).json()
    path = f"/v1/uploads/{made['id']}"
    parts = [http.post(f"{path}/parts", files={"data": piece}).json()["id"] for piece in pieces]
    done = http.post(f"{path}/complete", json={"part_ids": parts, "md5": "0" * 32})
    assert done.status_code == 400 and "checksum" in done.json()["error"]["message"]
    done = http.post(f"{path}/complete", json={"part_ids": parts})
    assert done.status_code == 200, done.text
    assert http.get(f"/v1/files/{done.json()['file']['id']}/content").content == b"".join(pieces)


@pytest.mark.parametrize("wanted", ["bytes=0-1", "bytes=999999-", "bytes=5-1", "bytes=x", "lines=1"])
def test_a_file_comes_whole(http: TestClient, wanted: str) -> None:
    form = {"file": ("a.jsonl", chat_lines(1)), "purpose": (None, "fine-tune")}
    file = http.post("/v1/files", files=form).json()["id"]
    answer = http.get(f"/v1/files/{file}/content", headers={"range": wanted})
    assert (answer.status_code, answer.content) == (200, chat_lines(1))
    assert answer.headers["accept-ranges"] == "none"


def test_requests_at_once_cannot_pass_the_limit_of_jobs(http: TestClient) -> None:
    form = {"file": ("a.jsonl", chat_lines(10)), "purpose": (None, "fine-tune")}
    key = {"authorization": f"Bearer {http.app.state.store.keys.add('eager')}"}
    file = http.post("/v1/files", files=form, headers=key).json()["id"]
    limits, answers = http.app.state.limits, []
    before = limits.settings
    limits.settings = limits.settings.__class__(**{**vars(before), "max_unfinished_jobs": 3})

    def create() -> None:
        answers.append(http.post(JOBS, json={"model": MODEL, "training_file": file}, headers=key).status_code)

    threads = [threading.Thread(target=create) for _ in range(12)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        limits.settings = before
    assert sorted(answers) == [200] * 3 + [429] * 9
