"""Formatting, checks, metrics and the tables."""

from __future__ import annotations

import base64
import importlib
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from helpers import connect, metrics, tables
from helpers.checks import check
from helpers.formatting import chat_row, chatml, completion_row, read_jsonl, show_chat, show_table, write_jsonl


def test_rows_and_files_round_trip(tmp_path: Path) -> None:
    rows = [chat_row("Sé breve.", "¿Qué?", "“Nada” — 没有"), chat_row(None, "a", "b")]
    path = write_jsonl(tmp_path / "sub" / "rows.jsonl", rows)
    assert read_jsonl(path) == rows
    assert "没有".encode() in path.read_bytes() and b"\r" not in path.read_bytes()
    assert [m["role"] for m in rows[1]["messages"]] == ["user", "assistant"]


def test_reading_names_the_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": \n', encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_jsonl(path)


def test_completion_row_has_separator_space_and_ending() -> None:
    assert completion_row("young hero ", " flies", " ->", " END") == {
        "prompt": "young hero ->",
        "completion": " flies END",
    }


def test_chatml_text_and_view() -> None:
    row = chat_row("s", "<b>?", "yes")
    text = "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\n<b>?<|im_end|>\n"
    assert chatml(row["messages"][:2], generation_prompt=True) == text + "<|im_start|>assistant\n"
    view = show_chat(row)
    assert repr(view) == text + "<|im_start|>assistant\nyes<|im_end|>\n"
    assert "&lt;b&gt;?" in view._repr_html_() and "<b>yes&lt;|im_end|&gt;</b>" in view._repr_html_()


@pytest.mark.parametrize(
    ("answer", "sign", "text"),
    [(..., "⏳", "replace"), (10, "✓", "right"), (9, "✗", "count the lines"), ("x", "✗", "TypeError")],
)
def test_checks(capsys: pytest.CaptureFixture[str], answer: object, sign: str, text: str) -> None:
    with check("Exercise 1", answer):
        assert answer + 0 == 10, "count the lines"  # type: ignore[operator]
    printed = capsys.readouterr().out
    assert printed.startswith(f"{sign} Exercise 1") and text in printed


def test_checks_do_not_swallow_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), check("Exercise 1"):
        raise KeyboardInterrupt


def test_events_become_one_row_per_step() -> None:
    def event(kind: str, data: object) -> SimpleNamespace:
        return SimpleNamespace(type=kind, data=data)

    events = [
        event("metrics", {"step": 2, "total_steps": 2, "train_loss": 0.5, "full_valid_loss": 0.7}),
        event("metrics", {"step": 2, "train_loss": 0.5, "full_valid_loss": 0.7}),
        event("message", None),
        event("metrics", {"step": 1, "train_loss": 1.5, "train_mean_token_accuracy": 0.25}),
    ]
    frame = metrics.events_frame(events)
    assert list(frame.index) == [1, 2] and list(frame.columns) == metrics.COLUMNS
    assert metrics.final_metrics(frame) == {
        "step": 2,
        "train_loss": 0.5,
        "train_mean_token_accuracy": 0.25,
        "full_valid_loss": 0.7,
    }
    assert metrics.final_metrics(metrics.events_frame([])) == {}


OPENAI_CSV = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.2,,\n2,0.5,0.8,0.6,0.7\n"
AZURE_CSV = (
    b"step,train_loss,train_mean_token_accuracy,valid_loss,validation_mean_token_accuracy,full_valid_loss,"
    b"full_valid_mean_token_accuracy\n2,0.5,0.8,0.6,0.7,0.65,0.75\n"
)


ALL_KINDS = [OPENAI_CSV, base64.b64encode(OPENAI_CSV), base64.encodebytes(OPENAI_CSV), AZURE_CSV]


@pytest.mark.parametrize("content", ALL_KINDS)
def test_result_files_of_all_kinds(content: bytes) -> None:
    last = metrics.result_frame(content).loc[2]
    assert (last["train_mean_token_accuracy"], last["valid_mean_token_accuracy"]) == (0.8, 0.7)


def test_a_result_file_that_is_neither() -> None:
    with pytest.raises(ValueError, match="neither CSV nor base64"):
        metrics.result_frame(b"{not it}!")


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)]
)
def test_wilson_interval(k: int, n: int, low: float, high: float) -> None:
    assert metrics.wilson(k, n) == pytest.approx((low, high), abs=1e-4)


def test_wilson_refuses_impossible_counts() -> None:
    with pytest.raises(ValueError, match="k=3, n=2"):
        metrics.wilson(3, 2)


def test_rate_counts_what_could_not_be_scored() -> None:
    rate = metrics.rate([True, False, None, True])
    assert (rate.hits, rate.scored, rate.asked) == (2, 3, 4)
    assert str(rate).endswith("3 scored of 4")


def test_prices_and_providers_are_dated() -> None:
    assert set(tables.prices()["collected"]) == set(tables.providers()["collected"]) == {"2026-11-21"}
    assert tables.prices().set_index("model").loc["gpt-4o-mini-2024-07-18", "train"] == 3.00
    assert tables.prices()["model"].is_unique and tables.providers()["provider"].is_unique


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("ft:gpt-4.1-2025-04-14:org:marv:a1b2", "gpt-4.1-2025-04-14"),
        ("ft:gpt-4.1-2025-04-14:org::a1b2:ckpt-step-80", "gpt-4.1-2025-04-14"),
        ("gpt-4.1-2025-04-14.ft-0123", "gpt-4.1-2025-04-14"),
        ("curie:ft-org:x-2022-02-15", "curie"),
        ("davinci", "davinci"),
    ],
)
def test_base_of(model: str, base: str) -> None:
    assert tables.base_of(model) == base


def test_calendar_tells_past_from_future() -> None:
    table = connect.calendar(date(2026, 11, 21))
    assert table.loc["gpt-4.1-2025-04-14", "state"] == "ahead" and table.loc["davinci", "state"] == "over"
    assert list(table["shutdown_date"]) == sorted(table["shutdown_date"]) and "tiny-limit" not in table.index


def test_helpers_never_import_the_service() -> None:
    for path in Path(tables.ROOT / "helpers").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import localtune" not in text and "from localtune" not in text
        if path.stem != "__main__":
            importlib.import_module(".".join(path.relative_to(tables.ROOT).with_suffix("").parts))


def test_a_table_of_texts_is_shown_whole_and_escaped() -> None:
    long = "word " * 40 + "<b>"
    shown = show_table(pd.DataFrame({"text": [long]}))._repr_html_()
    assert "word " * 40 + "&lt;b&gt;" in shown and shown.count("text-align:left") == 4
