"""What every request shares: keys, envelopes, headers, retries."""

from __future__ import annotations

import json

import httpx2
import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.surface import covers
from tests.conformance.target import Target

ENVELOPE = {"message", "type", "param", "code"}


def error_of(response: httpx2.Response) -> dict[str, object]:
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == ENVELOPE
    assert isinstance(body["error"]["message"], str) and isinstance(body["error"]["type"], str)
    return body["error"]


@pytest.mark.live
@covers("wire", "authentication", "error envelope")
def test_a_wrong_key_is_refused(target: Target) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        target.client("sk-abcdefghijklmnopwxyz").models.list()
    assert error.value.code == "invalid_api_key" and error.value.param is None
    assert error.value.body["message"].startswith("Incorrect API key provided: sk-abcd********wxyz.")


@pytest.mark.live
@covers("wire", "authentication", "error envelope", "request ids")
def test_a_missing_key_is_refused(target: Target) -> None:
    response = httpx2.get(f"{target.url}/models", timeout=target.patience, trust_env=target.proxies)
    assert response.status_code == 401 and response.headers["x-request-id"]
    assert error_of(response)["type"] == "invalid_request_error"


@pytest.mark.live
@covers("wire", "request ids", "openai headers")
def test_answers_and_errors_carry_a_request_id(target: Target) -> None:
    with target.http() as http:
        answers = [http.get("/models"), http.get("/models"), http.get("/files/file-x")]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert all(answer.headers["openai-version"] == "2020-10-01" for answer in answers)
    assert all(int(answer.headers["openai-processing-ms"]) >= 0 for answer in answers)
    assert all(answer.headers["openai-organization"] for answer in answers)


@pytest.mark.live
@covers("wire", "request ids", "SDK shapes")
def test_the_sdk_finds_the_request_id(client: openai.OpenAI) -> None:
    assert client.models.list()._request_id
    with pytest.raises(openai.NotFoundError) as error:
        client.files.retrieve("file-x")
    assert error.value.request_id


@covers("wire", "unknown addresses and methods", "error envelope")
@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing", 404), ("POST", "/files/x/y/z", 404), ("PUT", "/files", 405), ("DELETE", "/fine_tuning/jobs", 405),
])
def test_unknown_addresses_have_the_envelope_too(target: Target, method: str, path: str, status: int) -> None:
    with target.http() as http:
        response = http.request(method, path)
    assert response.status_code == status and error_of(response)["type"] == "invalid_request_error"


@covers("wire", "error envelope", "wrong types and bounds")
@pytest.mark.parametrize(("body", "message"), [
    ("{", "We could not parse the JSON body of your request"), ("", "The request needs a JSON body."),
    ("[]", "invalid body: []"),
    ('{"model": 5, "training_file": "x"}', "invalid model: 5, str type expected"),
    ('{"training_file": "x"}', "Missing required parameter: 'model'."),
])
def test_bodies_that_are_none_have_the_envelope_too(target: Target, body: str, message: str) -> None:
    with target.http() as http:
        response = http.post("/fine_tuning/jobs", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400 and str(error_of(response)["message"]).startswith(message)


@covers("wire", "unknown fields")
@pytest.mark.parametrize(("path", "body", "message"), [
    ("/chat/completions", {"messages": [{"role": "user", "content": "x"}], "best": 1},
     "Unrecognized request argument supplied: best"),
    ("/completions", {"prompt": "x", "max_completion_tokens": 1},
     "Unrecognized request argument supplied: max_completion_tokens"),
    ("/fine_tuning/jobs", {"training_file": "x", "start": True}, "invalid start, extra fields not permitted"),
])
def test_unknown_fields_are_refused(target: Target, path: str, body: dict[str, object], message: str) -> None:
    with target.http() as http:
        response = http.post(path, json={"model": target.model, **body})
    assert response.status_code == 400 and error_of(response)["message"] == message


@pytest.mark.live
@covers("wire", "wrong types and bounds")
@covers("files.list", "limit", "order", "after")
@covers("fine_tuning.jobs.list", "limit", "after")
@pytest.mark.parametrize(("query", "message"), [
    ("/files?limit=0", "invalid limit: 0, ensure this value is greater than or equal to 1"),
    ("/files?limit=10001", "invalid limit: 10001, ensure this value is less than or equal to 10000"),
    ("/files?order=up", "invalid order: up, unexpected value; permitted: 'asc' or 'desc'"),
    ("/files?after=file-x", "invalid after: file-x"), ("/fine_tuning/jobs?limit=x", "invalid limit: x, value is not a valid"),
    ("/fine_tuning/jobs?after=ftjob-x", "invalid after: ftjob-x"),
])
def test_queries_out_of_bounds_are_refused(target: Target, query: str, message: str) -> None:
    with target.http() as http:
        response = http.get(query)
    assert response.status_code == 400 and str(error_of(response)["message"]).startswith(message)


@pytest.mark.local
@covers("wire", "retries")
@covers("models.delete", "model")
def test_a_conflict_is_not_tried_again(target: Target, trained: FineTuningJob) -> None:
    client = target.client(retries=2)
    job = client.fine_tuning.jobs.create(
        model=trained.fine_tuned_model, training_file=trained.training_file, hyperparameters={"n_epochs": 50},
    )
    with pytest.raises(openai.ConflictError, match=job.id) as error:
        client.models.delete(trained.fine_tuned_model)
    assert error.value.response.headers["x-should-retry"] == "false"
    assert error.value.response.request.headers["x-stainless-retry-count"] == "0"
    client.fine_tuning.jobs.cancel(job.id)


@covers("wire", "SDK shapes")
@covers("fine_tuning.jobs.retrieve", "fine_tuning_job_id")
def test_nulls_are_where_the_types_allow_them(target: Target, trained: FineTuningJob) -> None:
    with target.http() as http:
        job = http.get(f"/fine_tuning/jobs/{trained.id}").json()
        events = http.get(f"/fine_tuning/jobs/{trained.id}/events").json()
        empty = http.get("/files?purpose=none-has-it").json()
    assert job["error"] is None and set(job["hyperparameters"]) == {"n_epochs", "batch_size", "learning_rate_multiplier"}
    assert set(events) == {"object", "data", "has_more"}
    assert all(isinstance(event["data"], dict) for event in events["data"])
    assert empty == {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}


@covers("wire", "SDK shapes")
@covers("chat.completions.create", "stream")
def test_a_stream_on_the_wire(target: Target) -> None:
    body = {"model": target.model, "messages": [{"role": "user", "content": "x"}], "stream": True, "max_tokens": 2}
    with target.http() as http:
        response = http.post("/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert len({chunk["id"] for chunk in chunks}) == 1 and len(chunks) > 1
