from __future__ import annotations

import json
import math
import threading
from typing import Any

import httpx2
import pytest
from helpers import outputs
from helpers.playground import Playground

TOKENS = [("Par", 0.9), ("is<b>", 0.25)]


def chat_reply(body: dict[str, Any]) -> httpx2.Response:
    content = [{"token": text, "logprob": math.log(p), "bytes": None, "top_logprobs": []} for text, p in TOKENS]
    message = {"role": "assistant", "content": "Paris<b>", "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": content, "refusal": None}}
    return reply("chat.completion", body, choice)


def completion_reply(body: dict[str, Any]) -> httpx2.Response:
    texts, chances = zip(*TOKENS)
    scores = {"tokens": texts, "token_logprobs": [math.log(p) for p in chances], "top_logprobs": [{}, {}]}
    return reply("text_completion", body, {"index": 0, "finish_reason": "length", "text": "Paris<b>", "logprobs": scores})


def reply(kind: str, body: dict[str, Any], choice: dict[str, Any]) -> httpx2.Response:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    fixed = {"id": "1", "object": kind, "created": 1, "model": body["model"], "usage": usage}
    return httpx2.Response(200, json={**fixed, "choices": [choice]})


@pytest.fixture
def bodies(provider) -> list[dict[str, Any]]:
    """The requests for answers that the provider has seen."""
    seen: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> httpx2.Response:
        seen.append(body)
        return chat_reply(body) if "messages" in body else completion_reply(body)

    provider.models = {"base", "ft:base", "other"}
    provider.chat = answer
    return seen


def test_both_models_get_the_same_request(provider, bodies) -> None:
    playground = Playground(
        provider.client(), ["ft:base", "base"], "Capital of France?", system="Be dry.", temperature=0.5, max_tokens=7, seed=3
    )
    left, right = playground.ask()
    assert {body.pop("model") for body in bodies} == {"ft:base", "base"}
    assert bodies[0] == bodies[1] and bodies[0]["logprobs"] is True
    assert [bodies[0][name] for name in ("temperature", "max_tokens", "seed")] == [0.5, 7, 3]
    assert [message["content"] for message in bodies[0]["messages"]] == ["Be dry.", "Capital of France?"]
    assert left.text == right.text == "Paris<b>" and "stop" not in bodies[0]


def test_the_requests_run_at_the_same_time(provider, bodies) -> None:
    meeting = threading.Barrier(2, timeout=300)  # breaks unless both requests are under way together

    def answer(body: dict[str, Any]) -> httpx2.Response:
        meeting.wait()
        return chat_reply(body)

    provider.chat = answer
    assert [given.error for given in Playground(provider.client(), prompt="Hello").ask()] == [None, None]


def test_the_controls_are_what_is_asked(provider, bodies) -> None:
    playground = Playground(provider.client(), ["base"], "one")
    controls = playground._controls
    assert controls.menus[0].options == ("base", "ft:base", "other") and controls.models == ["base", "ft:base"]
    controls.menus[1].value, controls.prompt.value, controls.temperature.value = "other", "two", 1.5
    controls.button.click()
    assert {body["model"] for body in bodies} == {"base", "other"}
    assert bodies[0]["messages"] == [{"role": "user", "content": "two"}] and bodies[0]["temperature"] == 1.5
    assert controls.button.disabled is False


def test_completions_get_the_bare_prompt_and_the_stop(provider, bodies) -> None:
    client = provider.client()
    Playground(client, ["base", "ft:base"], "25, female, fly ->", endpoint="completions", stop=" END").ask()
    assert bodies[0]["prompt"] == "25, female, fly ->" and bodies[0]["stop"] == " END" and bodies[0]["logprobs"] == 1


def test_an_unknown_endpoint_is_refused(provider) -> None:
    with pytest.raises(ValueError, match="'chat' or 'completions'"):
        Playground(provider.client(), endpoint="responses")


def test_with_a_prompt_the_saved_notebook_shows_answers(provider, bodies, shown) -> None:
    playground = Playground(provider.client(), ["base", "ft:base"], "<script>?", system="A & B")
    playground._ipython_display_()
    controls, answers = shown.values()
    assert outputs.WIDGET in controls and "kernel" in controls["text/html"]
    page, plain = answers["text/html"], answers["text/plain"]
    assert outputs.WIDGET not in answers and "is&lt;b&gt;" in page and "&lt;script&gt;" in page and "A &amp; B" in page
    assert "<b>" not in page and "<script>" not in page
    assert "ft:base\n    Paris<b>\n    2 tokens · ended by stop" in plain and "least sure of 'is<b>' (25%)" in plain
    playground._ipython_display_()
    assert len(bodies) == 2  # shown again, not asked again


def test_less_probable_tokens_stand_out(provider, bodies, shown) -> None:
    playground = Playground(provider.client(), ["base", "ft:base"], "Hello")
    playground._ipython_display_()
    page = list(shown.values())[1]["text/html"]
    assert "rgba(213,94,0,0.06)" in page.split(">Par<")[0].rsplit("<span", 1)[1]
    assert "rgba(213,94,0,0.49)" in page.split(">is&lt;b&gt;<")[0].rsplit("<span", 1)[1]
    assert "25.0%" in page and "100%" in page.rsplit("</table>", 1)[1]


def test_without_a_prompt_nothing_is_asked(provider, bodies, shown) -> None:
    Playground(provider.client(), ["base"])._ipython_display_()
    assert not bodies and [content["text/plain"] for content in shown.values()][1] == "Nothing has been asked yet."


def test_one_failure_leaves_the_other_answer(provider, bodies) -> None:
    def answer(body: dict[str, Any]) -> httpx2.Response:
        return provider.error(404, "no model", "model_not_found") if body["model"] == "gone" else chat_reply(body)

    provider.chat = answer
    playground = Playground(provider.client(), ["gone", "base"], "Hello")
    gone, base = playground.ask()
    assert gone.text is None and "model_not_found" in gone.error and "client.models.list()" in gone.error
    assert base.text == "Paris<b>"
    assert "model_not_found" in json.dumps(playground._answers._content)


def test_a_service_that_was_away_fills_the_menus_later(provider, bodies, shown, monkeypatch) -> None:
    monkeypatch.setattr(provider, "page", lambda data: httpx2.Response(503))
    playground = Playground(provider.client(), ["base"])
    playground._ipython_display_()
    assert "503" in list(shown.values())[1]["text/plain"]
    monkeypatch.undo()
    playground._controls.prompt.value = "Hello"
    assert [answer.error for answer in playground.ask()] == [None, None]
    assert playground._controls.menus[0].options == ("base", "ft:base", "other")
