"""Both endpoints through the official SDK, over HTTP, on a small app with one model and one project."""
from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx2
import openai
import pytest
import uvicorn
from fastapi import FastAPI
from openai.types.chat import completion_create_params as chat_params
from openai.types import completion_create_params as completion_params

from localtune.api import chat, completions
from localtune.api.auth import admitted
from localtune.api.errors import APIError
from localtune.api.handlers import Activity, install
from localtune.infer.engine import Engine
from localtune.model.tokenizer import Tokenizer

MODEL = "tiny"
ASK = [{"role": "user", "content": "What is the capital of France?"}]


class OneModel:
    """A catalog that knows one model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, project: str, name: str) -> SimpleNamespace:
        if name != MODEL:
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise APIError(404, message, code="model_not_found")
        return SimpleNamespace(name=MODEL, folder=self.folder, base="small")


@pytest.fixture(scope="module")
def served() -> Iterator[Engine]:
    engine = Engine()
    engine.start()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def url(folder: Path, served: Engine) -> Iterator[str]:
    app = FastAPI()
    app.state.activity, app.state.engine, app.state.catalog = Activity(), served, OneModel(folder)
    app.dependency_overrides[admitted] = lambda: "proj_test"
    install(app)
    for module in (chat, completions):
        app.include_router(module.router, prefix="/v1")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=url, api_key="sk-local", max_retries=0, _strict_response_validation=True,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    ) as client:
        yield client


@pytest.fixture(scope="module")
def lenient(client: openai.OpenAI) -> openai.OpenAI:
    """As SDK users have it. The wire has nulls that the SDK's legacy types do not declare."""
    return openai.OpenAI(
        base_url=client.base_url, api_key="sk-local", max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
    )


def refused(call: object, **arguments: object) -> openai.BadRequestError:
    with pytest.raises(openai.BadRequestError) as caught:
        call(model=MODEL, **arguments)
    return caught.value


def test_chat_answers_in_full(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=ASK, max_tokens=8, seed=1)
    assert raw.headers["x-localtune-model"] == "small"
    body = json.loads(raw.text)
    assert body["choices"][0]["logprobs"] is None
    assert body["choices"][0]["message"]["refusal"] is None
    answer = raw.parse()
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == MODEL
    assert answer.system_fingerprint.startswith("fp_")
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.completion_tokens <= 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_prompt_is_the_chat_format_of_training(client: openai.OpenAI, tokenizer: Tokenizer) -> None:
    parts = [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    answer = client.chat.completions.create(model=MODEL, messages=messages, max_tokens=1)
    ids, _ = tokenizer.chat([messages[0], {"role": "user", "content": "Hi"}], generation_prompt=True)
    assert answer.usage.prompt_tokens == len(ids)


def test_the_same_seed_gives_the_same_choices_and_choices_differ(client: openai.OpenAI) -> None:
    def texts() -> list[str]:
        answer = client.chat.completions.create(model=MODEL, messages=ASK, n=3, seed=5, max_tokens=10)
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        return [choice.message.content for choice in answer.choices]

    first = texts()
    assert texts() == first
    assert len(set(first)) == 3


def test_chat_logprobs(client: openai.OpenAI, tokenizer: Tokenizer) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=ASK, logprobs=True, top_logprobs=20, temperature=2, max_tokens=8, seed=2
    )
    content = answer.choices[0].logprobs.content
    assert len(content) == answer.usage.completion_tokens
    for token in content:
        assert -9999 <= token.logprob <= 0
        assert sum(math.exp(top.logprob) for top in token.top_logprobs) <= 1 + 1e-6
    whole = b"".join(bytes(token.bytes) for token in content)
    assert whole.decode("utf-8", errors="replace").startswith(answer.choices[0].message.content)
    plain = client.chat.completions.create(model=MODEL, messages=ASK, logprobs=True, max_tokens=1)
    assert plain.choices[0].logprobs.content[0].top_logprobs == []


