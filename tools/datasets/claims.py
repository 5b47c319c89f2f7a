"""Advertisements, and whether one supports the claim "this company offers this product".

An ad names one pair, or two companies with a product each, or a rival without one. A claim is wrong because it pairs names of
the ad wrongly, or because one of its names is not in the ad (often a look-alike). `hard.csv` holds rows in twos: the same claim
and the same words in the ad, the two products changing places, so a bag of words cannot tell them apart.
"""
from __future__ import annotations

import random
from dataclasses import dataclass

from tools.datasets.common import Grammar, capitalised, csv_text, distinct, rules_of

SEED = 12
SIZES = {"train": 1000, "validation": 200, "test": 300}
COLUMNS = ("company", "product", "ad", "supported")
FIELDS = ("kitchen", "tech", "money", "food", "outdoor", "home", "care")
Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Pair:
    """A company and the product it sells."""

    company: str
    product: str


def company(grammar: Grammar) -> str:
    return grammar.pick("stem") + (f" {grammar.pick('suffix')}" if grammar.rng.random() < 0.6 else "")


def product(grammar: Grammar, field: str) -> str:
    return f"{grammar.pick('pstem')} {grammar.pick(f'{field}.kind')}"


def two_pairs(grammar: Grammar, field: str) -> tuple[Pair, Pair]:
    """Two sellers of one field who share no stem."""
    stems, names = grammar.rng.sample(grammar.rules["stem"], 2), grammar.rng.sample(grammar.rules["pstem"], 2)
    kinds = [grammar.pick(f"{field}.kind") for _ in names]
    suffixes = [f" {grammar.pick('suffix')}" if grammar.rng.random() < 0.6 else "" for _ in stems]
    return Pair(stems[0] + suffixes[0], f"{names[0]} {kinds[0]}"), Pair(stems[1] + suffixes[1], f"{names[1]} {kinds[1]}")


def ad(grammar: Grammar, frame: str, benefit: str, first: Pair, second: Pair) -> str:
    """The frame filled in: c sells p, d sells q, and b is what p is praised for."""
    return capitalised(grammar.say(frame, {"c": first.company, "p": first.product, "d": second.company, "q": second.product,
                                           "b": benefit, "B": benefit[0].upper() + benefit[1:]}))


def look_alike(grammar: Grammar, name: str, words: str) -> str:
    """A name that differs from `name` in its last word (or has one more)."""
    head, _, last = name.rpartition(" ")
    others = [word for word in grammar.rules[words] if word != last]
    return f"{head if last in grammar.rules[words] else name} {grammar.rng.choice(others)}"


def stranger(grammar: Grammar, field: str, pair: Pair) -> Pair:
    """`pair` with one name exchanged for one that is not in the ad."""
    rng = grammar.rng
    if rng.random() < 0.5:
        other = look_alike(grammar, pair.company, "suffix") if rng.random() < 0.4 else company(grammar)
        return Pair(other, pair.product)
    head = pair.product.split(" ")[0]
    kind = rng.choice([kind for kind in grammar.rules[f"{field}.kind"] if f"{head} {kind}" != pair.product])
    return Pair(pair.company, f"{head} {kind}" if rng.random() < 0.4 else product(grammar, rng.choice(FIELDS)))


def claim(grammar: Grammar, supported: bool) -> Row:
    """One row; about half of the ads name a second company."""
    rng, field = grammar.rng, grammar.rng.choice(FIELDS)
    first, second = two_pairs(grammar, field)
    kind = rng.choices(("one", "two", "rival"), (45, 45, 10))[0]
    text = ad(grammar, grammar.pick(kind), grammar.pick(f"{field}.benefit"), first, second)
    asked = second if kind == "two" and rng.random() < 0.4 else first
    if not supported:
        other = second if asked is first else first
        mixed = rng.choice((Pair(asked.company, other.product), Pair(other.company, asked.product)))
        rival = Pair(second.company, first.product)
        wrong = {"one": None, "two": mixed, "rival": rival}[kind] if rng.random() < 0.8 else None
        asked = wrong or stranger(grammar, field, asked)
    return asked.company, asked.product, text, "yes" if supported else "no"


def hard_twins(grammar: Grammar) -> tuple[Row, Row]:
    """The same claim and the same words twice: supported, and with the two products changed round."""
    field = grammar.rng.choice(FIELDS)
    first, second = two_pairs(grammar, field)
    asked = grammar.rng.choice((first, second))
    frame, benefit = grammar.pick("two"), grammar.pick(f"{field}.benefit")
    swapped = Pair(first.company, second.product), Pair(second.company, first.product)
    texts = [ad(grammar, frame, benefit, *pairs) for pairs in ((first, second), swapped)]
    return (asked.company, asked.product, texts[0], "yes"), (asked.company, asked.product, texts[1], "no")


def files() -> dict[str, str]:
    """train.csv, validation.csv, test.csv and hard.csv with the columns company, product, ad, supported."""
    seen: set[str] = set()
    made: dict[str, list[Row]] = {}
    for split, count in SIZES.items():
        grammar = Grammar(rules_of("claims", split), random.Random(f"{SEED} {split}"))
        rows = [row for answer in (True, False) for row in distinct(lambda: claim(grammar, answer), count // 2, seen)]
        grammar.rng.shuffle(rows)
        made[split] = rows
    grammar = Grammar(rules_of("claims", "test"), random.Random(f"{SEED} hard"))
    made["hard"] = [row for twins in distinct(lambda: hard_twins(grammar), 100, seen) for row in twins]
    return {f"{name}.csv": csv_text(COLUMNS, rows) for name, rows in made.items()}
