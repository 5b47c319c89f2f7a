"""Judging answers: an outcome for every row, and figures over the outcomes of many rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from statistics import mean
from typing import Any

from localtune.base.evaluation.rows import Row, stands_in, words

Outcome = dict[str, Any]
Figures = Callable[[Sequence[Outcome]], dict[str, float]]

UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " \
        "eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
PRONOUNS = {
    "man": {"he", "him", "his", "himself", "man", "boy", "gentleman"},
    "woman": {"she", "her", "hers", "herself", "woman", "girl", "lady"},
}
SMALL_WORDS = {"the", "a", "an", "of", "in", "into", "to", "with", "and", "other", "people", "s"}
STEM = 6  # letters that invisibility and invisible share, and telepathy and teleport do not


def means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The mean of every entry."""
    return {name: mean(outcome[name] for outcome in outcomes) for name in outcomes[0]}


# --- labels ----------------------------------------------------------------------------------------------------------

def labelled(answer_of: Callable[[Row], str]) -> Callable[[Row, str], Outcome]:
    """A judge that compares the answer with the row's label."""
    return lambda row, answer: {"wanted": answer_of(row), "given": answer.strip()}


def accuracy(outcomes: Sequence[Outcome]) -> dict[str, float]:
    return {"accuracy": mean(outcome["wanted"] == outcome["given"] for outcome in outcomes)}


def weighted_f1(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """F1 of every class, weighted by how often it is wanted; and the accuracy."""
    wanted = Counter(outcome["wanted"] for outcome in outcomes)
    given = Counter(outcome["given"] for outcome in outcomes)
    right = Counter(outcome["wanted"] for outcome in outcomes if outcome["wanted"] == outcome["given"])
    total = sum(2 * right[label] / (count + given[label]) * count for label, count in wanted.items())
    return {"weighted F1": total / len(outcomes), **accuracy(outcomes)}


# --- facts -----------------------------------------------------------------------------------------------------------

def kept(answer: str, row: Row) -> bool:
    """Whether an accepted spelling of the fact stands in the answer."""
    return any(stands_in(spelling, answer) for spelling in row["accept"])


def fact(row: Row, answer: str) -> Outcome:
    return {"fact": kept(answer, row)}


# --- entities --------------------------------------------------------------------------------------------------------

def entities(row: Row, answer: str) -> Outcome:
    """Entities of the answer, one a line, against the row's; case does not count, order does not count."""
    wanted = Counter(entity.casefold() for entity in row["entities"])
    given = Counter(line.strip().casefold() for line in answer.splitlines() if line.strip())
    return {"right": (wanted & given).total(), "wanted": wanted.total(), "given": given.total(), "all": wanted == given}


def entity_f1(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """F1 over all entities of all texts, and the share of texts without any error."""
    right, wanted, given = (sum(outcome[name] for outcome in outcomes) for name in ("right", "wanted", "given"))
    f1 = 2 * right / (wanted + given) if wanted + given else 1.0
    return {"entity F1": f1, "all right": mean(outcome["all"] for outcome in outcomes)}


# --- superheroes -----------------------------------------------------------------------------------------------------

def spelt(number: int) -> str:
    """A number from 0 to 99 in words."""
    tens, units = divmod(number, 10)
    return UNITS[number] if number < 20 else TENS[tens - 2] + (f"-{UNITS[units]}" if units else "")


def superhero(row: Row, answer: str) -> Outcome:
    """Whether age, gender and power of the answer are those of the row, and all three together."""
    said = set(words(answer))
    age = any(stands_in(form, answer) for form in (row["age"], spelt(int(row["age"]))))
    gender = right_gender(row["gender"], said)
    power = all(any(word.startswith(stem) for word in said) for stem in stems(row["power"]))
    return {"age": age, "gender": gender, "power": power, "all right": age and gender and power}


def right_gender(gender: str, said: Collection[str]) -> bool:
    """Words of this gender and none of the other."""
    other = "woman" if gender == "man" else "man"
    return not PRONOUNS[gender].isdisjoint(said) and PRONOUNS[other].isdisjoint(said)


def stems(power: str) -> list[str]:
    """How the telling words of a power begin, whatever their form."""
    return [re.sub(r"(?<=...)(?:ing|ed|s)$", "", word)[:STEM] for word in words(power) if word not in SMALL_WORDS]


# --- products --------------------------------------------------------------------------------------------------------

def product(values: Collection[str]) -> Callable[[Row, str], Outcome]:
    """A judge of descriptions; `values` are attribute values that count as invented when they are not the row's own."""
    def judge(row: Row, answer: str) -> Outcome:
        own = [str(value) for value in row["attributes"].values()]
        complete, clean = all(stands_in(value, answer) for value in own), not invented(values, own, answer)
        return {"kept": complete, "none invented": clean, "all right": complete and clean}
    return judge


def invented(values: Iterable[str], own: Sequence[str], answer: str) -> list[str]:
    """Values and numbers of the answer that stand in none of the product's own values."""
    given = " | ".join(own)
    numbers = re.findall(r"\d+(?:[.,]\d+)?", answer)
    return [value for value in (*values, *numbers) if stands_in(value, answer) and not stands_in(value, given)]


def telling_values(rows: Sequence[Row]) -> list[str]:
    """Attribute values that no description of `rows` uses unless they are its own: ordinary words are left out."""
    values = {str(value) for row in rows for key, value in row["attributes"].items() if key != "name"}
    for row in rows:
        values -= set(invented(values, [str(value) for value in row["attributes"].values()], row["description"]))
    return sorted(values)