def test_a_streamed_chat_says_the_same_as_a_whole_one(client: openai.OpenAI) -> None:
    asked = {"model": MODEL, "messages": ASK, "n": 2, "seed": 3, "max_tokens": 20, "logprobs": True, "top_logprobs": 1}
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    for index, choice in enumerate(whole.choices):
        parts = [part for chunk in chunks for part in chunk.choices if part.index == index]
        assert parts[0].delta.role == "assistant"
        assert "".join(part.delta.content or "" for part in parts) == choice.message.content
        assert [part.finish_reason for part in parts if part.finish_reason] == [choice.finish_reason]
        assert parts[-1].finish_reason
        scored = [token for part in parts if part.logprobs for token in part.logprobs.content]
        assert [token.token for token in scored] == [token.token for token in choice.logprobs.content]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_stream_on_the_wire(url: str) -> None:
    body = {"model": MODEL, "messages": ASK, "stream": True, "max_tokens": 2}
    answer = httpx2.post(f"{url}/chat/completions", json=body, trust_env=False)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-localtune-model"] == "small"
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert "usage" not in chunks[0]
    assert chunks[0]["choices"][0]["finish_reason"] is None
    assert chunks[-1]["choices"][0]["delta"] == {}


def test_stop_sequences_are_not_shown(client: openai.OpenAI) -> None:
    asked = {"model": MODEL, "messages": ASK, "temperature": 0, "max_tokens": 30}
    whole = client.chat.completions.create(**asked).choices[0].message.content
    stop = re.search("[A-Za-z]{2}", whole).group()
    cut = client.chat.completions.create(**asked, stop=[stop, "never said"]).choices[0]
    assert cut.message.content == whole[: whole.index(stop)].rstrip("\ufffd")  # bytes that became no character
    assert cut.finish_reason == "stop"


def test_harmless_parameters_are_accepted(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=ASK, max_completion_tokens=1, user="me", store=False, metadata={"a": "b"},
        response_format={"type": "text"}, modalities=["text"], service_tier="auto", safety_identifier="x",
        prompt_cache_key="k", tool_choice="none", temperature=None, stop=None, top_p=1, logit_bias={"5": -1},
    )
    assert answer.usage.completion_tokens <= 1


@pytest.mark.parametrize(("name", "value"), [
    ("tools", [{"type": "function", "function": {"name": "f"}}]), ("tool_choice", "required"),
    ("response_format", {"type": "json_object"}), ("store", True), ("audio", {"voice": "alloy", "format": "wav"}),
    ("modalities", ["text", "audio"]), ("functions", [{"name": "f"}]),
    ("prediction", {"type": "content", "content": ""}), ("parallel_tool_calls", "yes"), ("function_call", "auto"),
    ("reasoning_effort", "high"), ("verbosity", "low"), ("web_search_options", {}), ("moderation", {}),
])
def test_what_is_not_built_is_refused_by_name(client: openai.OpenAI, name: str, value: object) -> None:
    error = refused(client.chat.completions.create, messages=ASK, extra_body={name: value})
    assert error.param == name
    assert f"'{name}'" in error.message
    assert error.code in ("unsupported_parameter", "unsupported_value")


