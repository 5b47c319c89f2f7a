"""Product attributes to descriptions and back; titles; every fact is kept and none is added."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import capital, expand, names, phrases, sentences
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import COLOURS, COUNTRIES, PRODUCTS, company, invented

ITEMS = names("""
handbag, backpack, dress, shirt, jacket, coat, sweater, scarf, hat, belt, skirt, blouse, raincoat, swimsuit, sandal, boot,
sneaker, ring, necklace, bracelet
watch, wallet, umbrella, tent, sleeping bag, bike, helmet, scooter, skateboard, kayak, lamp, chair, table, sofa, shelf, bed,
mirror, rug, vase, clock, candle
kettle, toaster, pan, pot, knife, mug, plate, bowl, bottle, teapot, grill, cake tin, phone, tablet, laptop, keyboard, mouse,
headset, speaker, camera, printer
monitor, charger, drill, hammer, saw, ladder, shovel, hose, mower, doll, puzzle, kite, ball, drum, guitar, flute, pen,
notebook, desk, pillow, blanket, towel
curtain, suitcase, stroller, cradle, dog bed, bird house, aquarium, sun hat, apron, glove, cap, tie, purse, robe, poncho, vest,
cardigan, hoodie
""")
MATERIALS = names("""
cotton, wool, leather, silk, linen, steel, oak, pine, bamboo, glass, clay, cork, denim, felt, velvet, canvas, brass, rubber,
marble, nylon, walnut, paper, stone, plastic
""")
STYLES = names("""
classic, modern, sporty, elegant, vintage, rustic, simple, playful, formal, casual, boho, minimalist, romantic, urban, nordic,
retro
""")
USES = names("""
travel, school, office, weddings, hiking, winter, summer, rainy days, parties, the garden, the beach, small flats, long trips,
everyday life, cooking, sport, camping
music lessons, reading, gifts, children, beginners, professionals, evenings at home
""")
FEATURES = names("""
two pockets, a zip, a hood, a long strap, a wooden handle, a silent motor, a hidden lock, wide wheels, a soft lining,
a glass lid, a timer, a night light, a foldable frame
a metal clip, a spare battery, a USB port, round corners, a thick sole, a mesh back, a cover, an extra blade, five gears,
a mirror inside, reflective stripes
""")
ATTRIBUTES: dict[str, Callable[[random.Random], str]] = {
    "color": lambda rng: rng.choice((rng.choice(COLOURS),
    f"{rng.choice(('dark', 'light', 'army', 'sky', 'deep', 'pale'))}_{rng.choice(('green', 'blue', 'red', 'grey', 'brown'))}")),
    "price": lambda rng: rng.choice((f"${rng.randint(2, 900)}", f"{rng.randint(2, 900)} euro",
    f"${rng.randint(2, 99)}.{rng.choice(('50', '90', '99'))}")),
    "size": lambda rng: rng.choice(("S", "M", "L", "XL", "XS", "small", "medium", "large", f"{rng.randint(30, 48)}",
    f"{rng.randint(20, 200)} cm")),
    "material": lambda rng: rng.choice(MATERIALS), "style": lambda rng: rng.choice(STYLES),
    "brand": lambda rng: rng.choice((invented(rng), company(rng))),
    "origin": lambda rng: rng.choice(COUNTRIES),
    "use": lambda rng: rng.choice(USES), "feature": lambda rng: rng.choice(FEATURES),
    "weight": lambda rng: rng.choice((f"{rng.randint(1, 30)} kg", f"{rng.randint(80, 950)} g")),
    "warranty": lambda rng: f"{rng.randint(2, 10)} years",
    "pattern": lambda rng: rng.choice(("striped", "dotted", "plain", "checked", "floral", "zigzag")),
    "season": lambda rng: rng.choice(("spring", "summer", "autumn", "winter")),
    "for": lambda rng: rng.choice(("women", "men", "kids", "babies", "everyone", "teens", "dogs", "cats")),
    "year": lambda rng: str(rng.randint(2001, 2028)),
    "rating": lambda rng: f"{rng.randint(2, 5)} stars", "pieces": lambda rng: str(rng.randint(2, 60)),
}
# How each attribute reads in a sentence about "it"; {v} is its value.
CLAUSES: dict[str, tuple[str, ...]] = {
    "color": ("it comes in {v}", "the color is {v}", "you get it in {v}", "its {v} tone fits everywhere", "{v} is its color"),
    "price": ("it costs {v}", "the price is {v}", "it is yours for {v}", "you pay only {v}", "available for {v}",
    "at {v} it is a good choice"),
    "size": ("it has size {v}", "the size is {v}", "it comes in size {v}", "we have it in {v}"),
    "material": ("it is made of {v}", "the material is {v}", "made from fine {v}", "{v} makes it strong", "crafted from {v}"),
    "style": ("the style is {v}", "it has a {v} look", "its {v} design stands out", "{v} in style"),
    "brand": ("it is made by {v}", "a product of {v}", "{v} stands behind it", "the brand is {v}", "brought to you by {v}"),
    "origin": ("it comes from {v}", "made in {v}", "it is produced in {v}", "{v} is where it was made"),
    "use": ("it is perfect for {v}", "think of it for {v}", "ideal for {v}", "you will love it for {v}"),
    "feature": ("it has {v}", "it comes with {v}", "{v} makes it special", "there is also {v}"),
    "weight": ("it weighs {v}", "the weight is {v}", "at {v} it is easy to carry"),
    "warranty": ("with {v} of warranty", "the warranty lasts {v}", "we give {v} of warranty"),
    "pattern": ("the pattern is {v}", "it is {v}", "with a {v} pattern"),
    "season": ("made for {v}", "it is a piece for {v}", "wear or use it in {v}"),
    "for": ("it is meant for {v}", "designed for {v}", "a gift for {v}"),
    "year": ("it is from {v}", "the model year is {v}", "first sold in {v}"),
    "rating": ("it is rated {v}", "customers gave it {v}", "its rating is {v}"),
    "pieces": ("the set has {v} pieces", "you get {v} pieces", "it counts {v} pieces"),
}
# How each attribute joins a noun phrase: before the item, or after it.
BEFORE = ("style", "pattern", "color")
AFTER = {
    "material": "made of {v}", "brand": "by {v}", "size": "in size {v}", "price": "for {v}", "origin": "from {v}",
    "use": "ideal for {v}", "feature": "with {v}", "weight": "weighing {v}", "warranty": "with {v} of warranty", "season": "for {v}",
    "for": "designed for {v}", "year": "of the year {v}", "rating": "rated {v}", "pieces": "with {v} pieces",
}
LEADS = ("here is", "meet", "we offer", "new in our shop:", "discover", "this is", "treat yourself to", "take home",
    "look at this:", "there is nothing like", "our pick of the week:", "for you we have", "you deserve", "fall in love with")
OPENINGS = ("meet our {item}.", "this {item} is a joy.", "here is a(n) {item} you will like.", "a(n) {item} for you.",
    "say hello to this {item}.", "looking for a(n) {item}?", "a fine {item}.",
            "the {item} you were waiting for.", "this is a(n) {item}.", "a(n) {item} with character.",
            "our {item} is simply good.", "introducing a new {item}.", "this {item} stands out.")
CLOSINGS = phrases("""
order it today. / you will not regret it. / a good choice. / only while it lasts. / made to be loved. / come and try it.
add it to your cart. / happy shopping.
""")
NOTATIONS = ("{k}={v}|, ", "{k}: {v}|\n", "{k} = {v}|; ", "{k}={v}|\n", "{k}: {v}|, ", "{k}:{v}|;", "- {k}: {v}|\n",
    '"{k}": "{v}"|, ')

Fields = dict[str, str]


def product(rng: random.Random, low: int = 2, high: int = 6) -> Fields:
    """An item with random attributes."""
    keys = rng.sample(sorted(ATTRIBUTES), rng.randint(low, high))
    item = rng.choice(ITEMS)
    if rng.random() < 0.2:
        item = f"{rng.choice((invented(rng), invented(rng).lower()))} {item}"
    return {"item": item, **{key: _value(rng, key) for key in keys}}


def _value(rng: random.Random, key: str) -> str:
    """A fitting value; now and then a word nobody knows or two values in one, so that values are copied, not guessed."""
    value, kind = ATTRIBUTES[key](rng), rng.random()
    if key in ("color", "material", "style", "pattern", "use", "feature", "origin"):
        if kind < 0.12:
            return invented(rng).lower()
        if kind < 0.2 and key in ("color", "material", "style"):
            return f"{value} and {ATTRIBUTES[key](rng)}"
    return value


def spoken(value: str) -> str:
    """A value as it is said: without underscores."""
    return value.replace("_", " ")


def noted(fields: Fields, notation: str) -> str:
    """The attributes in a key=value notation."""
    entry, joint = notation.split("|")
    return joint.join(entry.format(k=key, v=value) for key, value in fields.items())


def described(fields: Fields, rng: random.Random) -> str:
    """A description that names every attribute once: in sentences of their order, or partly around the item's name."""
    if rng.random() < 0.4:
        return _noun_phrase(fields, rng)
    clauses = [rng.choice(CLAUSES[key]).format(v=spoken(value)) for key, value in fields.items() if key != "item"]
    text = expand(rng.choice(OPENINGS), rng, {"item": fields["item"]})
    while clauses:
        count = 2 if len(clauses) > 1 and rng.random() < 0.5 else 1
        text += " " + ", and ".join(clauses[:count]) + "."
        clauses = clauses[count:]
    return sentences(text + (" " + rng.choice(CLOSINGS) if rng.random() < 0.3 else ""))


