"""The task families of the corpus: seeded, balanced, and true to their own prompts."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import islice, permutations, product

import pytest

from localtune.base.corpus import text
from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import (
    characters, claims, comparing, copying, counting, emails, entities, logic, products, reviews,
)
from localtune.base.corpus.tasks.layout import Example, Maker, Task
from localtune.base.corpus.tasks.moods import MOODS
from localtune.base.corpus.tasks.powers import POWER_NOUNS, POWER_VERBS
from localtune.base.corpus.tasks.topics import TOPICS
from localtune.base.corpus.text.articles import article

FAMILIES = {
    "copying": copying, "comparing": comparing, "counting": counting, "logic": logic, "reviews": reviews, "emails": emails,
    "entities": entities, "products": products, "characters": characters, "text": text,
}
FORBIDDEN = re.compile(r"\b[Mm]arv\b|[Ss]arcas|\b[Mm]ock|\{|a\(n\)|\bNone\b(?! of\b)|\x00")


def content(document: Document) -> str:
    return "\n".join([*(message["content"] for message in document.messages), document.prompt, document.text])


def take(name: str, count: int, seed: int = 0) -> list[Document]:
    return list(islice(FAMILIES[name].documents(random.Random(seed)), count))


def examples(task: Task, count: int, seed: int = 0) -> list[Example]:
    rng = random.Random(seed)
    return [task(rng)(rng) for _ in range(count)]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[str, list[Document]]:
    return request.param, take(request.param, 2_000)


def test_documents_are_decided_by_the_seed(family: tuple[str, list[Document]]) -> None:
    name, documents = family
    assert documents[:300] == take(name, 300)
    assert documents[:50] != take(name, 50, seed=1)


def test_documents_are_well_formed(family: tuple[str, list[Document]]) -> None:
    name, documents = family
    for document in documents:
        assert document.source == name
        if document.kind == "chat":
            roles = [message["role"] for message in document.messages]
            turns = roles[1:] if roles[0] == "system" else roles
            assert turns == ["user", "assistant"] * (len(turns) // 2) and turns
            assert all(message["content"].strip() for message in document.messages)
        elif document.kind == "completion":
            assert document.prompt.strip() and re.match(r" \S", document.text)
        else:
            assert document.text.strip() and not document.prompt


def test_documents_vary_in_text_form_and_length(family: tuple[str, list[Document]]) -> None:
    _, documents = family
    lengths = sorted(len(content(document)) for document in documents)
    assert len({content(document) for document in documents}) > 1_950
    assert {document.kind for document in documents} == {"chat", "completion", "text"}
    assert 120 < lengths[1_000] < 1_000 and 1_400 < lengths[-1] < 6_000


def test_no_slot_is_left_and_no_forbidden_word_occurs(family: tuple[str, list[Document]]) -> None:
    name, documents = family
    allowed = re.compile(r'\{"[^{}]*\}')  # records of the copying tasks in JSON
    for document in documents:
        found = FORBIDDEN.search(allowed.sub("", content(document)))
        assert found is None, f"{name}: {found} in {content(document)!r}"


COPIES = [
    copying.repeat, copying.pick_position, copying.pick_neighbour, copying.look_up, copying.look_up_records, copying.who_has,
    comparing.odd_one, entities.ask, reviews.find_by_mood,
]


@pytest.mark.parametrize("task", COPIES, ids=lambda task: task.__name__)
def test_copied_answers_stand_in_the_prompt(task: Task) -> None:
    for example in examples(task, 300):
        assert example.answer in example.given


@pytest.mark.parametrize("task", [copying.look_up_many, entities.extract_all], ids=lambda task: task.__name__)
def test_every_extracted_value_stands_in_the_prompt(task: Task) -> None:
    for example in examples(task, 300):
        for value in re.split(r"\n|; ", example.answer):
            assert value.split(": ")[-1].split(", ")[0] in example.given


def test_entities_are_listed_in_order_of_appearance() -> None:
    rng = random.Random(3)
    for _ in range(500):
        news = entities.news(rng)
        places = [news.text.index(name) for _, name in news.entities]
        assert places == sorted(places)


YES_NO = [
    claims.claim, comparing.same, comparing.named_above, comparing.field_equal, comparing.contained, comparing.pair_true,
    counting.more_or_less, logic.true_or_false, emails.about, products.kept,
]


def _labels(make: Maker, rng: random.Random, count: int) -> Counter[str]:
    return Counter(make(rng).answer for _ in range(count))


@pytest.mark.parametrize("task", YES_NO, ids=lambda task: task.__name__)
def test_two_labels_are_balanced_within_one_wording(task: Task) -> None:
    rng = random.Random(5)
    counts = _labels(task(rng), rng, 1_000)
    assert len(counts) == 2
    assert min(counts.values()) > 420


def test_sentiment_labels_are_balanced() -> None:
    rng = random.Random(6)
    counts = _labels(reviews.two_labels(rng), rng, 1_000)
    assert len(counts) == 2 and min(counts.values()) > 420


def test_letters_of_five_options_are_balanced() -> None:
    counts = Counter(example.answer[-1] for example in examples(logic.five_options, 1_000))
    assert set(counts) == set("ABCDE") and min(counts.values()) > 140


def test_false_claims_often_use_only_words_of_the_ad() -> None:
    rng = random.Random(7)
    cases = [claims.claim_case(rng, supported=False) for _ in range(400)]
    hard = sum(name in ad and thing in ad.lower() for name, thing, ad in ((name, thing.lower(), ad) for name, thing, ad in cases))
    assert 100 < hard < 300


def _fits(clue: logic.Clue, places: tuple[int, ...]) -> bool:
    """The meaning of a clue, written once more and apart from the generator."""
    here, value = places[clue.a], clue.b
    if clue.kind in ("at", "not_at"):
        return (here == value) == (clue.kind == "at")
    there = places[clue.b]
    distance = there - here
    return {"before": distance > 0, "next": distance == 1, "beside": distance in (1, -1), "same": distance == 0,
        "apart": distance != 0}[clue.kind]


def test_every_game_has_exactly_one_solution() -> None:
    rng = random.Random(8)
    for _ in range(400):
        game, _ = logic.scene(rng)
        count, values = len(game.entities), range(len(game.values))
        space = permutations(values, count) if game.distinct else product(values, repeat=count)
        found = [places for places in space if all(_fits(clue, places) for clue in game.clues)]
        assert found == [game.solution] == logic.solve(game)


def test_sums_and_orders_are_right() -> None:
    for example in examples(counting.add, 300):
        left, operator, right = re.search(r"(\d+) ([+-]) (\d+)", example.given).groups()
        assert int(example.answer) == (int(left) + int(right) if operator == "+" else int(left) - int(right))
    for example in examples(counting.count_items, 300):
        count = len(example.given.split(", "))
        assert example.answer in (str(count), counting.NUMBER_WORDS[count])


def test_numbers_of_topics_are_looked_up_and_differ_between_documents() -> None:
    seen: dict[str, set[str]] = {}
    for example in examples(emails.by_number, 3_000):
        line = re.search(rf"^{example.answer}\b[:.)= ]+(.+)$", example.instruction, re.MULTILINE)
        assert line is not None
        seen.setdefault(line[1], set()).add(example.answer)
    assert len(seen) == len(TOPICS) >= 24
    assert all(len(numbers) > 3 for numbers in seen.values())


def test_descriptions_keep_every_attribute() -> None:
    rng = random.Random(9)
    for _ in range(400):
        fields = products.product(rng)
        description = products.described(fields, rng).lower()
        assert all(products.spoken(value).lower() in description for value in fields.values())


def test_heroes_keep_age_and_power() -> None:
    rng = random.Random(10)
    for _ in range(400):
        hero = characters.hero(rng)
        portrait = characters.portrait(hero, rng, 3)
        assert str(hero.age) in portrait and hero.power.lower() in portrait.lower()
    assert len(set(POWER_NOUNS + POWER_VERBS)) >= 300


def test_adverts_and_summaries_name_only_what_the_article_tells() -> None:
    rng = random.Random(11)
    for _ in range(400):
        one = article(rng)
        for derived in (one.ad, one.summary):
            assert set(re.findall(r"\d{4}", derived)) <= set(re.findall(r"\d{4}", one.text))


def test_praise_and_blame_are_rich_and_apart() -> None:
    kinds = ("any", "product", "film", "restaurant", "hotel", "tweet")
    praise, blame = MOODS["positive"], MOODS["negative"]
    good, bad = ({phrase.lower() for kind in kinds for phrase in mood.lines[kind]} for mood in (praise, blame))
    assert len(good) >= 400 and len(bad) >= 400
    shared = (good & bad) | (set(praise.before_noun) & set(blame.before_noun))
    assert not shared
