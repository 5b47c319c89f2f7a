"""The course's data sets: files are what the generators make, splits share nothing, labels are what they claim."""
from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from tools.datasets import entities, logic_games, products, superheroes, triage
from tools.datasets.__main__ import NAMES, write
from tools.datasets.common import dealt, rules_of, sections

DATA = Path(__file__).parents[1] / "data"
SPLITS = ("train", "validation", "test")


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_frozen_files_are_what_the_generator_makes(name: str, tmp_path: Path) -> None:
    for path in write(name, tmp_path):
        assert path.read_bytes() == (DATA / name / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", ["sentiment", "claims", "triage", "entities", "products"])
def test_no_line_of_a_dealt_section_serves_two_splits(name: str) -> None:
    shared = {key.lstrip("=") for key in sections(name) if key.startswith("=")}
    for key in set(rules_of(name, "train")) - shared:
        lines = [line for split in SPLITS for line in set(rules_of(name, split)[key])]
        assert len(lines) == len(set(lines)), key
        assert all(rules_of(name, split)[key] for split in SPLITS), key


@pytest.mark.parametrize("name, column", [("sentiment", "text"), ("claims", "ad"), ("triage", "body")])
def test_no_text_is_in_two_splits(name: str, column: str) -> None:
    files = (*SPLITS, "handwritten", *(("in_domain",) if name != "claims" else ()))
    texts = [{row[column].lower() for row in rows(f"{name}/{split}.csv")} for split in files]
    assert sum(map(len, texts)) == len(set().union(*texts))


@pytest.mark.parametrize("file, label, count", [
    ("sentiment/train", "label", 1000), ("sentiment/validation", "label", 200), ("sentiment/test", "label", 300),
    ("sentiment/out_of_domain", "label", 200), ("sentiment/handwritten", "label", 224), ("claims/train", "supported", 1000),
    ("claims/validation", "supported", 200), ("claims/test", "supported", 300), ("claims/hard", "supported", 200),
    ("claims/handwritten", "supported", 214), ("triage/train", "category", 2000), ("triage/validation", "category", 200),
    ("triage/test", "category", 400), ("triage/handwritten", "category", 200), ("triage/in_domain", "category", 400),
    ("sentiment/in_domain", "label", 300)])
def test_sizes_and_balance(file: str, label: str, count: int) -> None:
    counts = Counter(row[label] for row in rows(f"{file}.csv"))
    assert sum(counts.values()) == count and len(set(counts.values())) == 1


def test_every_class_of_mail_has_enough_sentences_of_its_own() -> None:
    for split, least in (("train", 30), ("validation", 12), ("test", 14)):
        rules = rules_of("triage", split)
        assert all(len(set(rules[f"{number}.body"])) >= least for number in triage.CLASSES), split


def test_praise_and_blame_come_as_twins_of_one_split() -> None:
    found = sections("sentiment")
    for key in [key for key in found if key.endswith(".good")]:
        assert len(found[key]) == len(found[key.replace(".good", ".bad")]), key


def fixed_sentences(name: str, split: str) -> list[str]:
    """The split's own sentences that have neither slots nor choices, so that rows hold them as they are."""
    shared = {key.lstrip("=") for key in sections(name) if key.startswith("=")}
    lines = [line.lower() for key, lines in rules_of(name, split).items() if key not in shared for line in lines]
    return [line for line in lines if len(line) > 30 and not set("{(") & set(line)]


@pytest.mark.parametrize("name, column", [("sentiment", "text"), ("triage", "body")])
def test_in_domain_rows_use_the_sentences_of_training(name: str, column: str) -> None:
    texts = [row[column].lower() for row in rows(f"{name}/in_domain.csv")]
    for split, least, most in (("train", 0.3, 1.0), ("validation", 0.0, 0.0), ("test", 0.0, 0.0)):
        sentences = fixed_sentences(name, split)
        share = sum(any(sentence in text for sentence in sentences) for text in texts) / len(texts)
        assert len(sentences) > 50 and least <= share <= most, split


def surface(text: str, moods: set[str]) -> dict[str, float]:
    """What says nothing of a review's meaning: length, punctuation, first and last two words; words of mood are left out."""
    words = ["mood" if word in moods else word for word in re.findall(r"\w+", text.lower())]
    marks = {mark: float(text.count(mark)) for mark in ".,!?:;'\"#-"}
    edges = {f"{place} {' '.join(part)}": 1.0 for place, part in (
        ("first", words[:1]), ("first", words[:2]), ("last", words[-1:]), ("last", words[-2:]))}
    return {"letters": len(text), "words": len(words), "lower": float(text == text.lower()), **marks, **edges}


@pytest.fixture(scope="module")
def by_surface() -> Callable[[str], float]:
    """Accuracy on a split of a model that sees the surface of the training rows alone."""
    moods = {word for key in ("=great", "=awful") for line in sections("sentiment")[key] for word in re.findall(r"\w+", line)}
    model = make_pipeline(DictVectorizer(), MaxAbsScaler(), LogisticRegression(max_iter=3000))

    def seen(split: str) -> tuple[list[dict[str, float]], list[str]]:
        found = rows(f"sentiment/{split}.csv")
        return [surface(row["text"], moods) for row in found], [row["label"] for row in found]

    model.fit(*seen("train"))
    return lambda split: float(model.score(*seen(split)))


@pytest.mark.parametrize("split", ["validation", "test", "out_of_domain", "handwritten"])
def test_the_surface_of_a_review_tells_nothing_of_its_label(by_surface: Callable[[str], float], split: str) -> None:
    assert 0.4 <= by_surface(split) <= 0.6  # below would be worse: a cue that changes sides between the splits


@pytest.mark.parametrize("name, columns, label, test, in_domain", [
    ("sentiment", ("text",), "label", 0.6, 0.9), ("triage", ("subject", "body"), "category", 0.75, 0.95)])
def test_words_recur_between_splits(name: str, columns: tuple[str, ...], label: str, test: float, in_domain: float) -> None:
    def seen(split: str) -> tuple[list[str], list[str]]:
        found = rows(f"{name}/{split}.csv")
        return [" ".join(row[column] for column in columns) for row in found], [row[label] for row in found]

    bag = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(bag, LogisticRegression(C=10, max_iter=300)).fit(*seen("train"))
    for split, least in (("test", test), ("in_domain", in_domain)):
        texts, labels = seen(split)
        assert f1_score(labels, model.predict(texts), average="weighted") >= least, split


def test_companies_and_products_of_held_out_claims_are_new() -> None:
    stems = {split: rules_of("claims", split)["stem"] for split in SPLITS}
    for split, others in ((split, [other for other in SPLITS if other != split]) for split in SPLITS):
        text = " ".join(" ".join(row.values()) for row in rows(f"claims/{split}.csv"))
        assert not [stem for other in others for stem in stems[other] if f" {stem} " in text]


def test_half_of_the_ads_name_a_second_company() -> None:
    stems = [stem for split in SPLITS for stem in rules_of("claims", split)["stem"]]
    named = [sum(stem in row["ad"] for stem in stems) for row in rows("claims/train.csv")]
    assert 0.45 <= sum(count >= 2 for count in named) / len(named) <= 0.65



def test_hard_claims_come_in_twins_of_the_same_words() -> None:
    hard = rows("claims/hard.csv")
    for yes, no in zip(hard[::2], hard[1::2]):
        bags = [Counter(row["ad"].lower().replace(",", " ").replace(".", " ").replace("?", " ").replace("!", " ")
                        .replace(":", " ").replace("(", " ").replace(")", " ").replace("'s", " ").split()) for row in (yes, no)]
        assert (yes["supported"], no["supported"]) == ("yes", "no") and bags[0] == bags[1]
        assert (yes["company"], yes["product"]) == (no["company"], no["product"])


def test_a_bag_of_words_gets_half_of_the_hard_claims() -> None:
    def text(row: dict[str, str]) -> str:
        return f"{row['company']} {row['product']} {row['ad']}"

    train, hard = rows("claims/train.csv"), rows("claims/hard.csv")
    bag = CountVectorizer()
    model = LogisticRegression(max_iter=1000).fit(bag.fit_transform(map(text, train)), [row["supported"] for row in train])
    right = sum(model.predict(bag.transform(map(text, hard))) == [row["supported"] for row in hard])
    assert right == len(hard) / 2  # twins have one and the same bag, so exactly one of the two is right


@pytest.mark.parametrize("split", SPLITS)
def test_entities_stand_in_the_text_in_this_order(split: str) -> None:
    for row in records(f"entities/{split}.jsonl"):
        places = [str(row["text"]).index(name) for name in row["entities"]]
        assert places == sorted(places) and len(places) == len(set(places))


def test_entity_files_have_their_sizes() -> None:
    assert [len(records(f"entities/{split}.jsonl")) for split in SPLITS] == list(entities.SIZES.values())


@pytest.mark.parametrize("split", SPLITS)
def test_a_description_says_every_attribute(split: str) -> None:
    found = records(f"products/{split}.jsonl")
    assert len(found) == products.SIZES[split]
    for row in found:
        assert 3 <= len(row["attributes"]) <= 6
        assert all(value.lower() in row["description"].lower() for value in row["attributes"].values())


def test_superheroes_fill_the_grid_and_name_what_they_are() -> None:
    heroes = rows("superheroes/train.csv")
    assert set(Counter((row["age"], row["gender"], row["power"]) for row in heroes).values()) == {3} and len(heroes) == 294
    for row in heroes:
        assert all(row[key] in row["description"] for key in ("age", "gender", "power"))


def test_unseen_superheroes_have_a_new_age_or_power() -> None:
    unseen = rows("superheroes/unseen.csv")
    assert len({tuple(row.values()) for row in unseen}) == len(unseen) == 120
    assert all(int(row["age"]) not in superheroes.AGES or row["power"] not in superheroes.POWERS for row in unseen)


@pytest.mark.parametrize("split", SPLITS)
def test_the_solver_finds_the_given_answer_and_no_other(split: str) -> None:
    games = records(f"logic_games/{split}.jsonl")
    assert len(games) == logic_games.SIZES[split]
    assert set(Counter(game["answer"] for game in games).values()) == {len(games) // 5}
    for game in games:
        assert logic_games.solve(game) == [game["answer"]] and len(set(game["options"])) == 5


def test_the_solver_agrees_with_a_game_solved_by_hand() -> None:
    game = {"type": "ordering", "question": "Which of these must be true?",
            "passage": "Ada, Bo, Cleo, Dan and Eve run a race without a tie. Ada is first. Bo is fifth. Dan comes right after Cleo.",
            "options": ["Eve is second", "Cleo is third", "Dan is fourth", "Eve is not third", "Cleo is second"]}
    assert logic_games.solve(game) == ["D"]  # either Cleo, Dan, Eve or Eve, Cleo, Dan stand in the middle


def test_players_of_held_out_games_are_new() -> None:
    assert not set(dealt(logic_games.NAMES, "train")) & set(dealt(logic_games.NAMES, "test"))
    assert logic_games.make_games(5, 1) == logic_games.make_games(5, 1) != logic_games.make_games(5, 2)
