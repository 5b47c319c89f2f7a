"""Natural text that is mixed in: what is left out, how rows become documents, and its share of the stream."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest

from localtune.base.corpus import natural
from localtune.base.corpus.mixture import NATURAL, SOURCES, length, shares, stream


def row(source: str, task: str, prompt: str, completion: str = "positive") -> dict[str, str]:
    return {"source": source, "task": task, "prompt": prompt, "completion": completion}


ROWS = [
    row("t0", "amazon_polarity_Is_this_review", "Held out. Is this review good?"),
    row("t0", "imdb_Text_Expressed_Sentiment", "It was a joy to watch.<br />What is the sentiment of this text?"),
    row("t0", "imdb_Sentiment_with_choices_", "Endless. " * 300 + "I loved it. Positive or negative?"),
    row("clinc", "intent", "book me a flight to Rome", "book flight"),
    row("topical-chat", "topical_chat", "", "User 1: Hello!\nUser 2: Hi there."),
    row("gsm8k", "word_problem", "x" * 1_200, "4"),
]


@pytest.fixture()
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in ROWS), encoding="utf-8")
    return path


def test_held_out_reviews_and_long_rows_never_come(file: Path) -> None:
    texts = [f"{d.prompt}{d.text}{d.messages}" for d in islice(natural.documents(file, random.Random(1)), 300)]
    assert not any("Held out" in text or "xxx" in text for text in texts)
    assert any("Rome" in text for text in texts) and any("Hi there" in text for text in texts)


def test_a_long_review_keeps_its_end() -> None:
    prompt = natural.shorten(ROWS[2])["prompt"]
    assert len(prompt) <= natural.LONGEST and prompt.endswith("I loved it. Positive or negative?")


def test_marks_of_the_web_page_are_gone() -> None:
    assert "<br" not in natural.shorten(ROWS[1])["prompt"]


@pytest.mark.parametrize("final", [False, True])
def test_every_source_gets_its_share_of_the_text(file: Path, final: bool) -> None:
    wanted = shares(final, with_natural=True)
    assert sum(wanted.values()) == pytest.approx(1) and set(wanted) == {*SOURCES, "natural"}
    written = dict.fromkeys(wanted, 0)
    for document in islice(stream(1, final, file), 6_000):
        written[document.source] += length(document)
    total = sum(written.values())
    assert {name: size / total for name, size in written.items()} == pytest.approx(wanted, abs=0.01)
    assert written["natural"] / total == pytest.approx(NATURAL[final], abs=0.01)
