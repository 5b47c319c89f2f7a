"""Drills: long answers that are nothing but copies, look-ups or verdicts, so that nearly every token learnt trains copying.

The circuits that copy form on these first; the short exercises elsewhere then put them to use. Comparing needs more: `verdicts`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.layout import Example, Maker
from localtune.base.corpus.tasks.naming import firm, goods, lookalike
from localtune.base.corpus.tasks.words import PEOPLE, code, date, invented, person, place, word

KINDS: tuple[Callable[[random.Random], str], ...] = (
    word, word, invented, invented, firm, goods, person, place, code, date, lambda rng: rng.choice(PEOPLE),
    lambda rng: str(rng.randint(0, 99)), lambda rng: rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
JOINTS = (" ", " ", ", ", "\n", "; ", " - ", " / ")


def row(rng: random.Random, low: int, high: int) -> list[str]:
    """Different names, of one kind or of many."""
    kinds = KINDS if rng.random() < 0.5 else (rng.choice(KINDS),)
    return list(dict.fromkeys(rng.choice(kinds)(rng) for _ in range(rng.randint(low, high))))


def echo(rng: random.Random) -> Maker:
    """Say everything again."""
    joint, instruction = rng.choice(JOINTS), rng.choice(("Repeat everything.", "Copy the list.", "Say all of it again."))

    def make(rng: random.Random) -> Example:
        text = joint.join(row(rng, 3, 40))
        return Example(instruction, text, text)

    return make


def onwards(rng: random.Random) -> Maker:
    """Go on with the list from a given entry."""
    joint, form = rng.choice(JOINTS), rng.choice(("Go on after {}.", "What follows {}?", "The rest from {} on:"))

    def make(rng: random.Random) -> Example:
        names = [*row(rng, 4, 30), "end"]
        start = rng.randrange(len(names) // 2)
        return Example("Continue the list from the entry.", f"{joint.join(names)}\n{form.format(names[start])}",
            joint.join(names[start + 1:]), True)

    return make


def dictionary(rng: random.Random) -> Maker:
    """A table of pairs; then the values for many keys, in another order, with or without the keys."""
    keyed, link = rng.random() < 0.7, rng.choice((": ", " = ", " -> ", " is "))
    left, right = rng.choice(KINDS[:-2]), rng.choice(KINDS)

    def make(rng: random.Random) -> Example:
        table = {left(rng): right(rng) for _ in range(rng.randint(2, 14))}
        asked = rng.sample(list(table), rng.randint(1, len(table)))
        answer = "\n".join(f"{key}{link}{table[key]}" if keyed else table[key] for key in asked)
        shown = "\n".join(f"{key}{link}{value}" for key, value in table.items())
        return Example("Look up the entries below.", f"{shown}\n\n{', '.join(asked)}", answer)

    return make


def verdicts(rng: random.Random) -> Maker:
    """Rows of two names; each is judged in turn, and most answers name both again."""
    yes, no = rng.choice((("same", "different"), ("yes", "no"), ("yes", "no")))
    again, kind = rng.random() < 0.6, rng.choice(KINDS[:-2])

    def make(rng: random.Random) -> Example:
        shown, judged = [], []
        for number in range(1, rng.randint(3, 12)):
            name = kind(rng)
            other = name if rng.random() < 0.5 else lookalike(rng, name) if rng.random() < 0.25 else kind(rng)
            shown.append(f"{number}. {name} | {other}")
            verdict = yes if name == other else no
            judged.append(f"{number}. {name} | {other}: {verdict}" if again else f"{number}. {verdict}")
        return Example(f"Judge each row: {yes} if both are the same, else {no}.", "\n".join(shown), "\n".join(judged))

    return make


def members(rng: random.Random) -> Maker:
    """Is each of the names below in the list above?"""
    yes, no = rng.choice((("yes", "no"), ("yes", "no"), ("there", "missing")))
    kind = rng.choice(KINDS[:-2])

    def make(rng: random.Random) -> Example:
        names = list(dict.fromkeys(kind(rng) for _ in range(rng.randint(1, 8))))
        asked = []
        for _ in range(rng.randint(3, 9)):
            known = rng.choice(names)
            other = lookalike(rng, known) if rng.random() < 0.25 else kind(rng)
            asked.append(known if rng.random() < 0.5 else other)
        return Example(f"For each name below: is it in the list? {yes} or {no}.", f"{', '.join(names)}\n\n{', '.join(asked)}",
            "\n".join(f"{name}: {yes if name in names else no}" for name in asked))

    return make


def matches(rng: random.Random) -> Maker:
    """A table of pairs, then pairs to judge; the answer first recalls what the table says."""
    left, right = rng.choice(((firm, goods), (firm, goods), (invented, word), (person, place), (word, code)))
    recall = rng.random() < 0.6

    def make(rng: random.Random) -> Example:
        table = {left(rng): right(rng) for _ in range(rng.randint(1, 5))}
        asked, judged = [], []
        for _ in range(rng.randint(2, 7)):
            key = rng.choice(list(table))
            others = [value for value in table.values() if value != table[key]] or [right(rng)]
            value = table[key] if rng.random() < 0.5 else rng.choice(others)
            asked.append(f"{key}: {value}")
            verdict = "yes" if value == table[key] else "no"
            judged.append(f"{key}: {value}? {f'{table[key]}: ' if recall else ''}{verdict}")
        shown = "\n".join(f"{key}: {value}" for key, value in table.items())
        return Example("Check each pair against the table: yes or no.", f"{shown}\n\n" + "\n".join(asked), "\n".join(judged))

    return make


TASKS = (echo, echo, onwards, dictionary, dictionary, verdicts, verdicts, members, members, matches, matches)


def recited(rng: random.Random, source: str) -> Document:
    """A row said two or three times, learnt whole."""
    joint, gap = rng.choice(JOINTS), rng.choice(("\n", "\n\n", ". ", " / "))
    return Document("text", text=gap.join([joint.join(row(rng, 5, 50))] * rng.randint(2, 3)), source=source)


def documents(rng: random.Random, source: str, stream: Iterator[Document]) -> Iterator[Document]:
    """Endless documents of `stream` with recitations among them."""
    for document in stream:
        yield document
        if rng.random() < 0.15:
            yield recited(rng, source)
