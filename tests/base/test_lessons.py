"""Lessons: what their pages are mixed with, when they end, and what they leave behind."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from localtune.base import batches, lessons
from localtune.base.corpus.tasks.verdicts import LESSONS
from localtune.base.pretrain import Plan, Trainer
from localtune.config import DATA
from localtune.model.llama import LlamaConfig, load_llama
from localtune.model.tokenizer import Tokenizer

SMALL = DATA / "base" / "small"
TINY = LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)


def shares(before: tuple[str, ...]) -> dict[str, float]:
    tasks = [task for name in before for task in LESSONS[name]]
    found = Counter[str]()
    for document in islice(lessons.documents(LESSONS["same"], tasks, "1"), 3_000):
        found[document.source] += sum(map(len, document.parts))
    return {source: count / found.total() for source, count in found.items()}


def test_a_lesson_is_mostly_its_own_pages() -> None:
    first, second = shares(()), shares(("pairs",))
    assert first["verdicts"] == pytest.approx(0.8, abs=0.01) == second["verdicts"]
    assert first["facts"] == pytest.approx(0.12, abs=0.01)
    assert first["personas"] == pytest.approx(0.08, abs=0.01)


def test_right_answers_of_a_random_model_are_rare() -> None:
    trainer = Trainer(Plan(config=TINY), Tokenizer.from_folder(SMALL))
    assert lessons.right_answers(trainer, LESSONS["same"][0], pages=3) < 0.1


def test_a_lesson_ends_with_its_time_and_leaves_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "LOOK_EVERY", 2)
    monkeypatch.setattr(batches, "POOL", 64)  # two lessons of a few steps need no more documents
    plan = Plan(minutes=1e-3, peak_lr=1e-3, decay=0.01, config=TINY)
    lessons.teach(plan, ("same", "pairs"), SMALL, tmp_path / "out")
    assert load_llama(tmp_path / "out").config == TINY
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("same step 2,") and said[-1].startswith("pairs step")


def test_a_mastered_lesson_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(Plan(config=TINY), Tokenizer.from_folder(SMALL))
    monkeypatch.setattr(lessons, "right_answers", lambda *_: 0.95)
    assert lessons.done(trainer, "same")
    monkeypatch.setattr(lessons, "right_answers", lambda *_: 0.5)
    assert not lessons.done(trainer, "same")


def test_pages_of_a_lesson_are_those_of_its_seed() -> None:
    first, again, other = (list(islice(lessons.lesson(LESSONS["same"], random.Random(seed)), 20)) for seed in (1, 1, 2))
    assert first == again != other
