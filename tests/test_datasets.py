"""The course's data sets: files are what the generators make, splits share nothing, labels are what they claim."""
from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from tools.datasets import entities, logic_games, products, superheroes
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
    texts = [{row[column].lower() for row in rows(f"{name}/{split}.csv")} for split in (*SPLITS, "handwritten")]
    assert sum(map(len, texts)) == len(set().union(*texts))


@pytest.mark.parametrize("file, label, count", [
    ("sentiment/train", "label", 1000), ("sentiment/validation", "label", 200), ("sentiment/test", "label", 300),
    ("sentiment/out_of_domain", "label", 200), ("sentiment/handwritten", "label", 224), ("claims/train", "supported", 1000),
    ("claims/validation", "supported", 200), ("claims/test", "supported", 300), ("claims/hard", "supported", 200),
    ("claims/handwritten", "supported", 214), ("triage/train", "category", 2000), ("triage/validation", "category", 200),
    ("triage/test", "category", 400), ("triage/handwritten", "category", 200)])
def test_sizes_and_balance(file: str, label: str, count: int) -> None:
    counts = Counter(row[label] for row in rows(f"{file}.csv"))
    assert sum(counts.values()) == count and len(set(counts.values())) == 1


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
