"""Chat completions: every documented parameter does what it says or is refused."""

from __future__ import annotations

import math
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.surface import covers
from tests.conformance.target import UNTRAINABLE, Target

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 3 times 12?"}]
CHAT = "chat.completions.create"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def chat(target: Target, client: openai.OpenAI) -> Any:
    def ask(**asked: Any) -> Any:
        return client.chat.completions.create(**{"model": target.model, "messages": ASK, "max_tokens": 8, **asked})

    return ask


@pytest.mark.live
@covers(CHAT, "messages", "model", "max_completion_tokens")
def test_an_answer_is_complete(target: Target, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=target.model, messages=ASK, max_completion_tokens=4)
    (choice,) = answer.choices
    assert answer.id.startswith("chatcmpl-") and answer.object == "chat.completion"
    assert choice.message.role == "assistant" and choice.finish_reason in ("stop", "length") and choice.logprobs is None
    usage = answer.usage
    assert 0 < usage.completion_tokens <= 4 < usage.prompt_tokens and usage.total_tokens == sum(
        (usage.prompt_tokens, usage.completion_tokens)
    )


@covers(CHAT, "model")
def test_the_tuned_model_answers_under_its_name(chat: Any, trained: FineTuningJob) -> None:
    answer = chat(model=trained.fine_tuned_model, temperature=0, logprobs=True)
    base = chat(temperature=0, logprobs=True)
    assert answer.model == trained.fine_tuned_model
    assert [token.logprob for token in answer.choices[0].logprobs.content] != [
        token.logprob for token in base.choices[0].logprobs.content
    ]


@pytest.mark.live
@covers(CHAT, "model")
def test_an_unknown_model_is_not_found(chat: Any) -> None:
    with pytest.raises(openai.NotFoundError) as error:
        chat(model=UNTRAINABLE)
    assert error.value.code == "model_not_found"
    assert error.value.body["message"] == f"The model `{UNTRAINABLE}` does not exist or you do not have access to it."


@covers(CHAT, "messages")
def test_messages_matter_and_count(chat: Any) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "3 times 12?"}]}]
    assert chat(messages=[ASK[0], *parts]).usage.prompt_tokens == chat().usage.prompt_tokens
    longer = [*ASK, {"role": "assistant", "content": "36"}, ASK[1]]
    assert chat(messages=longer).usage.prompt_tokens > chat().usage.prompt_tokens
    for role in ("developer", "system"):
        assert chat(messages=[{"role": role, "content": "x"}, ASK[1]]).choices


