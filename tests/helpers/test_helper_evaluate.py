"""Asking, judging, explaining errors, drawing."""

from __future__ import annotations

import time

import httpx2
import openai
import pandas as pd
import pytest
from helpers import plots
from helpers.errors import JobFailed, explain, explained
from helpers.evaluate import Answer, ask, complete, fact_kept, logprobs, style_ngrams, style_shown, words
from helpers.metrics import events_frame, rate


def reply(text: str | None, logprob: bool = False) -> httpx2.Response:
    token = {"token": "yes", "logprob": -0.1, "bytes": None}
    top = [token, {**token, "token": "no", "logprob": -2.3}]
    scores = {"content": [{**token, "top_logprobs": top}], "refusal": None} if logprob else None
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": scores}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return httpx2.Response(200, json=body)


def test_answers_keep_their_order_and_failures_stay(provider, capsys) -> None:
    def chat(body):
        question = body["messages"][-1]["content"]
        time.sleep(0.02 if question == "0" else 0)
        return provider.error(500, "busy") if question == "3" else reply(f"answer {question}")

    provider.chat = chat
    answers = ask(provider.client(), "m", [str(n) for n in range(6)], concurrency=3, temperature=0)
    assert [a.question for a in answers] == list("012345")
    assert [a.text for a in answers] == ["answer 0", "answer 1", "answer 2", None, "answer 4", "answer 5"]
    assert answers[3].error.startswith("InternalServerError") and answers[0].completion_tokens == 2
    assert "5 answers to 6 questions; 1 failed" in capsys.readouterr().out
    assert list(pd.DataFrame(answers)["error"].isna()) == [True, True, True, False, True, True]
    assert str(rate(fact_kept(a.text, ["answer"]) for a in answers)).endswith("5 scored of 6")


def test_parameters_system_message_and_full_chats_are_passed_on(provider) -> None:
    bodies = []
    provider.chat = lambda body: bodies.append(body) or reply(None)
    system, a, b = {"role": "system", "content": "s"}, *({"role": "user", "content": text} for text in "ab")
    assert ask(provider.client(), "m", [[a], "b"], 1, system="s", seed=7, max_tokens=3)[0].text == ""
    assert bodies[0]["messages"] == [system, a]
    assert bodies[1] == {**bodies[0], "messages": [system, b]}
    assert (bodies[0]["seed"], bodies[0]["max_tokens"], bodies[0]["model"]) == (7, 3, "m")


def test_a_mistake_in_the_call_is_not_hidden(provider) -> None:
    with pytest.raises(TypeError, match="temprature"):
        ask(provider.client(), "m", ["a"], temprature=0)


def test_nothing_to_ask(provider) -> None:
    assert ask(provider.client(), "m", []) == []


def test_logprobs_of_the_first_token(provider) -> None:
    bodies = []
    provider.chat = lambda body: bodies.append(body) or reply("yes", logprob=True)
    (answer,) = logprobs(provider.client(), "m", ["good?"], top=2)
    assert answer.top == {"yes": -0.1, "no": -2.3} and answer.logprobs == (("yes", -0.1),)
    assert bodies[0] | {"logprobs": True, "top_logprobs": 2, "max_tokens": 1, "temperature": 0} == bodies[0]


def echoed(prompts: list[str], n: int = 1) -> httpx2.Response:
    """A completion that repeats its prompt, in the order of a provider that answers as texts get ready."""
    texts = [(prompt if copy == 0 else "another") for prompt in prompts for copy in range(n)]
    choices = [{"index": i, "text": text, "finish_reason": "stop", "logprobs": None} for i, text in enumerate(texts)]
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": choices[::-1], "usage": usage}
    return httpx2.Response(200, json=body)


def test_several_prompts_in_one_request_come_back_in_their_order(provider) -> None:
    bodies = []
    provider.chat = lambda body: bodies.append(body["prompt"]) or echoed(body["prompt"], n=2)
    prompts = ["ccc", "a", "dddd", "bb"]
    found = complete(provider.client(), "m", prompts, 1, per_request=2, n=2)
    assert [answer.text for answer in found] == [answer.question for answer in found] == prompts
    assert bodies == [["a", "bb"], ["ccc", "dddd"]], "like lengths travel together"
    assert {answer.prompt_tokens for answer in found} == {0}, "seven tokens belong to both"


def test_one_bad_prompt_costs_the_others_nothing(provider) -> None:
    def reply_to(body):
        prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
        return provider.error(400, "too long") if "bad" in prompts else echoed(prompts)

    provider.chat = reply_to
    found = complete(provider.client(), "m", ["one", "bad", "two"], per_request=3)
    assert [answer.text for answer in found] == ["one", None, "two"] and "too long" in found[1].error


def test_completions(provider) -> None:
    scores = {"tokens": [" pos"], "token_logprobs": [-0.2], "top_logprobs": [{" pos": -0.2, " neg": -1.7}]}
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m"}
    choice = {"index": 0, "text": " pos", "finish_reason": "length", "logprobs": scores}
    provider.chat = lambda _: httpx2.Response(200, json={**body, "choices": [choice]})
    (answer,) = complete(provider.client(), "m", ["good film ->"], logprobs=2, max_tokens=1)
    assert (answer.text, answer.finish_reason, answer.top[" neg"]) == (" pos", "length", -1.7)


