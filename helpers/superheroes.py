"""The superheroes of notebooks 04 and 05: the grid of wishes, prompts for them, and a judge of what a text has kept.

The judge reads words, not meanings: it is quick, the same for everybody, and sometimes wrong (notebook 04 looks at that).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

from helpers.evaluate import words
from helpers.metrics import Rate, rate

AGES = (18, 20, 30, 40, 50, 60, 90)
GENDERS = ("man", "woman")
POWERS = ("invisibility", "read in the thoughts", "turning lead into gold", "immortality", "telepathy", "teleport", "flight")
ASPECTS = ("age", "gender", "power", "all three")
# Three ways to ask for a hero: a sentence as to a person, the bare attributes, and the attributes with their names.
PROMPTS = {
    "sentence": "Describe a {age}-year-old {gender} from a story whose superpower is {power}. Use at most a hundred words and "
                "many details:",
    "plain": "{age}, {gender}, {power} ->",
    "labelled": "Describe a superhero with this age, gender and power.\n\nage: {age}\ngender: {gender}\npower: {power} ->",
}
# Both notebooks generate with these, so that the second finds what the first has made.
SAMPLES, SAMPLING = 3, {"seed": 1, "temperature": 1, "max_tokens": 120, "stop": "\n"}

PRONOUNS = {"man": {"he", "him", "his", "himself"}, "woman": {"she", "her", "hers", "herself"}}
NOUNS = {"man": {"man", "boy", "gentleman", "male", "guy"}, "woman": {"woman", "girl", "lady", "female"}}
OTHER = {"man": "woman", "woman": "man"}
SMALL_WORDS = {"a", "an", "and", "can", "in", "into", "of", "the", "to", "with"}
SAME_AS = {"flight": ("flight", "fly", "flies", "flew"), "thought": ("thought", "mind")}
UNITS = "one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


class Wish(NamedTuple):
    """What a text shall be about: age in years, gender ("man" or "woman"), power in the asker's own words."""

    age: int
    gender: str
    power: str

    def __str__(self) -> str:
        return f"{self.age}, {self.gender}, {self.power}"


class Kept(NamedTuple):
    """Which parts of a wish a text has kept."""

    age: bool
    gender: bool
    power: bool

    @property
    def all_three(self) -> bool:
        return all(self)


def grid() -> list[Wish]:
    """The document's 7 ages × 2 genders × 7 powers."""
    return [Wish(*cell) for cell in product(AGES, GENDERS, POWERS)]


def plan(wishes: Iterable[Wish], template: str, samples: int = 1) -> list[dict[str, Any]]:
    """Rows for `helpers.generate.generate`: each wish `samples` times, with the template filled in as its prompt."""
    return [{**wish._asdict(), "prompt": template.format(**wish._asdict()), "sub_prompt": str(wish)}
            for wish in wishes for _ in range(samples)]


def kept(text: str, wish: Wish) -> Kept:
    """The judge. Age: its number stands in the text, and no other number of years does. Gender: a pronoun of it, and none of
    the other; without any pronoun a noun decides. Power: each of its main words, or another form of it."""
    return Kept(_age_kept(text, wish.age), _gender_kept(set(words(text)), wish.gender), _power_kept(text, wish.power))


def adherence(texts: Sequence[str | None], wishes: Sequence[Wish]) -> dict[str, Rate]:
    """How many of the texts keep their wish: a rate each for age, gender, power and all three. None is not scored.

    Raises ValueError unless there is one wish for each text.
    """
    if len(texts) != len(wishes):
        raise ValueError(f"{len(texts)} texts for {len(wishes)} wishes")
    verdicts = [None if text is None else kept(text, wish) for text, wish in zip(texts, wishes)]
    columns = [[None if v is None else v[n] for v in verdicts] for n in range(3)]
    columns.append([None if v is None else v.all_three for v in verdicts])
    return {aspect: rate(column) for aspect, column in zip(ASPECTS, columns)}


def distinct(texts: Iterable[str], n: int = 2) -> float:
    """Distinct-n: different word n-grams / all word n-grams (Li et al. 2016); 1 is no repetition, NaN there is nothing.

    It falls with the amount of text, so compare equal numbers of texts of about equal length.
    """
    ngrams = [gram for text in texts for gram in zip(*(words(text)[start:] for start in range(n)))]
    return len(set(ngrams)) / len(ngrams) if ngrams else float("nan")


def spelled(number: int) -> str:
    """A number from 1 to 99 in words: 18 → eighteen, 42 → forty-two."""
    if number < 20:
        return (UNITS + TEENS)[number - 1]
    return TENS[number // 10 - 2] + (f"-{UNITS[number % 10 - 1]}" if number % 10 else "")


def _age_kept(text: str, age: int) -> bool:
    claimed = {int(number) for number in re.findall(r"\b(\d{1,3})[\s-]years?\b", text)}
    named = re.search(rf"\b({age}|{spelled(age)})\b", text, re.IGNORECASE)
    return named is not None and claimed <= {age}


def _gender_kept(found: set[str], gender: str) -> bool:
    right, wrong = PRONOUNS[gender], PRONOUNS[OTHER[gender]]
    if not found & (right | wrong):
        right, wrong = NOUNS[gender], NOUNS[OTHER[gender]]
    return bool(found & right) and not found & wrong


def _power_kept(text: str, power: str) -> bool:
    stems = [re.sub(r"(ility|ity|ing|s|y)$", "", word) for word in words(power) if word not in SMALL_WORDS]
    return all(any(re.search(rf"\b{form}", text, re.IGNORECASE) for form in SAME_AS.get(stem, (stem,))) for stem in stems)
