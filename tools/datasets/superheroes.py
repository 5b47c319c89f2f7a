"""Superheroes: the grid of ages, genders and powers, three descriptions for each; and combinations that are not in it."""
from __future__ import annotations

import random
from itertools import product

from tools.datasets.common import Grammar, capitalised, csv_text, distinct, rules_of

SEED = 15
AGES = (18, 20, 30, 40, 50, 60, 90)
GENDERS = ("man", "woman")
POWERS = ("invisibility", "read in the thoughts", "turning lead into gold", "immortality", "telepathy", "teleport", "flight")
NEW_AGES = (25, 35, 45, 55, 70, 80)
NEW_POWERS = ("super strength", "time travel", "shape-shifting", "healing", "night vision", "talking to animals",
              "breathing under water", "can eat a lot")
PRONOUNS = {"man": {"he": "he", "his": "his", "him": "him"}, "woman": {"he": "she", "his": "her", "him": "her"}}


def description(grammar: Grammar, age: int, gender: str, power: str) -> str:
    """Two to four sentences that name the age, the gender and the power."""
    given = {**PRONOUNS[gender], "age": str(age), "gender": gender, "power": power,
             "name": grammar.pick("men" if gender == "man" else "women")}
    frames = [grammar.pick("who"), *grammar.rng.sample(grammar.rules["looks"], 1), grammar.pick("power")]
    frames += grammar.rng.sample(grammar.rules["life"], grammar.rng.randint(0, 1))
    return capitalised(" ".join(grammar.say(frame, given) for frame in frames))


def train_rows() -> list[tuple[int, str, str, str]]:
    grammar, seen = Grammar(rules_of("superheroes", "train"), random.Random(SEED)), set()
    return [(*cell, text) for cell in product(AGES, GENDERS, POWERS)
            for text in distinct(lambda: description(grammar, *cell), 3, seen)]


def unseen_rows() -> list[tuple[int, str, str]]:
    """A new age with a known power, a known age with a new power, and both new: forty of each."""
    rng = random.Random(SEED + 1)
    grids = (product(NEW_AGES, GENDERS, POWERS), product(AGES, GENDERS, NEW_POWERS), product(NEW_AGES, GENDERS, NEW_POWERS))
    return [row for grid in grids for row in rng.sample(list(grid), 40)]


def files() -> dict[str, str]:
    """train.csv (age, gender, power, description) and unseen.csv (age, gender, power)."""
    return {"train.csv": csv_text(("age", "gender", "power", "description"), train_rows()),
            "unseen.csv": csv_text(("age", "gender", "power"), unseen_rows())}
