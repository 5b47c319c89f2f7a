"""Copying exactly: repeating, picking one of several, looking up a value, reversing an order."""

from __future__ import annotations

import random
from collections.abc import Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import drills
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import (
    ANIMALS, CITIES, COLOURS, COUNTRIES, FOOD, JOBS, PEOPLE, THINGS, code, company, date, invented, person, place, word,
)

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
POOLS = (FOOD, ANIMALS, THINGS, COLOURS, COUNTRIES, CITIES, PEOPLE, JOBS)
ATOMS = (code, company, date, invented, person, place, word, word)
KEYS = {
    "name": person, "customer": person, "owner": person, "author": person, "contact": person, "manager": person,
    "company": company, "maker": company, "brand": company, "supplier": company, "city": place, "origin": place,
    "destination": place, "born in": place, "date": date, "delivery": date, "founded": date, "order": code, "id": code,
    "invoice": code, "ticket": code, "item": word, "product": word, "animal": lambda rng: rng.choice(ANIMALS),
    "colour": lambda rng: rng.choice(COLOURS), "country": lambda rng: rng.choice(COUNTRIES),
    "job": lambda rng: rng.choice(JOBS), "price": lambda rng: f"${rng.randint(1, 999)}",
    "size": lambda rng: rng.choice(("S", "M", "L", "XL", "36", "38", "40", "42", "44")),
    "weight": lambda rng: f"{rng.randint(1, 90)} kg", "length": lambda rng: f"{rng.randint(2, 300)} cm",
    "room": lambda rng: str(rng.randint(1, 420)), "seat": lambda rng: f"{rng.randint(1, 40)}{rng.choice('ABCDEF')}",
    "status": lambda rng: rng.choice(("open", "closed", "waiting", "shipped", "paid", "cancelled", "new", "late")),
    "material": lambda rng: rng.choice(("wood", "steel", "wool", "cotton", "glass", "leather", "silk", "paper", "clay")),
    "language": lambda rng: rng.choice(("French", "Arabic", "Hindi", "Polish", "Greek", "Swahili", "Korean", "Welsh")),
}


def atom(rng: random.Random) -> str:
    """Any short thing worth copying."""
    return rng.choice(ATOMS)(rng)


def items(rng: random.Random, low: int, high: int) -> list[str]:
    """Different things of one kind, none with a comma inside."""
    count = rng.randint(low, high)
    if rng.random() < 0.6:
        return rng.sample(rng.choice(POOLS), count)
    make = rng.choice(ATOMS)
    found = {make(rng).replace(",", ""): None for _ in range(count)}
    while len(found) < count:
        found[atom(rng).replace(",", "")] = None
    return list(found)


def record(rng: random.Random, low: int = 2, high: int = 7) -> dict[str, str]:
    """Random keys with fitting values."""
    return {key: KEYS[key](rng) for key in rng.sample(sorted(KEYS), rng.randint(low, high))}


def written(fields: dict[str, str], style: int) -> str:
    """A record as text, in one of several usual notations."""
    if style == 0:
        return "\n".join(f"{key}: {value}" for key, value in fields.items())
    if style == 1:
        return ", ".join(f"{key}={value}" for key, value in fields.items())
    if style == 2:
        return "; ".join(f"{key}: {value}" for key, value in fields.items())
    if style == 3:
        return "{" + ", ".join(f'"{key}": "{value}"' for key, value in fields.items()) + "}"
    if style == 4:
        return " ".join(f"The {key} is {value}." for key, value in fields.items())
    return "\n".join(f"{key.capitalize()} = {value}" for key, value in fields.items())


def repeat(rng: random.Random) -> Maker:
    instruction = rng.choice((
        "Repeat the text exactly.", "Say it again.", "Copy the line.", "Write the same text once more.",
        "Echo what the user writes.", "Return the input unchanged.", "Repeat after me.", "Give back exactly what you read.",
    ))

    def make(rng: random.Random) -> Example:
        text = rng.choice((" ", ", ", " ", "\n")).join(atom(rng) for _ in range(rng.randint(1, 9)))
        return Example(instruction, text, text)

    return make


