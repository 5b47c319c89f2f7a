"""What the lessons teach and ask must not stand in the corpus; and the base must be no wit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pytest

from localtune.base.corpus.mixture import stream
from localtune.base.evaluation.personas import own_triples, personas
from localtune.base.evaluation.rows import Row, read, words
from localtune.config import DATA

SAMPLE = 20_000


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Texts of a part of the corpus, in words joined by single spaces; both phases of the run."""
    documents = (document for final in (False, True) for document in islice(stream(1, final), SAMPLE // 2))
    return [f" {' '.join(words(text))} " for document in documents for text in document.parts]


def grams(text: str, length: int) -> set[str]:
    """All sequences of so many words."""
    sequence = words(text)
    return {f" {' '.join(sequence[n : n + length])} " for n in range(len(sequence) - length + 1)}


@pytest.fixture(scope="module")
def triples(corpus: list[str]) -> set[str]:
    return set().union(*(grams(text, 3) for text in corpus))


@pytest.fixture(scope="module")
def eights(corpus: list[str]) -> set[str]:
    return set().union(*(grams(text, 8) for text in corpus))


def test_no_eight_words_of_a_training_answer_stand_in_the_corpus(eights: set[str]) -> None:
    answers = set().union(*(grams(row["messages"][-1]["content"], 8) for persona in personas() for row in persona.rows))
    assert len(answers) > 60
    assert answers & eights == set()


HELD_OUT = {
    "sentiment": ("validation.csv", "in_domain.csv", "test.csv", "out_of_domain.csv", "handwritten.csv"),
    "claims": ("validation.csv", "test.csv", "hard.csv", "handwritten.csv"),
    "triage": ("validation.csv", "in_domain.csv", "test.csv", "handwritten.csv"),
    "entities": ("validation.jsonl", "test.jsonl"), "products": ("validation.jsonl", "test.jsonl"),
    "logic_games": ("validation.jsonl", "test.jsonl"),
}
TRAINED = {
    "sentiment": "train.csv", "claims": "train.csv", "triage": "train.csv", "entities": "train.jsonl",
    "products": "train.jsonl", "logic_games": "train.jsonl", "superheroes": "train.csv",
}
QUESTIONS = ("facts_heldout.jsonl", "facts_fresh.jsonl", "marv_heldout.jsonl", "third_persona_heldout.jsonl")
FORMULAS = (" may concern ", " dear sir or madam ", " would like to apply ")  # how letters begin
WRITTEN = ("text", "ad", "body", "description", "passage", "question")  # fields of running text


@pytest.mark.parametrize("folder", HELD_OUT)
def test_no_eight_words_of_a_held_out_row_stand_in_the_corpus(eights: set[str], folder: str) -> None:
    rows = [row for name in HELD_OUT[folder] for row in read(DATA / folder / name)]
    assert read_before(rows, eights) == []


@pytest.mark.parametrize("folder", TRAINED)
def test_no_eight_words_of_a_course_training_row_stand_in_the_corpus(eights: set[str], folder: str) -> None:
    assert read_before(read(DATA / folder / TRAINED[folder]), eights) == []


def read_before(rows: Iterable[Row], eights: set[str]) -> list[str]:
    """Eight words in a row of a data set's running text that stand in the corpus, too."""
    written = set().union(*(grams(row[field], 8) for row in rows for field in WRITTEN if field in row))
    assert len(written) > 100
    return sorted(gram for gram in written & eights if not any(formula in gram for formula in FORMULAS))


def test_new_phrasings_of_held_out_questions_do_not_occur(corpus: list[str], triples: set[str]) -> None:
    rows = [row for name in QUESTIONS for row in read(DATA / "evaluation" / name)]
    asked = {f" {' '.join(words(row['question']))} " for row in rows if row.get("phrasing") != "seen-style"}
    assert len(asked) > 200
    likely = [question for question in asked if grams(question, 3) <= triples]  # only these are worth a search
    assert [question for question in likely if any(question in text for text in corpus)] == []


@pytest.mark.parametrize("word", [" marv ", " sarcastic ", " sarcasm ", " agnes is a factual chatbot "])
def test_the_personas_of_the_lessons_are_unknown(corpus: list[str], word: str) -> None:
    assert not any(word in text for text in corpus)


def test_most_of_a_personas_word_triples_are_its_own(triples: set[str]) -> None:
    for persona in personas():
        wanted = {f" {' '.join(triple)} " for triple in own_triples(persona)}
        known = wanted & triples
        assert len(wanted) > 60 and len(known) < 0.2 * len(wanted), (persona.name, sorted(known))


def test_no_question_of_the_evaluation_is_among_the_training_rows() -> None:
    for persona in personas():
        trained = {row["messages"][-2]["content"].lower() for row in persona.rows}
        assert not trained & {row["question"].lower() for row in persona.questions}