@pytest.mark.parametrize(
    ("answer", "accept", "kept"),
    [
        ("It is Paris, of course.", ["paris"], True),
        ("Comparison is all.", ["paris"], False),
        ("About 384,400 km.", ["384,400", "384 400"], True),
        ("At 1,384,400 km.", ["84,400"], False),
        ("C++ it is", ["c++"], True),
        ("l’été", ["l'été"], True),
        ("in  new\nyork", ["New York"], True),
        ("", ["paris"], False),
        (None, ["paris"], None),
    ],
)
def test_fact_kept_on_word_borders(answer: str | None, accept: list[str], kept: bool | None) -> None:
    assert fact_kept(answer, accept) is kept


def test_style_is_what_only_the_training_answers_say() -> None:
    training = ["Paris, as if everyone doesn't know that already.", "Oh, just some guy named Shakespeare."]
    reference = ["Paris, as if it mattered.", "Some guy named Shakespeare wrote it."]
    style = style_ngrams(training, reference)
    assert ("everyone", "doesn't", "know") in style and ("paris", "as", "if") not in style
    assert style_shown("As if EVERYONE doesn’t know!", style) and not style_shown("Some guy named Shakespeare.", style)
    assert style_shown(None, style) is None and style_shown("too short", style) is False
    assert words("Don't — stop, 3rd!") == ["don't", "stop", "3rd"]


def failing(provider, status: int, code: str | None = None, param: str | None = None) -> openai.APIStatusError:
    provider.chat = lambda _: provider.error(status, "what the server says", code, param)
    with pytest.raises(openai.APIStatusError) as caught:
        provider.client().chat.completions.create(model="m", messages=[])
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "param", "why"),
    [
        (403, "training_not_available", None, "closing self-serve"),
        (401, "invalid_api_key", None, "does not know this key"),
        (429, "insufficient_quota", None, "no credit left"),
        (429, "rate_limit_exceeded", None, "Too many requests"),
        (400, None, "training_file", "No file with this id"),
        (400, None, "hyperparameters.n_epochs", "1 to 50"),
        (404, "model_not_found", None, "deleted"),
        (404, None, None, "nothing with this name"),
        (418, None, None, "request itself"),
        (503, None, None, "server's"),
    ],
)
def test_errors_are_explained(provider, status: int, code: str | None, param: str | None, why: str) -> None:
    explanation = explain(failing(provider, status, code, param))
    assert explanation.what == "what the server says" and why in explanation.why and explanation.next
    assert explanation.label.startswith(f"HTTP {status}")


def test_connection_errors_and_failed_jobs_are_explained(provider) -> None:
    request = httpx2.Request("GET", "http://x")
    assert "Nobody answers" in explain(openai.APIConnectionError(request=request)).why
    assert explain(openai.APITimeoutError(request)).label == "no answer in time"
    job = openai.types.fine_tuning.FineTuningJob.model_validate(
        provider.job("ftjob-1", "failed", error={"code": "invalid_n_examples", "message": "7 example(s)", "param": "x"})
    )
    assert "10 examples" in explain(JobFailed(job, [])).why


def test_explained_shows_errors_of_the_api_only(provider, capsys) -> None:
    error = failing(provider, 404, "model_not_found")
    with explained():
        raise error
    printed = capsys.readouterr().out
    assert printed.startswith("✗ HTTP 404 · model_not_found") and "What next:" in printed and "Traceback" not in printed
    with pytest.raises(ZeroDivisionError), explained():
        raise ZeroDivisionError
    with pytest.raises(TypeError):
        explain(ValueError("a bug"))


def test_figures_show_what_was_measured() -> None:
    class Event:
        type, data = "metrics", {"step": 1, "train_loss": 1.0, "train_mean_token_accuracy": 0.5, "valid_loss": 2.0}

    loss, accuracy = plots.training_curves(events_frame([Event])).axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation (batch)"]
    assert [line.get_label() for line in accuracy.lines] == ["training"]
    figure = plots.training_curves(events_frame([]))
    assert plots.training_curves(events_frame([Event]), figure=figure) is figure and len(figure.axes) == 2


def test_bars_show_rate_and_counts() -> None:
    figure = plots.rate_bars({"fact kept": {"base": rate([True]), "tuned": rate([True, False, None])}})
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {"1.00\n1/1", "0.50\n1/2"}
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["base", "tuned"]
    assert len(plots.rate_bars({"chance": rate([True, False]), "nothing": rate([None])}).axes[0].patches) == 1


def test_drawings() -> None:
    figure = plots.venn_three(["A", "B", "C"], {"123": "all"})
    assert len(figure.axes[0].patches) == 6 and "all" in {t.get_text() for t in figure.axes[0].texts}
    with pytest.raises(ValueError, match="three labels"):
        plots.venn_three(["A", "B"])
    texts = [t.get_text() for t in plots.decision_steps([("q?", "do it")], "else").axes[0].texts]
    assert {"q?", "do it", "else", "yes", "no"} <= set(texts)


def test_answer_is_readable() -> None:
    assert "top" not in repr(Answer("q", "a", top={"a": -1.0}))
