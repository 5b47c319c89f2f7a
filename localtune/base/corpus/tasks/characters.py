"""Heroes from age, gender and power: descriptions and short adventures that keep to what was asked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import expand, sentences
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.naming import GOODS
from localtune.base.corpus.tasks.powers import (
    DAY_JOBS, DEEDS, HERO_FIRST, HERO_LAST, ORIGINS, PLACES, POWER_NOUNS, POWER_VERBS, TRAITS, WEAKNESSES,
)
from localtune.base.corpus.tasks.words import CITIES, MEN, WOMEN, invented

PRONOUNS = {"woman": ("she", "her", "her"), "man": ("he", "his", "him")}
CHILDREN = {"woman": "girl", "man": "boy"}
SYNONYMS = {"woman": ("woman", "woman", "female", "lady"), "man": ("man", "man", "male", "gentleman"), "girl": ("girl", "female"),
    "boy": ("boy", "male")}
SENTENCES = (
    "{name} is {age} years old and lives in {place}.", "at {age}, {name} is a(n) {trait} {noun} from {city}.",
    "{name}, {age}, is a(n) {trait} {noun} with a secret.",
    "nobody would guess that this {trait} {noun} of {age} is {hero}.", "{hero} is {name}, a {noun} of {age} years.",
    "the {age}-year-old {name} lives in {place}.",
    "{hero} is a(n) {trait} {noun} of {age}.",
    "a {noun}, {age} years old, walks through the streets of {city}: {name}, known as {hero}.",
    "{name} turned {age} this spring in {city}.",
    "meet {hero}, a(n) {age}-year-old {noun} who lives in {place}.", "in {place} lives {name}, a(n) {trait} {noun} of {age}.",
    "{name} is a {noun}. {He} is {age} and {trait}.",
)
POWER_SENTENCES = (
    "{his} power is {power}.", "{his} gift: {power}.", "with {power}, {he} helps whoever is in need.",
    "{he} is known for {power}.", "what makes {him} special is {power}.",
    "{he} got the power of {power} {origin}.", "thanks to {power}, {he} {deed}.", "{power} came to {him} {origin}.",
    "the gift of {power} changed {his} life.", "{he} uses {power} for good.",
    "{his} superpower is {power}, and {he} uses it well.", "{power} makes {him} a hero.",
)
ABILITY_SENTENCES = (
    "{he} can {power}.", "since childhood {he} can {power}.", "{he} can {power} whenever {he} wants.",
    "{origin}, {he} found out that {he} can {power}.", "few know that {he} can {power}.",
    "because {he} can {power}, {he} {deed}.", "{he} can {power}, and {he} helps people with it.",
)
MORE = (
    "by day {he} {job}.", "{he} {job}, and at night {he} saves people.", "last year {he} {deed}.", "once {he} {deed}.",
    "{he} {weak}.", "but {he} {weak}.", "{he} got the gift {origin}.",
    "people call {him} {hero}.", "{his} friends know {him} as {hero}.", "{his} best friend is {friend}.",
    "the children of {city} love {him}.", "{his} dream is a quiet life in {place}.",
    "{his} greatest enemy is {villain}.", "{he} wears a {color} mask and a {color} cape.", "{he} is {trait} and {trait}.",
    "nobody knows {his} real name.", "{he} never asks for thanks.",
    "every morning {he} drinks tea and reads the news.", "{he} fights against {villain}.",
    "when danger is near, {he} is the first to come.", "{his} heart is as strong as {his} gift.",
)
STORY_STARTS = (
    "one evening the lights of {city} went out.", "on a cold morning a cry came from the river.", "{villain} came to {city}.",
    "it began with a letter without a name.", "the bells of {city} rang at midnight.",
    "a child had not come home from school.", "a strange ship lay in the harbor of {city}.", "the ground shook under the market.",
    "all the clocks stopped at the same time.", "smoke rose above the station.",
)
STORY_MIDDLES = (
    "{name} heard it first and ran.", "{name} put on the {color} mask.", "{he} knew there was no time to lose.",
    "nobody dared to move, but {name} stepped forward.", "'leave it to me', {he} said.",
    "{he} followed the trail to the old mill.", "{villain} laughed and raised a hand.", "it looked as if all was lost.",
    "{his} knees were shaking.", "{friend} held {his} hand.",
)
STORY_ENDS = (
    "in the end the town was safe.", "the people cheered, but {he} was gone.", "{villain} was never seen again.",
    "the child slept in {his} arms.", "{he} went home and made some tea.", "since then the lights burn again.",
    "'that was close', said {friend}.", "and {city} slept in peace.", "nobody ever knew who had done it.",
    "the next day the sun shone on {city}.",
)
# Powers put together from any goods, so that the power is read and not guessed.
NOUN_POWERS = ("control of {}", "talking to {}", "turning {} into {}", "making {} fly", "growing {} overnight", "hiding in {}",
    "an army of {}", "throwing {} like lightning", "{} that obey every word", "seeing through {}", "magic {}", "repairing {} by touch")
VERB_POWERS = ("talk to {}", "turn {} into {}", "melt {}", "command {}", "make {} dance", "lift {} with one finger")
VILLAINS = ("Doctor Grim", "the Grey Baron", "Madame Frost", "the Clock Thief", "Professor Null", "the Rust King", "Count Fog",
    "the Night Queen", "General Thorn", "the Collector", "Lady Venom", "the Whisperer")


@dataclass(frozen=True)
class Hero:
    """Age in years, gender ('woman' or 'man'), power as a noun phrase or as a verb phrase after 'can'."""

    age: int
    gender: str
    power: str
    verb: bool

    @property
    def noun(self) -> str:
        """How the hero is called: girl or boy below 14, else woman or man."""
        return CHILDREN[self.gender] if self.age < 14 else self.gender

    def slots(self, rng: random.Random) -> dict[str, object]:
        """Grammar slots; names and places are drawn once, so that they stay the same through a text."""
        he, his, him = PRONOUNS[self.gender]
        return {
            "age": str(self.age), "noun": self.noun, "power": self.power, "he": he, "He": he.capitalize(), "his": his, "him": him,
            "trait": TRAITS, "job": DAY_JOBS, "deed": DEEDS,
            "origin": ORIGINS, "weak": WEAKNESSES, "place": rng.choice(PLACES), "city": rng.choice(CITIES),
            "villain": rng.choice(VILLAINS), "friend": rng.choice(WOMEN + MEN),
            "name": rng.choice(WOMEN if self.gender == "woman" else MEN) if rng.random() < 0.9 else invented(rng),
            "color": ("red", "blue", "green", "black", "silver", "golden", "white"),
            "hero": f"{rng.choice(HERO_FIRST)} {rng.choice(HERO_LAST)}",
        }


def hero(rng: random.Random) -> Hero:
    """A hero of any age, with a power that fits the form."""
    verb = rng.random() < 0.25
    gender = rng.choice(("woman", "man"))
    power = rng.choice(POWER_VERBS if verb else POWER_NOUNS)
    if rng.random() < 0.3:
        power = rng.choice(VERB_POWERS if verb else NOUN_POWERS).format(*rng.sample(GOODS, 2))
    if gender == "woman":
        power = power.replace("himself", "herself").replace("his arms", "her arms")
    else:
        power = power.replace("around her", "around him")
    return Hero(rng.randint(5, 99), gender, power, verb)


def portrait(one: Hero, rng: random.Random, length: int) -> str:
    """A description with age, gender and power, and `length` further sentences."""
    power = ABILITY_SENTENCES if one.verb else POWER_SENTENCES
    parts = [rng.choice(SENTENCES), rng.choice(power), *rng.sample(MORE, length)]
    return sentences(expand(" ".join(parts), rng, one.slots(rng)))


def adventure(one: Hero, rng: random.Random) -> str:
    """A short story in which the power is used."""
    power = rng.choice(ABILITY_SENTENCES[:1] if one.verb else ("{his} power was {power}.", "only {power} could help now.",
        "{he} trusted in {power}.", "then {he} used {his} gift: {power}."))
    parts = [rng.choice(STORY_STARTS), *rng.sample(STORY_MIDDLES, rng.randint(1, 3)), power, f"{{he}} {rng.choice(DEEDS)}.",
        rng.choice(STORY_ENDS)]
    return sentences(expand(" ".join(parts), rng, one.slots(rng)))


def _power(one: Hero) -> str:
    return f"can {one.power}" if one.verb else one.power


SHORT_FORMS = ("{age}, {gender}, {power}", "{age} {gender} {power}", "age: {age}\ngender: {gender}\npower: {power}",
    "{age}; {gender}; {power}", "{gender}, {age}, {power}", "{power}, {gender}, {age}",
               "age={age}, gender={gender}, power={power}", "Superhero: {gender}, {age} years, {power}",
               "{gender} of {age} with the power: {power}")
ASKS = ("Write a description of a hero.", "Describe a superhero with this age, gender and power.", "Make up a character.",
    "Write a detailed description of the character.", "Invent a hero who fits.", "Who is this hero?")
WISHES = ("Write [a detailed description of|about|a text on] a superhero: {age} years old, {gender}, power: {power}.",
    "[Create|Invent|Describe] a {gender} superhero aged {age} with the power: {power}.",
          "I need a hero. {gender}, {age}, {power}.",
          "Write a description of [the following superhero|this character].\nAge: {age}\nGender: {gender}\nPower: {power}")


def described(rng: random.Random) -> Maker:
    form, length = rng.choice(SHORT_FORMS), rng.choice((0, 1, 2, 3, 4, 5, 6))
    instruction, wish = rng.choice(ASKS), rng.random() < 0.3
    if wish:
        form = expand(rng.choice(WISHES), rng, {"age": "\0age", "gender": "\0gender", "power": "\0power"})
        form = form.replace("\0age", "{age}").replace("\0gender", "{gender}").replace("\0power", "{power}")

    def make(rng: random.Random) -> Example:
        one = hero(rng)
        given = form.format(age=one.age, gender=rng.choice(SYNONYMS[one.noun]), power=_power(one))
        return Example(instruction, given, portrait(one, rng, length), True)

    return make


def told(rng: random.Random) -> Maker:
    form = rng.choice(SHORT_FORMS)

    def make(rng: random.Random) -> Example:
        one = hero(rng)
        return Example("Tell a short adventure of this hero.", form.format(age=one.age, gender=one.noun, power=_power(one)),
            adventure(one, rng))

    return make


def read_back(rng: random.Random) -> Maker:
    """From the description back to age, gender and power."""
    form = rng.choice(SHORT_FORMS[:3])
    part = rng.choice(("all", "all", "age", "power", "gender"))

    def make(rng: random.Random) -> Example:
        one = hero(rng)
        text = portrait(one, rng, rng.randint(0, 3))
        answers = {"all": form.format(age=one.age, gender=one.noun, power=_power(one)), "age": str(one.age), "power": _power(one),
            "gender": one.noun}
        asked = "Read age, gender and power from the text." if part == "all" else f"What is the {part} of the hero?"
        return Example(asked, text, answers[part])

    return make


TASKS = (described,) * 6 + (told, read_back)


def bare(rng: random.Random) -> Document:
    """The plain prompt/completion form: 'age, gender, power ->' and a text that ends in ' END'."""
    one = hero(rng)
    given = rng.choice(SHORT_FORMS[:2]).format(age=one.age, gender=rng.choice(SYNONYMS[one.noun][:3]), power=_power(one))
    return Document("completion", prompt=given + rng.choice((" ->", " ->", "\n\n###\n\n", ":")),
        text=f" {portrait(one, rng, rng.randint(1, 7))}{rng.choice((' END', ' END', chr(10)))}", source="characters")


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless heroes, as exercises, in the plain form, and as stories."""
    for exercise in stream(TASKS, rng, "characters"):
        yield exercise
        if rng.random() < 0.3:
            yield bare(rng)
        if rng.random() < 0.15:
            yield Document("text", text=adventure(hero(rng), rng), source="characters")