def _noun_phrase(fields: Fields, rng: random.Random) -> str:
    """'Meet a plain red kettle made of steel, for $20.', and a second sentence for what is left over."""
    front = [spoken(fields[key]) for key in BEFORE if key in fields]
    rest = [key for key in fields if key in AFTER]
    count = rng.randint(min(1, len(rest)), min(4, len(rest)))
    tails = [AFTER[key].format(v=spoken(fields[key])) for key in rest[:count]]
    name = " ".join(("a(n)", *front, fields["item"], *tails[:1]))
    text = expand(f"{rng.choice(LEADS)} {', '.join((name, *tails[1:]))}.", rng, {})
    for key in rest[count:]:
        text += f" {rng.choice(CLAUSES[key]).format(v=spoken(fields[key]))}."
    return sentences(text + (" " + rng.choice(CLOSINGS) if rng.random() < 0.2 else ""))


def plain_facts(fields: Fields) -> str:
    """The attributes as bare sentences."""
    return " ".join(f"{capital(key)} is {spoken(value)}." for key, value in fields.items())


def describe(rng: random.Random) -> Maker:
    notation = rng.choice(NOTATIONS)
    instruction = rng.choice((
        "Write a product description.", "Describe the product. Use every fact and add none.",
        "Turn the attributes into a text for the shop.", "Write an advert from the data.",
        "Make a description out of the key=value list.", "Product text, please; keep all facts.",
        "Sell this item in a few sentences."))

    def make(rng: random.Random) -> Example:
        fields = product(rng)
        return Example(instruction, noted(fields, notation), described(fields, rng), True)

    return make


