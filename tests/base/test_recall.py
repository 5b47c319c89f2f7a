"""Exercises on random tokens: whatever is learnt can be known from what stands before it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from localtune.base import lessons
from localtune.base.pretrain import Plan, Trainer
from localtune.base.recall import EXERCISES, FIRST, VERDICTS, Exercises, fill
from localtune.base.rows import Row
from localtune.config import DATA
from localtune.model.llama import LlamaConfig
from localtune.model.tokenizer import Tokenizer

TOKENIZER = Tokenizer.from_folder(DATA / "base" / "small")
TINY = LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)


@pytest.fixture
def exercises() -> Exercises:
    return Exercises(TOKENIZER, random.Random(1))


def answers(row: Row) -> Iterator[tuple[list[int], list[int]]]:
    """(everything before, answer) of each learnt stretch."""
    place = 0
    while place < len(row.ids):
        end = place
        while end < len(row.ids) and row.weights[end]:
            end += 1
        if end > place:
            yield row.ids[:place], row.ids[place:end]
        place = max(end, place + 1)


def stands_in(part: list[int], ids: list[int]) -> bool:
    return any(ids[n : n + len(part)] == part for n in range(len(ids) - len(part) + 1))


def test_what_is_repeated_stood_there_before_after_the_same_token(exercises: Exercises) -> None:
    found = [one for _ in range(50) for one in answers(exercises.repeated())]
    assert found and all(stands_in([before[-1], *answer], before) for before, answer in found)


@pytest.mark.parametrize("kind", ["looked_up", "looked_back"])
def test_what_is_looked_up_stands_in_the_table(exercises: Exercises, kind: str) -> None:
    found = [one for _ in range(50) for one in answers(getattr(exercises, kind)())]
    assert found and all(stands_in(answer, before) for before, answer in found)


@pytest.mark.parametrize("kind", ["matched_two", "matched_few", "matched"])
def test_half_of_the_pairs_belong_together(exercises: Exercises, kind: str) -> None:
    words = {word: true for pair in VERDICTS for word, true in zip(pair, (True, False))}
    said = [TOKENIZER.decode(answer).strip() for _ in range(50) for _, answer in answers(getattr(exercises, kind)())]
    assert set(said) <= set(words)
    assert sum(words[word] for word in said) / len(said) == pytest.approx(0.5, abs=0.05)


def test_a_wrong_pair_is_not_in_the_table(exercises: Exercises) -> None:
    table = [([1000 + n], [2000 + n]) for n in range(3)]
    wrong = [exercises._wrong(table) for _ in range(300)]
    assert not any(pair in table for pair in wrong)
    assert sum(right in [known for _, known in table] for _, right in wrong) > 200


def test_names_are_no_marks_of_the_chat_template(exercises: Exercises) -> None:
    assert min(exercises._name(10_000)) >= FIRST > max(TOKENIZER.eot_id, TOKENIZER.im_start_id, TOKENIZER.im_end_id)


def test_rows_are_cut_to_their_length(exercises: Exercises) -> None:
    for kind in ("repeated", "looked_up", "looked_back", "matched_two", "matched_few", "matched"):
        row = fill(getattr(exercises, kind), 100)
        assert len(row.ids) == len(row.weights) == 100


def test_exercises_leave_the_embeddings_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lessons, "LOOK_EVERY", 1)
    monkeypatch.setattr(lessons, "EXERCISE_TOKENS", 256)
    monkeypatch.setattr(lessons, "stream", lambda *_, **__: iter(()))
    monkeypatch.setattr(lessons, "MIXTURE", 0.0)
    trained: list[Trainer] = []
    monkeypatch.setattr(lessons, "save_llama", lambda *_: None)
    monkeypatch.setattr(lessons, "Trainer", lambda *given: trained.append(Trainer(*given)) or trained[-1])
    lessons.teach(Plan(minutes=1e-9, config=TINY), ("repeating",), DATA / "base" / "small", tmp_path)
    fresh = Trainer(Plan(config=TINY), TOKENIZER).model
    assert trained[0].step == 1
    assert trained[0].model.model.embed_tokens.weight.equal(fresh.model.embed_tokens.weight)
    assert not trained[0].model.model.layers[0].mlp.up_proj.weight.equal(fresh.model.layers[0].mlp.up_proj.weight)


def test_every_exercise_goes_on_with_those_before() -> None:
    kinds = [set(shares) for shares in EXERCISES.values()]
    assert all(later & earlier for earlier, later in zip(kinds, kinds[1:]))
    assert all(sum(shares.values()) == pytest.approx(1) for shares in EXERCISES.values())
    assert all(callable(getattr(Exercises, kind)) for kind in set().union(*kinds))
