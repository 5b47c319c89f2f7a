"""Names that look alike, and goods that no list holds: what comparing is learnt on."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.grammar import names
from localtune.base.corpus.tasks.words import COMPANY_ENDS, FOOD, PEOPLE, PRODUCTS, SURNAMES, THINGS, company, invented

KINDS_OF_GOODS = names("""
wool, cotton, folding, organic, wireless, wooden, solar, travel, kids', garden, leather, recycled, electric, frozen,
vintage, handmade, waterproof, silent, sugar-free, mini, steel, silk, smart, outdoor, vegan, spare, winter, summer,
second-hand, custom
""")
GOODS = names("""
socks, gloves, lamps, chairs, bikes, headphones, bread, soap, pans, jackets, tents, phones, kettles, insurance, pasta,
candles, blankets, printers, keyboards, clocks, carpets, helmets, scooters, snacks, juice, backpacks, mirrors,
shelves, batteries, paint, toys, cameras, cushions, tables, doors, windows, boots, scarves, umbrellas, chocolate,
cheese, flights, courses, software
""")
SERIES = ("Pro", "Plus", "Mini", "2", "3", "7", "X", "Air", "Max", "One", "S", "Go")
_ALIKE = ("aeiou", "bcdfghjklmnprstvwz", "0123456789")


def goods(rng: random.Random) -> str:
    """A product: from the list, put together ('folding bikes'), or with a name of its own ('Velora Mini')."""
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(PRODUCTS)
    if kind < 0.85:
        return f"{rng.choice(KINDS_OF_GOODS)} {rng.choice(GOODS)}"
    if kind < 0.92:
        return f"{invented(rng)} {rng.choice(GOODS)}"
    return f"{invented(rng)} {rng.choice(SERIES)}"


def other_goods(rng: random.Random, known: str) -> str:
    """Another product than `known`, often with one word in common."""
    first, _, last = known.rpartition(" ")
    while True:
        other = goods(rng)
        if first and " " in other and rng.random() < 0.35:
            head, _, tail = other.rpartition(" ")
            other = f"{first} {tail}" if rng.random() < 0.5 else f"{head} {last}"
        if other != known:
            return other


def firm(rng: random.Random) -> str:
    """A company name in one of many usual forms."""
    kind = rng.random()
    if kind < 0.6:
        return company(rng)
    if kind < 0.75:
        return f"{invented(rng)} {invented(rng) if rng.random() < 0.4 else rng.choice(COMPANY_ENDS)}"
    if kind < 0.85:
        return f"{rng.choice(SURNAMES)} {rng.choice(('& Sons', '& Co', 'Brothers', '& ' + rng.choice(SURNAMES), 'Group'))}"
    if kind < 0.92:
        trade = rng.choice(THINGS + FOOD).capitalize()
        return f"{rng.choice(PEOPLE)}'s {trade} {rng.choice(('Shop', 'House', 'Corner', 'World'))}"
    return invented(rng) + rng.choice(("tek", "Corp", "ify", "Soft", "Line", "Lab", "mart", "Nova"))


def other_firm(rng: random.Random, known: str) -> str:
    """Another company than `known`, sometimes one that looks like it."""
    other = lookalike(rng, known) if rng.random() < 0.25 else firm(rng)
    while other == known:
        other = firm(rng)
    return other


def lookalike(rng: random.Random, name: str) -> str:
    """A name that differs from `name` in one word, one syllable or one letter."""
    words = name.split(" ")
    index = rng.randrange(len(words))
    kind = rng.random()
    if len(words) > 1 and kind < 0.5:
        words[index] = _like(rng, words[index])
    elif kind < 0.7 and len(words[index]) > 3:
        cut = rng.randint(2, len(words[index]) - 1)
        words[index] = words[index][:cut] + rng.choice(("la", "ro", "mi", "ten", "su", "ka", "di", "vel", "on"))
    else:
        words[index] = _one_letter(rng, words[index])
    other = " ".join(words)
    return other if other != name else name + rng.choice("aeiou")


def _like(rng: random.Random, word: str) -> str:
    """Another word written with the same kind of first letter."""
    if word.isdigit():
        return str(rng.randint(1, 99))
    return invented(rng) if word[:1].isupper() else rng.choice(GOODS + KINDS_OF_GOODS)


def _one_letter(rng: random.Random, word: str) -> str:
    places = [place for place, char in enumerate(word) if any(char in alike for alike in _ALIKE)]
    if not places:
        return word + rng.choice("aeiou")
    place = rng.choice(places)
    alike = next(group for group in _ALIKE if word[place] in group)
    return word[:place] + rng.choice(alike.replace(word[place], "")) + word[place + 1:]
