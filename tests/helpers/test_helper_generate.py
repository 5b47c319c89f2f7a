"""`generate`: nothing asked twice, nothing lost, whatever stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest
from helpers.generate import generate, whole_records

PLAN = [{"power": power, "prompt": f"Hero, {power}:"} for power in ("flight", "telepathy", "flight", "night vision")]
Answer = Callable[[dict[str, Any]], httpx2.Response]


def answered(text: str, finish_reason: str = "stop") -> httpx2.Response:
    choice = {"index": 0, "text": text, "finish_reason": finish_reason, "logprobs": None}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return httpx2.Response(200, json={"id": "cmpl", "object": "text_completion", "created": 1, "model": "m",
                                      "choices": [choice], "usage": usage})


class Writer:
    """Answers with the prompt in capitals and remembers every request; `plan` says what to do instead, by prompt."""

    def __init__(self, provider: Any) -> None:  # the fake of conftest.py
        self.asked: list[dict[str, Any]] = []
        self.instead: dict[str, Answer] = {}
        provider.models.add("m")
        provider.chat = self.answer

    def answer(self, body: dict[str, Any]) -> httpx2.Response:
        self.asked.append(body)
        return self.instead.get(body["prompt"], lambda body: answered(body["prompt"].upper() + '\n"quoted", é'))(body)


@pytest.fixture
def writer(provider: Any) -> Writer:
    return Writer(provider)


@pytest.fixture
def run(provider: Any, tmp_path: Path) -> Callable[..., pd.DataFrame]:
    def call(**changes: Any) -> pd.DataFrame:
        given = {"model": "m", "plan": PLAN, "folder": tmp_path / "new", "seed": 5, "temperature": 1, **changes}
        return generate(provider.client(), **given)

    return call


def test_every_row_of_the_plan_gets_its_answer(writer: Writer, run: Callable[..., pd.DataFrame]) -> None:
    table = run(concurrency=3)
    assert table["response"].tolist() == [row["prompt"].upper() + '\n"quoted", é' for row in PLAN]
    assert list(table) == ["power", "prompt", "response", "finish_reason", "prompt_tokens", "completion_tokens"]
    assert sorted(body["seed"] for body in writer.asked) == [5, 6, 7, 8]
    assert all(body["temperature"] == 1 and body["model"] == "m" for body in writer.asked)


def test_a_second_call_asks_nothing_and_returns_the_same(writer: Writer, run: Callable[..., pd.DataFrame]) -> None:
    first = run()
    pd.testing.assert_frame_equal(run(), first)
    assert len(writer.asked) == len(PLAN)
    assert len(pd.read_csv(first.attrs["path"])) == len(PLAN)


def test_a_run_stopped_at_any_byte_goes_on_with_the_missing_rows_only(
    writer: Writer, run: Callable[..., pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(concurrency=1)
    path = Path(whole.attrs["path"])
    content = path.read_bytes()
    for size in range(0, len(content) + 1, 7):
        path.write_bytes(content[:size])
        left = whole_records(content[:size]).count('é"'.encode()) if size else 0
        writer.asked.clear()
        pd.testing.assert_frame_equal(run(concurrency=1), whole)
        assert len(writer.asked) == len(PLAN) - left
        assert path.read_bytes() == content


def test_limit_stops_early_and_the_next_call_goes_on(writer: Writer, run: Callable[..., pd.DataFrame]) -> None:
    assert run(limit=1).index.tolist() == [0]
    assert run(limit=2).index.tolist() == [0, 1, 2]
    assert [body["seed"] for body in writer.asked[:1]] == [5] and len(writer.asked) == 3


def test_a_failed_row_costs_itself_only_and_is_asked_again(
    writer: Writer, run: Callable[..., pd.DataFrame], provider: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.instead["Hero, telepathy:"] = lambda body: provider.error(500, "overloaded")
    assert run().index.tolist() == [0, 2, 3]
    said = capsys.readouterr().out
    assert "1 missing" in said and "row 1: InternalServerError" in said
    writer.instead.clear()
    assert run().index.tolist() == [0, 1, 2, 3] and len(writer.asked) == 5


def test_an_interrupt_keeps_what_was_under_way_and_asks_no_more(
    writer: Writer, run: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = threading.Barrier(2)

    def together(body: dict[str, Any]) -> httpx2.Response:
        under_way.wait(300)
        return answered("done")

    def interrupted(futures: Any) -> Any:
        raise KeyboardInterrupt

    writer.instead = {row["prompt"]: together for row in PLAN}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("helpers.generate.as_completed", interrupted)
        run(concurrency=2)
    kept = len(writer.asked)
    assert 0 < kept <= len(PLAN)
    assert run(limit=0)["response"].tolist() == ["done"] * kept


def test_no_more_requests_are_open_than_asked_for(writer: Writer, run: Callable[..., pd.DataFrame]) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def count(body: dict[str, Any]) -> httpx2.Response:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1
        return answered("x")

    writer.instead = {row["prompt"]: count for row in PLAN}
    run(concurrency=2, plan=PLAN * 10)
    assert most[0] <= 2 and len(writer.asked) == 40


@pytest.mark.parametrize("change", [{"seed": 6}, {"temperature": 0.5}, {"plan": PLAN[:3]}, {"model": "n"}])
def test_another_question_gets_a_file_of_its_own(
    writer: Writer, run: Callable[..., pd.DataFrame], change: dict[str, Any]
) -> None:
    first, other = run(), run(**change)
    assert first.attrs["path"] != other.attrs["path"] and len(writer.asked) == len(first) + len(other)


def test_another_model_under_the_same_name_is_asked_anew(
    writer: Writer, run: Callable[..., pd.DataFrame], provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, model = run(), provider.model_object("m")
    monkeypatch.setattr(provider, "model_object", lambda name: {**model, "created": model["created"] + 1})
    assert run().attrs["path"] != first.attrs["path"] and len(writer.asked) == 2 * len(PLAN)


def test_a_model_that_is_not_listed_can_be_asked(
    writer: Writer, run: Callable[..., pd.DataFrame], provider: Any
) -> None:
    provider.models.clear()
    assert len(run()) == len(PLAN)


def test_a_changed_file_is_refused_by_name(writer: Writer, run: Callable[..., pd.DataFrame]) -> None:
    path = Path(run().attrs["path"])
    path.write_text(path.read_text(encoding="utf-8").replace("completion_tokens", "tokens"), encoding="utf-8")
    with pytest.raises(ValueError, match=f"{path.name}, answer 1.*move the file away"):
        run()


def test_a_line_feed_inside_quotes_ends_no_record() -> None:
    assert whole_records(b'a,"b\nc"\nd,"e') == b'a,"b\nc"\n'
    assert whole_records(b'a,"say ""x""\ny"\n') == b'a,"say ""x""\ny"\n'
    assert whole_records(b"a,b") == b""