@covers(CHAT, "messages")
@pytest.mark.parametrize(("messages", "param"), [
    ([], "messages"), ([{"role": "robot", "content": "x"}], "messages[0].role"), ([{"role": "user"}], "messages[0].content"),
    ([{"role": "user", "content": 5}], "messages[0].content"), ([{"role": "user", "content": "x", "weight": 1}], None),
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}], "messages[0].content[0].type"),
    ([{"role": "assistant", "tool_calls": [], "content": "x"}], "messages[0].tool_calls"),
])
def test_messages_that_are_none_are_refused(chat: Any, messages: list[dict[str, Any]], param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        chat(messages=messages)
    assert error.value.param == param


@covers(CHAT, "messages", "max_tokens", "max_completion_tokens")
def test_what_is_too_long_is_refused(chat: Any) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        chat(messages=[{"role": "user", "content": "word " * 200_000}])
    assert (error.value.code, error.value.param) == ("context_length_exceeded", "messages")
    assert "maximum context length is" in error.value.body["message"]


@covers(CHAT, "max_tokens", "max_completion_tokens", "logit_bias")
def test_the_answer_ends_at_its_limit(chat: Any) -> None:
    wanted = {"logit_bias": {"0": -100, "1": -100, "2": -100}, "seed": 1}
    for name in ("max_tokens", "max_completion_tokens"):
        answer = chat(**{"max_tokens": None, name: 3, **wanted})
        assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (3, "length")


@covers(CHAT, "temperature", "top_p", "seed", "n")
def test_sampling_follows_its_settings(chat: Any) -> None:
    def texts(**asked: Any) -> list[str]:
        return [choice.message.content for choice in chat(n=3, **asked).choices]

    assert len(set(texts(temperature=0))) == 1 and len(set(texts(temperature=2, top_p=0.0001, seed=1))) == 1
    assert texts(seed=5, temperature=1.5) == texts(seed=5, temperature=1.5) != texts(seed=6, temperature=1.5)
    assert len(set(texts(temperature=2, seed=3))) > 1


@covers(CHAT, "logprobs", "top_logprobs")
def test_log_probabilities_are_some(chat: Any) -> None:
    answer = chat(logprobs=True, top_logprobs=5, temperature=0)
    content = answer.choices[0].logprobs.content
    assert len(content) == answer.usage.completion_tokens
    for token in content:
        assert len(token.top_logprobs) == 5 and token.logprob == token.top_logprobs[0].logprob <= 0
        assert sum(math.exp(top.logprob) for top in token.top_logprobs) <= 1.000001
    whole = b"".join(bytes(token.bytes) for token in content).decode("utf-8", errors="replace")
    assert whole.startswith(answer.choices[0].message.content)


@covers(CHAT, "frequency_penalty", "presence_penalty", "logit_bias")
def test_bias_and_penalties_change_what_is_said(chat: Any) -> None:
    forced = chat(logit_bias={"70": 100}, temperature=0, logprobs=True).choices[0].logprobs.content
    assert len({token.token for token in forced}) == 1
    for penalty in ("frequency_penalty", "presence_penalty"):
        asked = {"logit_bias": {"70": 10.5, "71": 10, "0": -100, "2": -100}, "temperature": 0, "max_tokens": 6}
        freed = chat(logprobs=True, **asked, **{penalty: 2}).choices[0].logprobs.content
        assert len({token.token for token in freed}) > 1


@covers(CHAT, "stop")
def test_the_answer_ends_before_a_stop_sequence(chat: Any) -> None:
    whole = chat(temperature=0, logit_bias={"40": 100}, max_tokens=5).choices[0].message.content
    cut = chat(temperature=0, logit_bias={"40": 100}, max_tokens=5, stop=[whole[2:4], "never said"]).choices[0]
    assert (cut.message.content, cut.finish_reason) == (whole[: whole.index(whole[2:4])], "stop")


@covers(CHAT, "stream", "stream_options")
def test_a_stream_says_the_same(chat: Any) -> None:
    asked = {"seed": 4, "temperature": 1, "n": 2}
    whole, stream = chat(**asked), chat(**asked, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    for choice in whole.choices:
        mine = [part for chunk in chunks for part in chunk.choices if part.index == choice.index]
        assert "".join(part.delta.content or "" for part in mine) == choice.message.content
        assert mine[0].delta.role == "assistant" and mine[-1].finish_reason == choice.finish_reason
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"} and len({chunk.id for chunk in chunks}) == 1


NEUTRAL = {
    "response_format": {"type": "text"}, "store": False, "modalities": ["text"], "tool_choice": "none",
    "parallel_tool_calls": True, "reasoning_effort": "none", "verbosity": "medium", "function_call": "none",
    "service_tier": "auto", "user": "me", "safety_identifier": "me", "prompt_cache_key": "k", "metadata": {"a": "b"},
    "prompt_cache_options": {"mode": "implicit"}, "prompt_cache_retention": "24h",
}


@covers(CHAT, *NEUTRAL)
@pytest.mark.local
@pytest.mark.parametrize("name", NEUTRAL)
def test_values_that_ask_for_nothing_may_be_sent(chat: Any, name: str) -> None:
    asked, plain = chat(**{name: NEUTRAL[name]}, temperature=0), chat(temperature=0)
    assert asked.choices[0].message.content == plain.choices[0].message.content
    assert asked.service_tier == "default"


UNSUPPORTED = {
    "audio": {"voice": "alloy", "format": "wav"}, "functions": [{"name": "f"}], "function_call": "auto",
    "modalities": ["text", "audio"], "moderation": {"model": "omni-moderation-latest"}, "tools": [TOOL],
    "prediction": {"type": "content", "content": "x"}, "reasoning_effort": "high", "tool_choice": "required",
    "response_format": {"type": "json_object"}, "store": True, "verbosity": "low", "web_search_options": {},
}


@covers(CHAT, *UNSUPPORTED)
@pytest.mark.local
@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_not_built_is_refused_by_name(chat: Any, name: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        chat(**{name: UNSUPPORTED[name]})
    assert error.value.param == name and error.value.code in ("unsupported_parameter", "unsupported_value")


BOUNDS = [
    ("temperature", 2.1, "less than or equal to 2"), ("temperature", -1, "greater than or equal to 0"),
    ("top_p", 1.5, "less than or equal to 1"), ("n", 0, "greater than or equal to 1"), ("n", 129, "less than or equal to 128"),
    ("top_logprobs", 21, "less than or equal to 20"), ("frequency_penalty", 3, "less than or equal to 2"),
    ("presence_penalty", -3, "greater than or equal to -2"), ("logit_bias", {"5": 101}, "less than or equal to 100"),
    ("stop", ["a"] * 5, "at most 4 items"), ("seed", "x", "not a valid integer"), ("stream", "yes", "boolean"),
    ("max_tokens", 0, "greater than or equal to 1"), ("service_tier", "best", "permitted"), ("user", 5, "str type expected"),
]


@covers(CHAT, *(name for name, _, _ in BOUNDS))
@covers("wire", "wrong types and bounds")
@pytest.mark.parametrize(("name", "value", "message"), BOUNDS)
def test_values_out_of_bounds_are_refused(chat: Any, name: str, value: object, message: str) -> None:
    with pytest.raises(openai.BadRequestError, match=message) as error:
        chat(**{name: value})
    assert error.value.param.split(".")[0] == name


@covers(CHAT, "top_logprobs", "stream_options", "max_tokens", "max_completion_tokens")
@pytest.mark.parametrize(("asked", "param"), [
    ({"top_logprobs": 2}, "top_logprobs"), ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"max_completion_tokens": 3}, "max_tokens"),
])
def test_parameters_that_contradict_each_other_are_refused(chat: Any, asked: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        chat(**asked)
    assert error.value.param == param
