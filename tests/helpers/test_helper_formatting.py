"""Rows ↔ chat ↔ prompt/completion, turns, and the view in ChatML."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import formatting as form
from hypothesis import given, settings
from hypothesis import strategies as st

TURNS: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q1"},
        {"role": "assistant", "content": "a1"},
        {"role": "user", "content": "q2"},
        {"role": "assistant", "content": "a2"},
    ]
}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TEXT = st.text(min_size=1).map(str.strip).filter(bool)


def test_rows_become_chats_and_go_back() -> None:
    rows = [{"question": "q", "answer": "a", "id": 7}]
    (chat,) = form.chat_rows(rows, "question", "answer", system="Be brief.")
    assert chat == form.chat_row("Be brief.", "q", "a")
    assert form.chat_to_flat(chat) == {"system": "Be brief.", "user": "q", "assistant": "a"}
    assert form.chat_to_flat(form.chat_row(None, "q", "a"))["system"] is None


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="row 2: answer is missing or no text; the columns are question"):
        form.chat_rows([{"question": "q", "answer": "a"}, {"question": "q"}], "question", "answer")
    with pytest.raises(ValueError, match="system, user, assistant, user, assistant"):
        form.chat_to_flat(TURNS)
    with pytest.raises(ValueError, match="role user"):
        form.chat_to_completion({"messages": TURNS["messages"][:2]})


def test_every_answer_is_learnt_once() -> None:
    first, second = form.expand_turns(TURNS)
    assert first == {"messages": TURNS["messages"][:3]}
    assert [m.get("weight") for m in second["messages"]] == [None, None, 0, None, None]
    silent = {"messages": [*TURNS["messages"][:2], {"role": "assistant", "content": "a", "weight": 0}], "tools": []}
    assert form.expand_turns(silent) == []
    assert form.expand_turns({**TURNS, "tools": [1]})[1]["tools"] == [1] and "weight" not in TURNS["messages"][2]


@settings(deadline=None, derandomize=True)
@given(question=TEXT, answer=TEXT)
def test_completions_round_trip(question: str, answer: str) -> None:
    chat = form.chat_row(None, question, answer)
    pair = form.chat_to_completion(chat)
    assert pair["prompt"].endswith(form.SEPARATOR) and pair["completion"].startswith(" ")
    assert form.completion_to_chat(pair) == chat


def test_turns_in_a_prompt_are_named() -> None:
    pair = form.chat_to_completion(TURNS, separator="\n\nAssistant:", ending="\n")
    assert pair["prompt"] == "System: s\nUser: q1\nAssistant: a1\nUser: q2\n\nAssistant:"
    assert pair["completion"] == " a2\n"


def test_the_view_shows_parts_calls_and_what_is_learnt() -> None:
    parts = [{"type": "text", "text": "look <b>"}, {"type": "image_url", "image_url": {"url": "u"}}]
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "weight": 0},
        {"role": "tool", "tool_call_id": "c", "content": "7"},
        {"role": "assistant", "content": "seven"},
    ]
    view = form.show_chat({"messages": messages})
    assert "look <b>[image_url]<|im_end|>" in repr(view) and '"name": "f"' in repr(view)
    page = view._repr_html_()
    assert "look &lt;b&gt;" in page and "<b>seven&lt;|im_end|&gt;</b>" in page and page.count("<b>") == 1
    assert all(colour in page for colour in ("#0072B2", "#009E73", "#999999"))
