"""The grid of superheroes, and the judge of what a text has kept of its wish."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from helpers.superheroes import PROMPTS, Wish, adherence, distinct, grid, kept, plan, spelled

SUPERHEROES = Path(__file__).resolve().parents[2] / "data" / "superheroes"
ADA = Wish(18, "woman", "flight")


def test_the_grid_is_the_documents() -> None:
    assert len(grid()) == len(set(grid())) == 98
    rows = plan(grid(), PROMPTS["plain"], samples=3)
    assert len(rows) == 294
    assert rows[0] == rows[2] == {"age": 18, "gender": "man", "power": "invisibility",
                                  "prompt": "18, man, invisibility ->", "sub_prompt": "18, man, invisibility"}


@pytest.mark.parametrize("template", PROMPTS.values())
def test_every_prompt_names_the_whole_wish(template: str) -> None:
    prompt = plan([ADA], template)[0]["prompt"]
    assert all(part in prompt for part in ("18", "woman", "flight")) and "{" not in prompt


@pytest.mark.parametrize("text, wish, expected", [
    ("Ada, 18, can fly. She is brave.", ADA, (True, True, True)),
    ("At eighteen she has the gift of flight.", ADA, (True, True, True)),
    ("An 18-year-old woman who flies.", ADA, (True, True, True)),
    ("She is 18 years old, a woman of 35 years.", ADA, (False, True, False)),  # two ages
    ("She lives at number 181.", ADA, (False, True, False)),
    ("She is 18. His power is flight.", ADA, (True, False, True)),  # two genders
    ("A man of 18 with the power of flight.", ADA, (True, False, True)),
    ("Nobody knows the hero.", ADA, (False, False, False)),
    ("He leads and turns to gold.", Wish(30, "man", "turning lead into gold"), (False, True, True)),  # the judge reads words
    ("He turned golden.", Wish(30, "man", "turning lead into gold"), (False, True, False)),
    ("He reads every mind.", Wish(30, "man", "read in the thoughts"), (False, True, True)),
    ("He is invisible and immortal.", Wish(30, "man", "invisibility"), (False, True, True)),
    ("He has telepathic gifts.", Wish(30, "man", "teleport"), (False, True, False)),
    ("He eats a lot.", Wish(30, "man", "can eat a lot"), (False, True, True)),
])
def test_the_judge_reads_age_gender_and_power(text: str, wish: Wish, expected: tuple[bool, bool, bool]) -> None:
    assert kept(text, wish) == expected
    assert kept(text, wish).all_three == all(expected)


def test_the_courses_faultless_rows_keep_every_wish_and_no_other() -> None:
    with (SUPERHEROES / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [row["description"] for row in rows]
    wishes = [Wish(int(row["age"]), row["gender"], row["power"]) for row in rows]
    assert adherence(texts, wishes)["all three"].hits == 294
    assert adherence(texts, wishes[3:] + wishes[:3])["power"].hits == 0  # the next power of the grid
    assert adherence(texts, wishes[147:] + wishes[:147])["age"].hits < 60


def test_what_was_not_answered_is_not_scored() -> None:
    rates = adherence(["Ada, 18, flies. She is brave.", None], [ADA, ADA])
    assert [(r.hits, r.scored, r.asked) for r in rates.values()] == [(1, 1, 2)] * 4
    with pytest.raises(ValueError, match="1 texts for 2 wishes"):
        adherence([""], [ADA, ADA])


def test_distinct_counts_different_ngrams() -> None:
    assert distinct(["a b c", "a b d"], 2) == 3 / 4
    assert distinct(["x y"] * 10, 2) == 1 / 10
    assert math.isnan(distinct(["one", ""], 2))


def test_numbers_in_words() -> None:
    assert [spelled(n) for n in (1, 10, 18, 20, 42, 99)] == ["one", "ten", "eighteen", "twenty", "forty-two", "ninety-nine"]
