"""Same or different, matching fields of records, and whether a text supports a claim."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import claims, pairing
from localtune.base.corpus.tasks.copying import KEYS, written
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.naming import lookalike
from localtune.base.corpus.tasks.words import COLOURS, PEOPLE, PRODUCTS, code, company, date, invented, person, place, word

YES_NO = (("yes", "no"), ("yes", "no"), ("yes", "no"), ("Yes", "No"), ("true", "false"), ("1", "0"), ("supported", "unsupported"))
SAME = (("same", "different"), ("same", "different"), ("equal", "not equal"), ("yes", "no"), ("match", "no match"),
    ("identical", "different"))
THINGS = {
    "names": person, "companies": company, "products": lambda rng: rng.choice(PRODUCTS),
    "numbers": lambda rng: str(rng.randint(1, 9999)),
    "colours": lambda rng: rng.choice(COLOURS), "cities": place, "codes": code, "dates": date, "words": word, "brands": invented,
}


def near(rng: random.Random, value: str, make: Callable[[random.Random], str]) -> str:
    """Another value than `value`; often one that looks like it."""
    other = lookalike(rng, value) if rng.random() < 0.3 else make(rng)
    while other == value:
        other = make(rng)
    return other


def same(rng: random.Random) -> Maker:
    yes, no = rng.choice(SAME)
    kind = rng.choice(sorted(THINGS))
    instruction = f"Are the two {kind} the same? Answer '{yes}' or '{no}'."
    form = rng.choice(("{} | {}", "{}\n{}", "A: {}\nB: {}", "1. {}\n2. {}", "{} and {}", "first: {}; second: {}", "{} = {} ?",
        "{} vs. {}"))

    def make(rng: random.Random) -> Example:
        first = THINGS[kind](rng)
        equal = rng.random() < 0.5
        second = first if equal else near(rng, first, THINGS[kind])
        return Example(instruction, form.format(first, second), yes if equal else no, clear=yes == "same")

    return make


def named_above(rng: random.Random) -> Maker:
    """Is the thing of the text the one named above?"""
    kind, make_thing, sentences = rng.choice((
        ("company", company, ("{} opened a new office.", "We spoke with {} last week.", "The shares of {} rose today.",
        "A van of {} stood outside.")),
        ("person", person, ("{} won the prize.", "We met {} at the station.", "The letter was signed by {}.",
        "{} has moved to the coast.")),
        ("city", place, ("The train to {} is late.", "They live in {} now.", "The fair takes place in {}.",
        "It rained in {} all day.")),
        ("order number", code, ("Order {} has left our store.", "Please keep {} for later.", "The parcel {} was lost.",
        "{} is paid.")),
        ("product", lambda rng: rng.choice(PRODUCTS),
        ("This shop sells {}.", "Nothing beats good {}.", "They ordered {} again.", "The sale of {} ends today.")),
    ))
    yes, no = rng.choice(YES_NO[:5])
    asked = rng.choice((f"Is the {kind} in the text the {kind} named above?", f"Does the text mention the {kind} named above?",
        f"Same {kind}?"))

    def make(rng: random.Random) -> Example:
        name = make_thing(rng)
        truth = rng.random() < 0.5
        shown = name if truth else near(rng, name, make_thing)
        given = f"{kind.capitalize()}: {name}\nText: {rng.choice(sentences).format(shown)}\n{asked}"
        return Example(f"Answer {yes} or {no}.", given, yes if truth else no, clear=yes.lower() == "yes")

    return make


def field_equal(rng: random.Random) -> Maker:
    yes, no = rng.choice(YES_NO[:5])
    style = rng.randrange(4)

    def make(rng: random.Random) -> Example:
        keys = rng.sample(sorted(KEYS), rng.randint(2, 5))
        first = {key: KEYS[key](rng) for key in keys}
        second = {key: first[key] if rng.random() < 0.5 else near(rng, first[key], KEYS[key]) for key in keys}
        key = rng.choice(keys)
        given = f"Record 1:\n{written(first, style)}\n\nRecord 2:\n{written(second, style)}\n\nIs the {key} of both records the same?"
        return Example(f"Compare the records. Answer {yes} or {no}.", given, yes if first[key] == second[key] else no,
            clear=yes.lower() == "yes")

    return make


def contained(rng: random.Random) -> Maker:
    yes, no = rng.choice(YES_NO[:5])
    kind = rng.choice(("names", "companies", "cities", "colours", "words", "codes", "products"))

    def make(rng: random.Random) -> Example:
        listed = [THINGS[kind](rng) for _ in range(rng.randint(2, 8))]
        truth = rng.random() < 0.5
        wanted = rng.choice(listed) if truth else near(rng, rng.choice(listed), THINGS[kind])
        given = f"List: {', '.join(listed)}\nIs {wanted} in the list?"
        return Example(f"Answer {yes} or {no}.", given, yes if wanted in listed else no, clear=yes.lower() == "yes")

    return make


def pair_true(rng: random.Random) -> Maker:
    """Who did what: the claim may swap two people."""
    verb, asked = rng.choice((("bought", "Did {} buy {}?"), ("sells", "Does {} sell {}?"), ("likes", "Does {} like {}?"),
        ("ordered", "Did {} order {}?")))
    yes, no = rng.choice(YES_NO[:4])

    def make(rng: random.Random) -> Example:
        count = rng.randint(2, 5)
        people, things = rng.sample(PEOPLE, count), rng.sample(PRODUCTS, count)
        text = " ".join(f"{who} {verb} {what}." for who, what in zip(people, things))
        index, truth = rng.randrange(count), rng.random() < 0.5
        thing = things[index] if truth else things[(index + rng.randint(1, count - 1)) % count]
        return Example(f"Answer {yes} or {no}.", f"{text}\n{asked.format(people[index], thing)}", yes if truth else no,
            clear=yes.lower() == "yes")

    return make


def odd_one(rng: random.Random) -> Maker:
    kind = rng.choice(sorted(THINGS))

    def make(rng: random.Random) -> Example:
        usual = THINGS[kind](rng)
        row = [usual] * rng.randint(2, 4)
        other = near(rng, usual, THINGS[kind])
        row.insert(rng.randrange(len(row) + 1), other)
        return Example("One entry differs from the others. Which one?", ", ".join(row), other)

    return make


TASKS = (same, named_above, field_equal, contained, pair_true, odd_one)
WEIGHTED = claims.TASKS * 6 + pairing.TASKS * 6 + TASKS * 3


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless comparing exercises with balanced answers."""
    return stream(WEIGHTED, rng, "comparing")
