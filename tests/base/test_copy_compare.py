"""Copying and comparing: labels tell the truth, are balanced, and false claims cannot be told by single words."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import islice

import pytest

from localtune.base.corpus.tasks import adverts, claims, comparing, entities, naming, pairing, products
from localtune.base.corpus.tasks.layout import Example, Maker, chat, document


def makers(task: object, count: int, seed: int = 0) -> list[tuple[Maker, random.Random]]:
    rng = random.Random(seed)
    return [(task(rng), rng) for _ in range(count)]


def answers(example: Example) -> list[tuple[str, str]]:
    return [(example.given, example.answer), *example.more]


@pytest.mark.parametrize("text", ["Velora", "wool socks", "KX-4821", "Hart & Sons", "a", "77", "&"])
def test_a_lookalike_differs_and_stays_close(text: str) -> None:
    rng = random.Random(1)
    for _ in range(300):
        other = naming.lookalike(rng, text)
        assert other != text and other
        assert len(other.split()) == len(text.split())


def test_other_names_differ() -> None:
    rng = random.Random(2)
    for _ in range(500):
        known, firm = naming.goods(rng), naming.firm(rng)
        assert naming.other_goods(rng, known) != known and naming.other_firm(rng, firm) != firm


def test_every_advert_names_its_companies_and_products() -> None:
    rng = random.Random(3)
    for _ in range(1_500):
        text, pairs = claims.offer(rng)
        for company, product in pairs:
            assert company.lower() in text.lower() and product.lower() in text.lower()
        assert not re.search(r"[{}\[\]|]{2}|  ", text)


def test_supported_claims_are_pairs_of_the_advert_and_others_are_not() -> None:
    rng = random.Random(4)
    for _ in range(1_500):
        _, pairs = claims.offer(rng)
        assert claims.wrong(rng, pairs) not in pairs


def test_half_of_the_adverts_tie_two_pairs() -> None:
    rng = random.Random(5)
    counts = Counter(len(claims.offer(rng)[1]) for _ in range(1_000))
    assert set(counts) == {1, 2} and min(counts.values()) > 430


def test_in_most_false_claims_on_two_pairs_every_word_stands_in_the_advert() -> None:
    rng, hard, seen = random.Random(6), 0, 0
    while seen < 500:
        text, pairs = claims.offer(rng)
        if len(pairs) == 2:
            company, product = claims.wrong(rng, pairs)
            hard += company in text and product.lower() in text.lower()
            seen += 1
    assert 300 < hard < 450


@pytest.mark.parametrize("task", [claims.claims, pairing.matched, pairing.member, pairing.twins], ids=lambda one: one.__name__)
def test_labels_are_balanced_over_all_questions(task: object) -> None:
    negative = {"no", "No", "false", "0", "wrong", "unsupported", "different", "not equal"}
    labels = [answer.split(". ")[-1] in negative for make, rng in makers(task, 1_500) for _, answer in answers(make(rng))]
    assert 0.42 < sum(labels) / len(labels) < 0.58


def test_no_question_is_asked_twice_about_one_text() -> None:
    for task in (pairing.matched, pairing.recalled):
        for make, rng in makers(task, 300):
            asked = [question for question, _ in answers(make(rng))[1:]]
            assert len(asked) == len(set(asked))


def test_recalled_answers_and_missing_entries_stand_in_the_text() -> None:
    for task in (pairing.recalled, pairing.missing, claims.found):
        for make, rng in makers(task, 300):
            example = make(rng)
            for _, answer in answers(example):
                assert all(part in example.given or part in example.given.lower() or part.lower() in example.given.lower()
                    for part in re.split(r"\n|: ", answer))


def test_twins_are_told_by_equality() -> None:
    for make, rng in makers(pairing.twins, 500):
        example = make(rng)
        same = example.answer in ("same", "yes", "equal")
        found = re.fullmatch(r"(?:A: |Is )?(.+?)(?:\nB: |\n| \| | = |, | the same as | and )(.+?)\??", example.given)
        if found and " and " not in example.given:
            assert (found[1].removesuffix(" is") == found[2]) == same


def test_the_claim_of_an_evidence_answer_decides_its_label() -> None:
    for make, rng in makers(claims.evidence, 400):
        shown, claim, label = re.fullmatch(r"Ad: (.+)\. Claim: (.+)\. (yes|no)", make(rng).answer).groups()
        assert (claim in shown.split("; ")) == (label == "yes")


def test_further_questions_become_further_turns() -> None:
    example = Example("Answer.", "Ann has a kite. Who?", "Ann", True, more=(("What?", "kite"), ("Where?", "home")))
    messages = chat([example], random.Random(1), "test").messages
    assert [message["content"] for message in messages if message["role"] == "assistant"] == ["Ann", "kite", "home"]


def test_short_exercises_fill_their_documents() -> None:
    rng = random.Random(7)
    counts = [len(document(pairing.twins(rng), rng, "test").messages) for _ in range(400)]
    assert sum(count > 6 for count in counts) > 100


def test_news_frames_have_known_slots_and_entities_of_their_text() -> None:
    rng = random.Random(8)
    for _ in range(1_500):
        news = entities.news(rng)
        assert all(name in news.text for _, name in news.entities)


def test_a_missing_attribute_is_not_in_the_text() -> None:
    for make, rng in makers(products.missing, 300):
        example = make(rng)
        key, value = example.answer.split(": ", 1)
        attributes, text = example.given.split("\nText: ")
        assert key in attributes and value in attributes
        if len(value) > 6:
            assert products.spoken(value) not in text


def test_adverts_are_many() -> None:
    rng = random.Random(9)
    texts = {re.sub(r"\d+", "0", adverts.single(rng, "Xavo", "lamps")) for _ in range(2_000)}
    assert len(texts) > 1_000 and len(adverts.SINGLE) + len(adverts.RIVAL) + len(adverts.DOUBLE) >= 70


def test_comparing_documents_hold_many_learnt_answers() -> None:
    documents = islice(comparing.documents(random.Random(10)), 1_000)
    learnt = [sum(message["role"] == "assistant" for message in one.messages) for one in documents if one.kind == "chat"]
    assert sum(learnt) / len(learnt) > 5
