"""Legacy completions: every documented parameter does what it says or is refused."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.conformance.surface import covers
from tests.conformance.target import Target

LEGACY = "completions.create"


@pytest.fixture(scope="module")
def complete(target: Target, client: openai.OpenAI) -> Any:
    def ask(**asked: Any) -> Any:
        return client.completions.create(**{"model": target.model, "prompt": "3 times 12 is", "max_tokens": 6, **asked})

    return ask


@covers(LEGACY, "model", "prompt", "max_tokens")
def test_a_completion_is_complete(complete: Any) -> None:
    answer = complete(max_tokens=3, logit_bias={"0": -100, "1": -100, "2": -100})
    (choice,) = answer.choices
    assert answer.id.startswith("cmpl-") and answer.object == "text_completion"
    assert (choice.finish_reason, choice.logprobs, answer.usage.completion_tokens) == ("length", None, 3)


@covers(LEGACY, "max_tokens")
def test_sixteen_tokens_are_the_default(complete: Any) -> None:
    assert complete(max_tokens=None, logit_bias={"0": -100, "1": -100, "2": -100}).usage.completion_tokens == 16


@covers(LEGACY, "prompt", "n")
def test_several_prompts_give_choices_in_order(complete: Any) -> None:
    answer = complete(prompt=["One is", "Two is"], n=2, echo=True, max_tokens=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert [choice.text[:3] for choice in answer.choices] == ["One", "One", "Two", "Two"]


@covers(LEGACY, "prompt", "echo")
def test_prompts_may_be_token_ids(complete: Any) -> None:
    ids = [70, 71, 72]
    one, several = complete(prompt=ids, echo=True, max_tokens=0), complete(prompt=[ids, ids], echo=True, max_tokens=0)
    assert one.usage.prompt_tokens == 3 and one.choices[0].text
    assert [choice.text for choice in several.choices] == [one.choices[0].text] * 2


@covers(LEGACY, "logprobs", "echo")
def test_echo_scores_the_prompt(target: Target, lenient: openai.OpenAI) -> None:
    prompt = "3 times 12 is"
    answer = lenient.completions.create(model=target.model, prompt=prompt, echo=True, logprobs=2, max_tokens=2, seed=1)
    scores = answer.choices[0].logprobs
    assert answer.choices[0].text.startswith(prompt) and "".join(scores.tokens).startswith(prompt)
    assert scores.token_logprobs[0] is None and all(value <= 0 for value in scores.token_logprobs[1:])
    assert scores.text_offset[0] == 0 and all(len(top) in (2, 3) for top in scores.top_logprobs[1:])


@covers(LEGACY, "logprobs")
def test_log_probabilities_of_what_is_said(complete: Any) -> None:
    answer = complete(logprobs=3, temperature=0)
    scores = answer.choices[0].logprobs
    assert len(scores.tokens) == len(scores.token_logprobs) == len(scores.text_offset) == answer.usage.completion_tokens
    assert all(top[token] == value <= 0 for token, value, top in zip(
        scores.tokens, scores.token_logprobs, scores.top_logprobs, strict=True,
    ))
    assert scores.text_offset[0] == len("3 times 12 is")


@covers(LEGACY, "best_of", "n")
def test_the_best_of_several_is_returned(complete: Any) -> None:
    asked = {"seed": 9, "logprobs": 0, "temperature": 1.5}
    every, best = complete(**asked, n=4), complete(**asked, best_of=4, n=1)
    means = [sum(choice.logprobs.token_logprobs) / max(1, len(choice.logprobs.tokens)) for choice in every.choices]
    assert len(best.choices) == 1 and best.choices[0].text == every.choices[means.index(max(means))].text
    assert [choice.index for choice in every.choices] == [0, 1, 2, 3] and means[0] <= 0
    assert best.usage.completion_tokens == every.usage.completion_tokens


@covers(LEGACY, "temperature", "top_p", "seed")
def test_sampling_follows_its_settings(complete: Any) -> None:
    def text(**asked: Any) -> str:
        return complete(**asked).choices[0].text

    assert text(temperature=0) == text(temperature=2, top_p=0.0001)
    assert text(seed=1, temperature=1.5) == text(seed=1, temperature=1.5) != text(seed=2, temperature=1.5)


@covers(LEGACY, "frequency_penalty", "presence_penalty", "logit_bias")
def test_bias_and_penalties_change_what_is_said(complete: Any) -> None:
    forced = complete(logit_bias={"70": 100}, logprobs=0, temperature=0).choices[0].logprobs.tokens
    assert len(set(forced)) == 1
    for penalty in ("frequency_penalty", "presence_penalty"):
        bias = {"70": 10.5, "71": 10, "0": -100, "2": -100}
        freed = complete(logit_bias=bias, logprobs=0, temperature=0, **{penalty: 2}).choices[0].logprobs.tokens
        assert len(set(freed)) > 1


@covers(LEGACY, "stop")
def test_the_text_ends_before_a_stop_sequence(complete: Any) -> None:
    whole = complete(temperature=0, logit_bias={"40": 100}).choices[0].text
    cut = complete(temperature=0, logit_bias={"40": 100}, stop=whole[2:4]).choices[0]
    assert (cut.text, cut.finish_reason) == (whole[: whole.index(whole[2:4])], "stop")


@covers(LEGACY, "stream", "stream_options")
def test_a_stream_says_the_same(target: Target, lenient: openai.OpenAI) -> None:
    asked = {"model": target.model, "prompt": "3 times", "seed": 2, "max_tokens": 6}
    whole = lenient.completions.create(**asked)
    parts = list(lenient.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(part.choices[0].text for part in parts[:-1]) == whole.choices[0].text
    assert parts[-1].choices == [] and parts[-1].usage == whole.usage
    assert parts[-2].choices[0].finish_reason == whole.choices[0].finish_reason


@pytest.mark.local
@covers(LEGACY, "user", "suffix")
def test_labels_are_taken_and_insertion_is_refused(complete: Any) -> None:
    assert complete(user="me", temperature=0).choices[0].text == complete(temperature=0).choices[0].text
    with pytest.raises(openai.BadRequestError) as error:
        complete(suffix="the end")
    assert (error.value.param, error.value.code) == ("suffix", "unsupported_parameter")


BOUNDS = [
    ({"logprobs": 6}, "logprobs"), ({"best_of": 21}, "best_of"), ({"best_of": 1, "n": 2}, "best_of"),
    ({"best_of": 2, "stream": True}, "best_of"), ({"n": 129}, "n"), ({"max_tokens": -1}, "max_tokens"),
    ({"temperature": 3}, "temperature"), ({"top_p": -1}, "top_p"), ({"frequency_penalty": 3}, "frequency_penalty"),
    ({"presence_penalty": 3}, "presence_penalty"), ({"echo": "yes"}, "echo"), ({"seed": 1.5}, "seed"),
    ({"stop": ["a"] * 5}, "stop"), ({"prompt": []}, "prompt"), ({"prompt": [10**9]}, "prompt"),
    ({"prompt": "word " * 200_000}, "prompt"), ({"logit_bias": {"x": 1}}, "logit_bias"), ({"stream": 1}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"), ({"user": 1}, "user"),
]


@covers(LEGACY, *(param for _, param in BOUNDS))
@pytest.mark.parametrize(("asked", "param"), BOUNDS)
def test_values_out_of_bounds_are_refused(complete: Any, asked: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        complete(**asked)
    assert error.value.param == param