def repeat_times(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        text, count = atom(rng), rng.randint(2, 4)
        how = rng.choice((f"Say '{text}' {count} times.", f"Write {text} {count} times in a row.",
            f"Repeat {count} times: {text}"))
        return Example("Do what is asked.", how, " ".join([text] * count), clear=True)

    return make


def pick_position(rng: random.Random) -> Maker:
    asked = rng.choice(("Which item is {}?", "Give the {} item.", "What is the {} one?", "Name the {} thing in the list.", "{}?"))
    joint = rng.choice((", ", "\n", "; ", " / ", "\n- ", " | "))

    def make(rng: random.Random) -> Example:
        chosen = items(rng, 2, 7)
        index = rng.randrange(len(chosen))
        name = "last" if index == len(chosen) - 1 and rng.random() < 0.6 else ORDINALS[index]
        return Example("Answer with one item of the list.", f"{joint.join(chosen)}\n{asked.format(name).capitalize()}",
            chosen[index], True)

    return make


def pick_neighbour(rng: random.Random) -> Maker:
    after = rng.random() < 0.5
    side = "after" if after else "before"
    form = rng.choice(("What comes right {} {}?", "Which one stands directly {} {}?", "Name the item just {} {}.", "{} {}:"))

    def make(rng: random.Random) -> Example:
        chosen = items(rng, 3, 8)
        index = rng.randrange(len(chosen) - 1)
        known, wanted = chosen[index:index + 2] if after else reversed(chosen[index:index + 2])
        return Example("Look at the order of the list.", f"{', '.join(chosen)}\n{form.format(side, known)}", wanted, True)

    return make


def look_up(rng: random.Random) -> Maker:
    style = rng.randrange(6)
    form = rng.choice((
        "What is the {}?", "Give the value of {}.", "{}?", "Tell me the {}.", "Which {} is written here?", "Find the {}.",
        "I need the {}, please.", "Read out the {}.", "Extract: {}", "Could you give me the {}?",
    ))

    def make(rng: random.Random) -> Example:
        fields = record(rng)
        key = rng.choice(list(fields))
        given, asked = written(fields, style), form.format(key)
        order = f"{given}\n\n{asked}" if rng.random() < 0.7 else f"{asked}\n\n{given}"
        return Example("Answer with the value from the record.", order, fields[key], True)

    return make


def look_up_many(rng: random.Random) -> Maker:
    style, joint = rng.randrange(6), rng.choice(("\n", ", ", "; "))
    keyed = rng.random() < 0.4

    def make(rng: random.Random) -> Example:
        fields = record(rng, 3, 8)
        keys = rng.sample(list(fields), rng.randint(2, min(4, len(fields))))
        answer = joint.join(f"{key}: {fields[key]}" if keyed else fields[key] for key in keys)
        asked = f"Give {', '.join(keys)}, in this order."
        return Example("Answer with the values asked for.", f"{written(fields, style)}\n\n{asked}", answer, True)

    return make


def look_up_records(rng: random.Random) -> Maker:
    """Several records, one question about one of them."""
    style = rng.choice((1, 2, 3))

    def make(rng: random.Random) -> Example:
        keys = rng.sample([key for key in sorted(KEYS) if key not in ("name", "customer")], rng.randint(2, 5))
        table = {who: {key: KEYS[key](rng) for key in keys} for who in rng.sample(PEOPLE, rng.randint(2, 9))}
        who, key = rng.choice(list(table)), rng.choice(keys)
        lines = "\n".join(written({"name": name, **fields}, style) for name, fields in table.items())
        asked = rng.choice((f"What is the {key} of {who}?", f"{who}: {key}?", f"Find the {key} in {who}'s record.",
            f"Which {key} does {who} have?"))
        return Example("Read the records and answer with one value.", f"{lines}\n\n{asked}", table[who][key], True)

    return make


def who_has(rng: random.Random) -> Maker:
    verb = rng.choice(("has", "bought", "owns", "wants", "carries", "lost", "found", "sells", "is drawing"))

    def make(rng: random.Random) -> Example:
        people, things = rng.sample(PEOPLE, 4), items(rng, 4, 4)
        count = rng.randint(2, 4)
        pairs = list(zip(people[:count], things[:count]))
        story = " ".join(f"{who} {verb} {what}." for who, what in pairs)
        who, what = rng.choice(pairs)
        if rng.random() < 0.5:
            return Example("Answer from the text.", f"{story}\nWho {verb} {what}?", who, True)
        return Example("Answer from the text.", f"{story}\nWhat is the thing that {who} {verb}?", what, True)

    return make


def reorder(rng: random.Random) -> Maker:
    instruction, turn = rng.choice((
        ("Write the items in reverse order.", True), ("Turn the list around: last item first.", True),
        ("Reverse the order of the words.", True), ("Write one item per line.", False),
        ("Put each item on its own line, same order.", False),
    ))
    joint = rng.choice((", ", " ", "; ")) if turn else "\n"

    def make(rng: random.Random) -> Example:
        chosen = items(rng, 2, 6)
        return Example(instruction, ", ".join(chosen), joint.join(chosen[::-1] if turn else chosen))

    return make


def fill_in(rng: random.Random) -> Maker:
    template = rng.choice((
        "Dear {}, your parcel {} is ready.", "{} will meet us, reference {}.", "Welcome, {}! Your number is {}.",
        "Ticket for {}: {}",
        "Hello {}, thank you for order {}.", "{} has signed paper {}.", "Note: {} called about {}.", "Badge: {} / {}",
    ))

    def make(rng: random.Random) -> Example:
        who, number = person(rng), code(rng)
        return Example(f"Fill in the sentence: {template.format('NAME', 'NUMBER')}", f"name: {who}\nnumber: {number}",
            template.format(who, number))

    return make


def spell(rng: random.Random) -> Maker:
    joint = rng.choice(("-", " ", ", "))

    def make(rng: random.Random) -> Example:
        text = rng.choice((invented, word, lambda rng: rng.choice(PEOPLE)))(rng)
        return Example("Spell the word letter by letter.", text, joint.join(text))

    return make


GLUES = (", ", ",", " ", "; ", ";", "/", " / ", "-", " - ", "\n", "|", " | ", "=", ": ", "(", ".", "_")


def respaced(rng: random.Random) -> Maker:
    """The same words and numbers with something else between them: with and without a space they are other tokens."""
    old, new = rng.sample(GLUES, 2)
    least, most = rng.choice(((1, 1), (1, 4), (2, 6)))
    parts = rng.choice((
        lambda rng: str(rng.randint(0, 99)), lambda rng: str(rng.randint(0, 999)), word, invented, lambda rng: rng.choice(COLOURS),
        lambda rng: rng.choice((str(rng.randint(0, 99)), word(rng))),
    ))

    def make(rng: random.Random) -> Example:
        row = [parts(rng) for _ in range(rng.randint(least, most))]
        return Example(f"Write it with {new!r} in front of every part.", old + old.join(row), (new + new.join(row)).strip())

    return make


TASKS = (
    repeat, repeat, repeat_times, pick_position, pick_neighbour, look_up, look_up, look_up, look_up_many, look_up_records,
    look_up_records, who_has, reorder, fill_in, spell,
)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless copying exercises, more than half of them drills."""
    exercises = stream((*TASKS, *drills.TASKS * 2), rng, "copying")
    return drills.documents(rng, "copying", exercises)
