"""Same or different, matching fields of records, and whether a text supports a claim."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.copying import KEYS, written
from localtune.base.corpus.tasks.grammar import expand
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import (
    CITIES, COLOURS, MONTHS, PEOPLE, PRODUCTS, code, company, date, invented, person, place, word,
)

YES_NO = (("yes", "no"), ("yes", "no"), ("yes", "no"), ("Yes", "No"), ("true", "false"), ("1", "0"), ("supported", "unsupported"))
SAME = (("same", "different"), ("same", "different"), ("equal", "not equal"), ("yes", "no"), ("match", "no match"),
    ("identical", "different"))
THINGS = {
    "names": person, "companies": company, "products": lambda rng: rng.choice(PRODUCTS),
    "numbers": lambda rng: str(rng.randint(1, 9999)),
    "colours": lambda rng: rng.choice(COLOURS), "cities": place, "codes": code, "dates": date, "words": word, "brands": invented,
}
ADS = (
    "[Looking for|Need|In need of] {product}? {company} [has them|makes the best ones|is the answer].",
    "{company} [makes|sells|offers|delivers|builds] {product} [for every home|at fair prices|you can trust|since {year}].",
    "[Discover|Try|Meet|See] the new {product} [from|by|of|at] {company}. {praise}",
    "{Product} [from|by|made by] {company}: {slogan}",
    "[Get|Order|Buy] your {product} at {company} [today|this week|online|now] [and save {percent}%|with free delivery|with two years of warranty].",
    "{slogan} {company} - {product} [for real life|for everyone|done right|made with care].",
    "[Nobody|No one] knows {product} like {company}. {praise}",
    "[This spring|This summer|This {month}|All week], {company} has {product} [on sale|from ${price}|at half price]. {praise}",
    "{praise} {Product}, only at {company}.",
    "At {company} in {city} you find {product} [in all sizes|for small budgets|of the finest quality]. {slogan}",
    "[Our customers|Thousands of people|Families in {city}] love {company}. [For|When it comes to] {product}, they are second to none.",
    "{company}. {slogan} [Ask for|Come in for|Stop by for] {product} [in {city}|near you|at our shop].",
)
OTHER_PART = (
    "[Unlike|Different from] {other}, [which sells|known for] {wrong}, we keep to what we know.",
    "[Next door|Across the street], {other} offers {wrong}.", "{other} [is our partner for|stays the place for|has] {wrong}.",
    "[For {wrong}|If you need {wrong}], go to {other}.", "{other} makes {wrong}.", "We work with {other}, the maker of {wrong}.",
)
AD_SLOTS = {
    "praise": ("Quality you can feel.", "Made to last.", "You will not want to miss it.", "Loved by young and old.",
    "Simple, strong, honest.",
               "Our best work yet.", "Tested by people like you.", "Come and see for yourself.",
               "Rated five stars by our customers."),
    "slogan": ("Comfort first.", "Because details matter.", "Small price, big smile.", "Nature meets design.",
    "Every day a little better.",
               "Good things, made well.", "Built for the long way.", "Your life, made easier.", "Feel the difference.",
               "Simply more."),
}
CLAIM_QUESTIONS = (
    "Is the claim about the company and the product supported by the ad?", "Does the ad speak of this product of this company?",
    "Answer {yes} if company and product belong together in the ad, else {no}.",
    "Check whether the ad supports the pairing. {yes} or {no}?",
    "Supported by the text? Answer {yes} or {no}.", "Does the text say that the company sells the product? {yes}/{no}",
)


def ad(rng: random.Random, name: str, product: str, rival: tuple[str, str] | None = None) -> str:
    """An advert that ties `name` to `product`, and `rival` (company, product) to each other if given."""
    slots = {
        **AD_SLOTS, "company": name, "product": product, "Product": product[:1].upper() + product[1:], "city": CITIES,
        "month": MONTHS,
        "year": str(rng.randint(1900, 2022)), "price": str(rng.randint(3, 400)), "percent": str(rng.randint(5, 60)),
    }
    text = expand(rng.choice(ADS), rng, slots)
    if rival:
        part = expand(rng.choice(OTHER_PART), rng, {"other": rival[0], "wrong": rival[1]})
        text = f"{part} {text}" if rng.random() < 0.4 and not part.startswith("Unlike") else f"{text} {part}"
    return text


def claim_case(rng: random.Random, supported: bool) -> tuple[str, str, str]:
    """(company, product, ad); half of the ads name a rival, so that a false claim uses only their words."""
    companies, products = [company(rng), company(rng)], rng.sample(PRODUCTS, 2)
    while companies[0] == companies[1]:
        companies[1] = company(rng)
    rival = (companies[1], products[1]) if rng.random() < 0.5 else None
    text = ad(rng, companies[0], products[0], rival)
    if supported:
        which = rng.randrange(2) if rival else 0
        return companies[which], products[which], text
    kind = rng.random()
    if kind < 0.4:
        return companies[0], products[1], text
    if kind < 0.8 or rival:
        return companies[1], products[0], text
    return near(rng, companies[0], company), products[0], text


def claim(rng: random.Random) -> Maker:
    yes, no = rng.choice(YES_NO)
    instruction = rng.choice(CLAIM_QUESTIONS).format(yes=yes, no=no)
    form = rng.choice((
        "Company: {0}\nProduct: {1}\nAd: {2}\nSupported:", "Company: {0}\nProduct: {1}\nAd: {2}",
        "{2}\nCompany: {0}\nProduct: {1}",
        "Claim: {0} sells {1}.\nText: {2}", "Text: {2}\nClaim: {0} offers {1}.", "Ad: {2}\nIs this an ad of {0} for {1}?",
    ))

    def make(rng: random.Random) -> Example:
        truth = rng.random() < 0.5
        return Example(instruction, form.format(*claim_case(rng, truth)), yes if truth else no,
            clear=yes in ("yes", "Yes", "supported"))

    return make


def near(rng: random.Random, value: str, make: Callable[[random.Random], str]) -> str:
    """Another value than `value`; often one that looks like it."""
    if rng.random() < 0.3 and len(value) > 3:
        index = rng.randrange(len(value) - 1)
        changed = value[:index] + value[index + 1] + value[index] + value[index + 2:]
        if changed != value:
            return changed
    other = make(rng)
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


TASKS = (claim, claim, claim, claim, same, same, named_above, named_above, field_equal, contained, pair_true, pair_true, odd_one)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless comparing exercises with balanced answers."""
    return stream(TASKS, rng, "comparing")