def describe_facts(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        fields = product(rng)
        return Example("Write a product description from these facts.", plain_facts(fields), described(fields, rng), True)

    return make


def attributes(rng: random.Random) -> Maker:
    notation = rng.choice(NOTATIONS)

    def make(rng: random.Random) -> Example:
        fields = product(rng)
        return Example(f"Extract the attributes as {notation.split('|')[0].format(k='key', v='value')}.", described(fields, rng),
            noted({key: spoken(value) for key, value in fields.items()}, notation))

    return make


def one_attribute(rng: random.Random) -> Maker:
    form = rng.choice(("What is the {}?", "{}?", "Give the {}.", "Which {} does the text name?"))

    def make(rng: random.Random) -> Example:
        fields = product(rng)
        if rng.random() < 0.2:
            key = rng.choice([key for key in ATTRIBUTES if key not in fields])
            answer = "not given"
        else:
            key = rng.choice(list(fields))
            answer = spoken(fields[key])
        return Example("Answer from the text; say 'not given' if it is not there.",
            f"{described(fields, rng)}\n{form.format(key)}", answer)

    return make


def title(rng: random.Random) -> Maker:
    notation = rng.choice(NOTATIONS)
    keys = rng.sample(("color", "material", "style", "pattern"), 2)
    branded = rng.random() < 0.5

    def make(rng: random.Random) -> Example:
        fields = {"item": rng.choice(ITEMS), **{key: ATTRIBUTES[key](rng) for key in (*keys, *(("brand",) if branded else ()))}}
        name = " ".join(capital(spoken(fields[key])) for key in (*keys, "item"))
        return Example("Write a title for the product.", noted(fields, notation),
            f"{name} by {fields['brand']}" if branded else name, True)

    return make


def kept(rng: random.Random) -> Maker:
    """Does the description keep the facts, or does one value differ?"""

    def make(rng: random.Random) -> Example:
        fields = product(rng, 1, 4)
        shown, truth = dict(fields), rng.random() < 0.5
        if not truth:
            key = rng.choice([key for key in fields if key != "item"])
            while shown[key] == fields[key]:
                shown[key] = ATTRIBUTES[key](rng)
        return Example("Does the text agree with the data? Answer yes or no.",
            f"{noted(fields, NOTATIONS[0])}\nText: {described(shown, rng)}", "yes" if truth else "no", True)

    return make


def missing(rng: random.Random) -> Maker:
    """Which attribute of the list does the text leave out?"""
    notation = rng.choice(NOTATIONS)

    def make(rng: random.Random) -> Example:
        fields = product(rng, 2, 6)
        key = rng.choice([key for key in fields if key != "item"])
        shown = {name: value for name, value in fields.items() if name != key}
        return Example("Which attribute is missing from the text?", f"{noted(fields, notation)}\nText: {described(shown, rng)}",
            f"{key}: {fields[key]}")

    return make


def difference(rng: random.Random) -> Maker:
    """Two products; in which attribute do they differ?"""

    def make(rng: random.Random) -> Example:
        fields = product(rng, 2, 5)
        other, key = dict(fields), rng.choice([key for key in fields if key != "item"])
        while other[key] == fields[key]:
            other[key] = ATTRIBUTES[key](rng)
        return Example("In which attribute do the two products differ?",
            f"1. {noted(fields, NOTATIONS[0])}\n2. {noted(other, NOTATIONS[0])}", key, True)

    return make


def slogan(rng: random.Random) -> Maker:
    forms = ("{A} {product} - {brand} knows how.", "{brand}: {product} for {use}.", "{A} {product}? {brand}!",
        "For {use}: {product} by {brand}.", "{brand}. {a} {product} for {use}.")
    form = rng.choice(forms)

    def make(rng: random.Random) -> Example:
        brand, word, thing, use = invented(rng), rng.choice(STYLES), rng.choice(PRODUCTS), rng.choice(USES)
        text = form.format(brand=brand, a=word, A=capital(word), product=thing, use=use)
        return Example("Write a slogan.", f"brand={brand}, product={thing}, style={word}, use={use}", capital(text), True)

    return make


TASKS = (describe,) * 7 + (describe_facts, describe_facts, attributes, attributes, one_attribute, title, kept, missing,
    difference, slogan)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless exercises on product data."""
    return stream(TASKS, rng, "products")
