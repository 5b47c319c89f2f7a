"""Encyclopaedia-like articles about invented things, with a summary and an advert made from the same facts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from localtune.base.corpus.tasks.grammar import capital, expand, names, sentences
from localtune.base.corpus.tasks.words import (
    ANIMALS, CITIES, COLOURS, COUNTRIES, FOOD, JOBS, MONTHS, PRODUCTS, THINGS, company, invented, person, place,
)


@dataclass(frozen=True)
class Frame:
    """Opening, further sentences (each used at most once), one-sentence summaries, adverts."""

    kind: str
    opening: tuple[str, ...]
    body: tuple[str, ...]
    summary: tuple[str, ...]
    ad: tuple[str, ...]


@dataclass(frozen=True)
class Article:
    """Title, text, and what can be written from the text."""

    kind: str
    title: str
    text: str
    summary: str
    ad: str


FRAMES = (
    Frame("company", (
        "{name} is a company from {city} that makes {product}.", "{name}, founded in {year} in {city}, produces {product}.",
        "{name} is a maker of {product} with its seat in {city}."), (
        "it was founded in {year} by {person}[, a former {job}|]", "the firm has about {hundreds}00 workers",
        "its first shop was a small room behind a bakery", "today it sells {product} in {n} countries",
        "in {later} the company moved to a new building near the river", "{person2} has led it since {later}",
        "its sign is a(n) {color} {animal}", "the owners give part of the profit to schools",
        "[its rival|its partner] is {rival}", "critics praise the [quality|fair prices|long warranty]",
        "the company also repairs old pieces", "in {later} it won a prize for design", "visitors can see the works on Saturdays"), (
        "{name} from {city} makes {product}.", "{name} is a maker of {product}, founded in {year} by {person}.",
        "{name}: {product} from {city} since {year}."), (
        "{Product} from {city}: {name} has made them since {year}.", "{name} - {product} with a story that began in {year}.",
        "Trust in {product} by {name}, made in {city}.", "Since {year}, {name} has known {product}. Visit us in {city}!")),
    Frame("town", (
        "{name} is a town in {country} on the river {river}.",
        "{name} is a [small town|harbor town|market town] in the [north|south|east|west] of {country}.",
        "{name} lies in {country}, not far from the river {river}."), (
        "about {n}{n}00 people live there", "it was first named in a letter of {year}",
        "the [old bridge|church|market hall] was built in {later}", "every {month} the town holds a(n) {food} fair",
        "most people work in {product} or on farms",
        "a train runs to {city} {n} times a day", "its coat of arms shows a(n) {color} {animal}",
        "the painter {person} was born there", "summers are [mild|hot|rainy] and winters are [cold|short|foggy]",
        "a fire destroyed half of the houses in {later}", "the museum shows {n}0 old clocks",
        "young people meet at the {river} bridge", "the mayor is {person2}"), (
        "{name} is a town in {country} on the river {river}.",
        "{name}, a town in {country}, is known for its {food} fair in {month}.", "{name} is a town in {country}."), (
        "Come to {name}! The {food} fair in {month} awaits you.", "{name}: old houses, warm hearts, and the river {river}.",
        "A day in {name}, {country}, is a day well spent. Only a train ride from {city}.",
        "{name} in {country} is waiting for you!")),
    Frame("animal", (
        "the {name} is a [small|large|shy|rare] animal that lives in {country}.",
        "the {name} is a(n) {color} [bird|fish|lizard|mammal|beetle] of {country}.",
        "the {name} of {country} looks like a(n) {animal} but is not related to it."), (
        "it grows to {n}0 centimetres", "it weighs up to {n} kilograms",
        "it feeds on {food}, leaves and [insects|small fish|seeds]", "it is active at [night|dawn|noon]",
        "the young are born in {month}", "it lives in groups of {n}",
        "its call sounds like a(n) {thing}", "its fur is {color} in winter", "it was first described in {year} by {person}",
        "farmers [like it because it eats pests|fear for their fields]", "it can [swim|climb|run] very well",
        "only a few hundred are left", "its only enemy is the {animal}", "it sleeps {n} hours a day"), (
        "The {name} is an animal from {country} that feeds on {food}.", "The {name}, described in {year}, lives in {country}.",
        "The {name} is an animal of {country}."), (
        "See the {name} of {country} in our zoo!", "Have you ever met a {name}? Visit us and feed it with {food}.",
        "Help the {name}: adopt one today.", "Love animals? Meet the {name}!")),
    Frame("tool", (
        "a(n) {name} is a tool used by every {job}.",
        "the {name} is a [hand tool|kitchen tool|measuring device|machine] made of [wood|steel|brass].",
        "the {name} is a device that looks like a(n) {thing}."), (
        "it was invented in {year} by {person} in {city}", "it has {n} parts", "older ones were made of [bone|clay|wood]",
        "it is used to [cut|press|measure|clean|hold] {food}", "a good one lasts {n}0 years",
        "one holds it in the left hand and turns it slowly", "it must be kept dry",
        "the largest one stands in a museum in {city}", "today {rival} makes most of them",
        "a small {color} mark shows the right side",
        "children should not use it alone", "in {country} it is given as a wedding present"), (
        "The {name} is a tool invented in {year} by {person}.", "The {name} is used by every {job}.",
        "The {name} is a device that looks like a(n) {thing}.", "The {name} is a tool."), (
        "Every {job} needs a {name}. Get yours today!", "The {name}: invented in {year}, loved ever since.",
        "Work faster with the new {name} by {rival}.", "Get a new {name} today!", "The {name}: once you have it, you need it.")),
    Frame("person", (
        "{person} was a(n) {job} from {city}.", "{person} ({year}-{later}) was a well-known {job} in {country}.",
        "{person}, born in {city} in {year}, was a(n) {job} and writer."), (
        "[both parents|an uncle] worked as a(n) {job}", "school was hard, but books were a comfort",
        "at the age of {n}{n} came the first success", "a trip to {country} changed everything",
        "the main work is called '{name}'", "friends described a quiet person with a love for {food}",
        "in {later} the city gave a medal", "a street in {city} bears the name today", "{person2} was a close friend",
        "the last years were spent in a house by the sea", "letters and drawings are kept in a museum",
        "many students came from {country} to learn", "the workshop burned down, but was built again"), (
        "{person} was a(n) {job} from {city}.", "{person}, a(n) {job}, wrote '{name}'.", "{person} was a(n) {job}."), (
        "Visit the house of {person} in {city}.", "'{name}' by {person}: now in a new edition.",
        "Walk in the steps of {person}, the {job} of {city}.", "A talk about {person}, the {job}: come and listen!")),
    Frame("book", (
        "'{name}' is a [novel|play|children's book|poem] by {person}.",
        "'{name}' is the best-known work of {person}, first printed in {year}."), (
        "it tells of a(n) {job} who finds a(n) {thing}", "the story is set in {city}", "the main character is called {first}",
        "the first edition had {n}0 pages", "it was printed in {later} by {rival}", "critics were divided",
        "it has been translated into {n} languages", "a play was made of it in {later}",
        "at the end the {thing} is thrown into the sea", "the style is [plain|rich|playful|dark]",
        "many schools in {country} read it",
        "the author wrote it in only {n} weeks", "the {color} cover became famous"), (
        "'{name}' by {person} tells of a(n) {job} who finds a(n) {thing}.", "'{name}' is a work of {person} set in {city}.",
        "'{name}' is a work by {person}."), (
        "Read '{name}' by {person} - the story of a(n) {job} and a(n) {thing}.",
        "A tale from {city}: '{name}'. Now in every bookshop.", "'{name}': {person}'s masterpiece, in the {color} edition.",
        "Read '{name}' by {person}!")),
    Frame("dish", (
        "{name} is a [soup|stew|cake|bread|pie] from {country}.", "{name} is a dish made of {food} and {food2}, from {country}."), (
        "it is made of {food}, {food2} and a little salt", "it is [baked|cooked|fried] for {n}0 minutes",
        "people eat it in {month}", "it was first served in {city} in {year}", "every family has its own recipe",
        "it is best the next day",
        "some add {color} pepper", "in the south it is served cold", "the name means 'full moon'",
        "{person} wrote a song about it", "a good {name} smells of smoke", "children like it with honey"), (
        "{name} is a dish from {country} made of {food} and {food2}.", "{name}, first served in {city}, is made of {food}.",
        "{name} is a dish from {country}."), (
        "Taste {name}, the pride of {country}!", "Today on our menu: {name} with {food} and {food2}.",
        "{name} like in {city}: warm, simple, good.", "Come hungry: we serve {name}!")),
    Frame("festival", (
        "{name} is a festival held in {city} every {month}.",
        "the {name} festival takes place in {city} [each year|since {year}]."), (
        "it began in {year} as a [market|race|song contest]", "people wear {color} hats and carry a(n) {thing}",
        "it lasts {n} days", "there is [music|dancing|theatre] in all streets", "the best cook wins a(n) {animal} made of {food}",
        "about {hundreds}000 guests come each year", "it was founded by {person}", "{rival} pays for the fireworks",
        "in {later} it had to be cancelled because of rain", "on the last evening lamps swim on the {river}"), (
        "{name} is a festival held in {city} every {month}.", "{name} in {city} lasts {n} days.",
        "{name} is a festival in {city}."), (
        "Join us in {city} this {month} for {name}!", "{n} days of music: {name} in {city}.",
        "{name} is back! Hats on and off to {city}.")),
)


def _facts(rng: random.Random) -> dict[str, object]:
    year, product, food = rng.randint(1400, 1960), rng.choice(PRODUCTS), rng.sample(FOOD, 2)
    fixed = {"city": place(rng) if rng.random() < 0.3 else rng.choice(CITIES), "country": rng.choice(COUNTRIES),
        "person": person(rng), "person2": person(rng), "year": str(year),
             "later": str(year + rng.randint(12, 64)), "product": product, "Product": capital(product), "river": invented(rng),
             "month": rng.choice(MONTHS), "food": food[0], "food2": food[1],
             "job": rng.choice(JOBS), "color": rng.choice(COLOURS), "animal": rng.choice(ANIMALS), "thing": rng.choice(THINGS),
             "rival": company(rng), "n": str(rng.randint(2, 9)), "hundreds": str(rng.randint(1, 40))}
    return {**fixed, "first": str(fixed["person2"]).split()[0]}


TITLES = names("""
The Silent Garden, A Winter in June, The Last Lamp, Salt and Stars, The Clockmaker's Daughter, Nine Doors, The Blue Hour,
North of Yesterday, The Paper Bridge, Seven Letters, A House of Rain, The Honey Thief, Under the Ash Tree, Letters to a River
""")


def article(rng: random.Random, low: int = 2, high: int = 7) -> Article:
    """An article of one of the frames' kinds."""
    frame, facts = rng.choice(FRAMES), _facts(rng)
    name = {"company": facts["rival"], "book": rng.choice(TITLES), "person": rng.choice(TITLES)}.get(frame.kind) or invented(rng)
    if frame.kind in ("animal", "tool", "dish"):
        name = str(name).lower() if frame.kind != "dish" else name
    slots = {**facts, "name": str(name), "rival": company(rng)}
    body = rng.sample(frame.body, rng.randint(low, min(high, len(frame.body))))
    opening = rng.choice(frame.opening)
    text = expand(" ".join([opening, *(f"{line}." for line in body)]), rng, slots)
    title = str(facts["person"]) if frame.kind == "person" else capital(str(name))
    allowed = _supported(frame.summary, opening, body)
    ads = _supported(frame.ad, opening, body)
    return Article(frame.kind, title, sentences(text), capital(expand(rng.choice(allowed), rng, slots)),
        capital(expand(rng.choice(ads), rng, slots)))


def _supported(forms: tuple[str, ...], opening: str, body: list[str]) -> tuple[str, ...]:
    """The forms that use no fact the article does not tell; every frame has one that fits any article."""
    told = opening + " ".join(body)
    facts = ("name", "city", "country", "person", "year", "product", "Product", "river", "month", "food", "food2", "job", "thing",
        "rival", "n", "color")
    missing = [f"{{{fact}}}" for fact in facts if f"{{{fact.lower()}}}" not in told]
    return tuple(form for form in forms if not any(slot in form for slot in missing))