@pytest.mark.parametrize(("changes", "param", "words"), [
    ({"temperature": 2.5}, "temperature", "less than or equal to 2"),
    ({"top_p": -0.1}, "top_p", "greater than or equal to 0"),
    ({"n": 129}, "n", "less than or equal to 128"),
    ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4"),
    ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", "less than or equal to 20"),
    ({"top_logprobs": 2}, "top_logprobs", "'logprobs' is enabled"),
    ({"frequency_penalty": 3}, "frequency_penalty", "less than or equal to 2"),
    ({"logit_bias": {"5": 101}}, "logit_bias.5", "less than or equal to 100"),
    ({"logit_bias": {"Paris": 1}}, "logit_bias", "token ids"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "'stream' is enabled"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "same time"),
    ({"messages": []}, "messages", "at least 1"),
    ({"messages": [{"role": "pirate", "content": "a"}]}, "messages[0].role", "permitted"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "str type"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
     "messages[0].content[0].type", "image_url"),
    ({"messages": [{"role": "assistant", "content": "a", "tool_calls": []}]}, "messages[0].tool_calls",
     "not supported"),
    ({"extra_body": {"temprature": 1}}, None, "temprature"),
])
def test_wrong_values_are_refused_by_name(
    client: openai.OpenAI, changes: dict, param: str | None, words: str
) -> None:
    error = refused(client.chat.completions.create, **{"messages": ASK, **changes})
    assert error.param == param
    assert words in error.message


def test_too_long_a_context(client: openai.OpenAI) -> None:
    long = refused(client.chat.completions.create, messages=[{"role": "user", "content": "x " * 2000}])
    assert long.code == "context_length_exceeded"
    assert long.param == "messages"
    assert "maximum context length is 1024 tokens. However, your messages resulted in" in long.message
    greedy = refused(client.chat.completions.create, messages=ASK, max_tokens=1020)
    assert greedy.code == "context_length_exceeded"
    assert "1020 in the completion" in greedy.message


def test_an_unknown_model(client: openai.OpenAI) -> None:
    for call in (lambda: client.chat.completions.create(model="no", messages=ASK),
                 lambda: client.completions.create(model="no", prompt="a")):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert caught.value.code == "model_not_found"


def test_every_parameter_of_the_sdk_is_known() -> None:
    chat_names = set(chat_params.CompletionCreateParamsBase.__annotations__) | {"stream"}
    completion_names = set(completion_params.CompletionCreateParamsBase.__annotations__) | {"stream"}
    assert chat_names <= set(chat.ChatBody.model_fields)
    assert completion_names == set(completions.CompletionBody.model_fields)


