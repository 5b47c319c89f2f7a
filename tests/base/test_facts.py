"""The fact corpus: true to its tables, even, reproducible, and disjoint from the questions it is evaluated with."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from localtune.base.corpus.document import Document
from localtune.base.corpus.facts import (
    CORE, FACTS, RELATIONS, documents, held_out_question, mentions, question, sentence,
)
from localtune.base.corpus.facts.__main__ import rows
from localtune.base.corpus.facts.generator import deck
from localtune.base.corpus.facts.phrasing import check, distractors
from localtune.base.corpus.facts.table import Fact, fill, parse

EVALUATION = Path(__file__).resolve().parents[2] / "data" / "evaluation"
FORBIDDEN = ("marv", "sarcas", "as if everyone", "ever heard of him", "give or take a few", "just some guy")


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def full_text(document: Document) -> str:
    return "\n".join([*(m["content"] for m in document.messages), document.prompt + document.text])


def read_rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (EVALUATION / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def sample() -> list[Document]:
    return list(islice(documents(random.Random(3)), 20_000))


@pytest.fixture(scope="module")
def words(sample: list[Document]) -> str:
    return "\n".join(plain(full_text(document)) for document in sample)


def test_parse_reads_every_kind_of_line() -> None:
    lines = "[unit]\n? How many {s} in {t}?\n+ In {t}: {a}.\n- days / a week | the seven | 7, 7.0\n"
    (relation,) = parse(lines)
    assert relation.questions == ["How many {s} in {t}?"]
    assert relation.facts == [Fact("unit", "days / a week", "the seven", ("seven", "7", "7.0"))]


def test_thousands_separators_do_not_split_an_accepted_answer() -> None:
    moon = next(fact for fact in FACTS if fact.subject.startswith("how far is the Moon"))
    assert moon.accept == ("384,400 kilometers", "384,400", "384400")


@pytest.mark.parametrize(("subject", "expected"), [("owl", "an owl is a kid"), ("dog", "a dog is a kid")])
def test_article_agrees_with_the_next_word(subject: str, expected: str) -> None:
    assert fill("a(n) {s} is a(n) {a}", Fact("young", subject, "kid", ("kid",))) == expected


def test_word_borders_decide_what_counts_as_mentioned() -> None:
    assert mentions("It's Rome.", "rome")
    assert not mentions("Romeo", "rome")


def test_number_of_facts_and_uniqueness() -> None:
    assert 800 <= len(FACTS) <= 1100
    assert len(RELATIONS) >= 45
    assert len({(fact.relation, fact.subject) for fact in FACTS}) == len(FACTS)


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_has_enough_phrasings(name: str) -> None:
    relation, rng = RELATIONS[name], random.Random(1)
    fact = relation.facts[0]
    assert len({plain(question(fact, rng)) for _ in range(300)}) >= 10
    assert len({sentence(fact, rng) for _ in range(200)}) >= 6
    assert len({held_out_question(fact, k) for k in range(9)}) >= 2


def test_accepted_answers_are_lower_case_stated_by_sentences_and_absent_from_questions() -> None:
    rng = random.Random(2)
    for fact in FACTS:
        assert all(spelling and spelling == spelling.lower() for spelling in fact.accept)
        assert any(mentions(sentence(fact, rng), spelling) for spelling in fact.accept), fact
        asked = [held_out_question(fact, k) for k in range(3)] + [question(fact, rng) for _ in range(5)]
        assert not any(mentions(text, spelling) for text in asked for spelling in fact.accept), fact


def test_the_ten_core_questions_are_known() -> None:
    answers = {fact.answer for fact in CORE}
    assert answers == {
        "Paris", "William Shakespeare", "about 384,400 kilometers", "Hong Kong", "Smith", "Finland", "Brazil",
        "Microsoft", "Rome", "Drake",
    }
    life = next(fact for fact in CORE if fact.answer == "Hong Kong")
    assert "japan" in life.accept


def test_yes_no_checks_never_deny_a_right_answer() -> None:
    rng = random.Random(4)
    for fact in FACTS:
        assert not {answer.lower().removeprefix("the ") for answer in distractors(fact)} & set(fact.accept)
    capital = RELATIONS["capital"].facts[0]
    for asked, reply in (check(capital, rng) for _ in range(200)):
        assert mentions(asked, capital.accept[0]) != reply.startswith("No")


def test_same_seed_same_documents() -> None:
    first, second, other = (list(islice(documents(random.Random(seed)), 300)) for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_documents_fill_the_fields_of_their_kind(sample: list[Document]) -> None:
    assert {document.kind for document in sample} == {"chat", "completion", "text"}
    for document in sample:
        assert document.source == "facts"
        assert bool(document.messages) == (document.kind == "chat")
        assert bool(document.prompt) == (document.kind == "completion")
        assert bool(document.text) == (document.kind != "chat")
        if document.messages:
            roles = [message["role"] for message in document.messages if message["role"] != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_no_template_mark_is_left_over(sample: list[Document]) -> None:
    mark = re.compile(r"[{}…]|\.\.|\(n\)|\bNone\b")
    assert [text for text in map(full_text, sample) if mark.search(text)] == []


def test_every_fact_is_drawn_about_equally_often() -> None:
    one_round = len(FACTS) + 2 * len(CORE) + len(RELATIONS["capital"].facts) // 2
    drawn = Counter(islice(deck(random.Random(7)), 20 * one_round))
    assert set(drawn) == set(FACTS)
    for fact, times in drawn.items():
        expected = 60 if fact in CORE else 20
        assert times == expected or fact.relation == "capital" and expected <= times <= 2 * expected


def test_corpus_has_none_of_the_forbidden_words(words: str) -> None:
    assert [run for run in FORBIDDEN if run in words] == []


def test_held_out_phrasings_never_occur_in_the_corpus(words: str) -> None:
    held_out = {plain(held_out_question(fact, k)) for fact in FACTS for k in range(3)}
    held_out |= {plain(row["question"]) for row in read_rows("marv_heldout.jsonl") if row["phrasing"] == "new"}
    assert sorted(text for text in held_out if text in words) == []


def test_committed_held_out_file_is_what_the_command_writes() -> None:
    committed = read_rows("facts_heldout.jsonl")
    assert committed == rows()
    assert len({row["question"] for row in committed}) == 200
    assert {row["relation"] for row in committed} == set(RELATIONS)


def test_marv_rows_agree_with_the_facts() -> None:
    committed = read_rows("marv_heldout.jsonl")
    known = set(FACTS) - set(CORE)
    assert len({row["question"] for row in committed}) == 100
    assert Counter(row["phrasing"] for row in committed) == {"seen-style": 50, "new": 50}
    for row in committed:
        assert Fact(row["relation"], row["subject"], row["answer"], tuple(row["accept"])) in known
        assert not any(mentions(row["question"], spelling) for spelling in row["accept"])
