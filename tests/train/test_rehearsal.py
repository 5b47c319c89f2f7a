"""Jobs of the small base learn rows of its corpus beside their own, and count only their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from localtune.base.corpus.rehearsal import rows
from localtune.base.evaluation.personas import EVALUATION
from localtune.base.evaluation.rows import read
from localtune.config import REHEARSAL
from localtune.model.llama import load_llama
from localtune.model.tokenizer import Tokenizer
from localtune.train.rehearsal import EVERY, Rehearsal
from tests.tiny import tiny_base
from tests.train.jobs import make_spec, of_type, run_job


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.from_folder(tiny_base(tmp_path_factory.mktemp("base")))


def rehearsal(tokenizer: Tokenizer, seed: int = 1, examples: int = 400) -> Rehearsal:
    return Rehearsal(REHEARSAL, tokenizer, 1_024, seed, examples)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10])
def test_one_row_comes_with_every_four_examples(tokenizer: Tokenizer, batch_size: int) -> None:
    source, steps = rehearsal(tokenizer), 240 // batch_size
    counts = [len(source.beside(step, batch_size)) for step in range(steps)]
    assert sum(counts) == steps * batch_size // EVERY
    assert max(counts) - min(counts) <= 1


def test_the_order_is_that_of_the_seed_and_no_more_is_read_than_needed(tokenizer: Tokenizer) -> None:
    first, again, other = (rehearsal(tokenizer, seed).rows for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 400 // EVERY + 1


def test_rows_that_teach_nothing_in_a_short_context_are_left_out(tokenizer: Tokenizer) -> None:
    short = Rehearsal(REHEARSAL, tokenizer, 64, 1, 400)
    assert 0 < len(short.rows) < 400 // EVERY
    assert all(row.learnt and len(row.ids) <= 64 for row in short.rows)


def test_without_a_file_nothing_is_rehearsed(tokenizer: Tokenizer) -> None:
    assert not Rehearsal(None, tokenizer, 128, 1, 400).beside(3, 4)


def test_a_long_job_begins_with_its_rows_again(tokenizer: Tokenizer) -> None:
    source = rehearsal(tokenizer, examples=10**6)
    size = len(source.rows)
    assert source.beside(size, EVERY) == source.beside(0, EVERY) == [source.rows[0]]


def test_rows_are_learnt_and_not_counted(tmp_path: Path) -> None:
    with_rows, without = make_spec(tmp_path / "with"), make_spec(tmp_path / "without", rehearse=False)
    lines, plain = run_job(with_rows), run_job(without)
    first, second = (of_type(job, "metrics") for job in (lines, plain))
    assert first[0]["train_loss"] == second[0]["train_loss"]  # before any step
    assert first[-1]["train_loss"] != second[-1]["train_loss"]
    assert of_type(lines, "done")[0]["trained_tokens"] == of_type(plain, "done")[0]["trained_tokens"]
    spent, saved = (load_llama(Path(spec.output) / of_type(job, "checkpoint")[-1]["folder"])
                    for spec, job in ((with_rows, lines), (without, plain)))
    assert any(not torch.equal(a, b) for a, b in zip(spent.parameters(), saved.parameters()))


def test_the_committed_rows_are_what_the_command_writes() -> None:
    assert [json.loads(line) for line in REHEARSAL.read_text(encoding="utf-8").splitlines()] == rows(1, 2_000)


def test_no_reserved_question_is_rehearsed() -> None:
    text = REHEARSAL.read_text(encoding="utf-8").casefold()
    asked = [row["question"] for name in ("facts_heldout", "facts_fresh", "marv_heldout", "third_persona_heldout")
             for row in read(EVALUATION / f"{name}.jsonl") if row.get("phrasing") != "seen-style"]
    assert len(asked) > 400
    assert [question for question in asked if question.casefold() in text] == []