def test_a_model_that_fails_is_a_server_error_not_worth_retrying(
    client: openai.OpenAI, served: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localtune.infer.runner.Runner.step", lambda runner: 1 / 0)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=MODEL, messages=ASK)
    assert caught.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(openai.APIError, match="division by zero"):
        list(client.chat.completions.create(model=MODEL, messages=ASK, stream=True))


def test_a_client_that_hangs_up_frees_its_slots(url: str, served: Engine, folder: Path) -> None:
    endless = {"logit_bias": {"0": -100, "1": -100, "2": -100}, "max_tokens": 900}
    body = {"model": MODEL, "messages": ASK, "n": 100, **endless}
    for stream in (False, True):
        with pytest.raises(httpx2.ReadTimeout):
            with httpx2.stream("POST", f"{url}/chat/completions", json={**body, "stream": stream}, timeout=0.5,
                               trust_env=False) as answer:
                for _ in answer.iter_lines():
                    raise httpx2.ReadTimeout("enough")
        deadline = time.monotonic() + 30
        while served.runners[folder].busy and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not served.runners[folder].busy


def test_completions_take_every_form_of_prompt(client: openai.OpenAI, tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("The sky")
    asked = {"model": MODEL, "temperature": 0}
    text = client.completions.create(**asked, prompt="The sky").choices[0].text
    assert client.completions.create(**asked, prompt=ids).choices[0].text == text
    for several in (["The sky", "You are"], [ids, tokenizer.encode("You are")]):
        answer = client.completions.create(**asked, prompt=several, n=2)
        assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
        assert answer.choices[0].text == answer.choices[1].text == text
    assert answer.usage.completion_tokens <= 4 * 16
    assert client.completions.create(**asked, prompt="").usage.prompt_tokens == 1


def test_completion_logprobs(client: openai.OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt="The sky", logprobs=3, temperature=1, seed=4)
    scores = answer.choices[0].logprobs
    assert len(scores.tokens) == len(scores.token_logprobs) == len(scores.text_offset) == answer.usage.completion_tokens
    for name, logprob, top in zip(scores.tokens, scores.token_logprobs, scores.top_logprobs, strict=True):
        assert top[name] == logprob <= 0
        assert 3 <= len(top) <= 4
    assert scores.text_offset[0] == len("The sky")


def test_echo_scores_the_prompt(lenient: openai.OpenAI, tokenizer: Tokenizer) -> None:
    prompt = "The colour of the sky"
    answer = lenient.completions.create(model=MODEL, prompt=prompt, echo=True, logprobs=0, max_tokens=0)
    choice = answer.choices[0]
    assert choice.text == prompt
    assert choice.finish_reason == "length"
    assert choice.logprobs.tokens == [tokenizer.decode([id]) for id in tokenizer.encode(prompt)]
    assert choice.logprobs.token_logprobs[0] is None
    assert choice.logprobs.top_logprobs[0] is None
    assert all(value <= 0 for value in choice.logprobs.token_logprobs[1:])
    for token, offset in zip(choice.logprobs.tokens, choice.logprobs.text_offset, strict=True):
        assert prompt[offset : offset + len(token)] == token
    longer = lenient.completions.create(model=MODEL, prompt=prompt, echo=True, logprobs=0, max_tokens=3, temperature=0)
    again = lenient.completions.create(model=MODEL, prompt=longer.choices[0].text, echo=True, logprobs=0, max_tokens=0)
    assert longer.choices[0].text.startswith(prompt)
    if again.choices[0].logprobs.tokens == longer.choices[0].logprobs.tokens:
        assert again.choices[0].logprobs.token_logprobs[1:] == pytest.approx(
            longer.choices[0].logprobs.token_logprobs[1:], abs=1e-4
        )


def test_best_of_returns_the_likeliest(client: openai.OpenAI) -> None:
    asked = {"model": MODEL, "prompt": "You", "seed": 9, "max_tokens": 6, "logprobs": 0, "logit_bias": {"0": -100}}
    every = client.completions.create(**asked, n=4).choices
    best = client.completions.create(**asked, n=1, best_of=4)
    means = [sum(c.logprobs.token_logprobs) / len(c.logprobs.token_logprobs) for c in every]
    assert best.choices[0].text == every[means.index(max(means))].text
    assert best.usage.completion_tokens == sum(len(c.logprobs.tokens) for c in every)


def test_a_streamed_completion_says_the_same_as_a_whole_one(lenient: openai.OpenAI) -> None:
    asked = {"model": MODEL, "prompt": ["The sky", "You"], "seed": 3, "logprobs": 1, "echo": True, "max_tokens": 10}
    whole = lenient.completions.create(**asked)
    parts = list(lenient.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    for choice in whole.choices:
        mine = [one for part in parts for one in part.choices if one.index == choice.index]
        assert "".join(one.text for one in mine) == choice.text
        assert mine[-1].finish_reason == choice.finish_reason
        for name in ("tokens", "token_logprobs", "text_offset"):
            joined = [value for one in mine if one.logprobs for value in getattr(one.logprobs, name)]
            expected = getattr(choice.logprobs, name)
            assert joined == (pytest.approx(expected, abs=1e-4) if name == "token_logprobs" else expected)
    assert parts[-1].usage == whole.usage


@pytest.mark.parametrize(("changes", "param"), [
    ({"suffix": "end"}, "suffix"), ({"logprobs": 6}, "logprobs"), ({"best_of": 1, "n": 2}, "best_of"),
    ({"best_of": 2, "stream": True}, "best_of"), ({"prompt": [400]}, "prompt"), ({"max_tokens": 1024}, "prompt"),
    ({"prompt": []}, "prompt"),
])
def test_wrong_completion_values_are_refused(client: openai.OpenAI, changes: dict, param: str) -> None:
    assert refused(client.completions.create, **{"prompt": "a", **changes}).param == param
