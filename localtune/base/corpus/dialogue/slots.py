"""Slots of the dialogue frames: one value for each name and document."""

from __future__ import annotations

from pathlib import Path
from random import Random

from localtune.base.corpus.document import Document
from localtune.base.corpus.personas.bank import Grammar, capital, fit, read_bank
from localtune.base.corpus.personas.voices import GRAMMAR

HERE = Path(__file__).parent
WORDS = Grammar({**GRAMMAR.rules, **read_bank(HERE / "slots.ini")["rules"]})
ARROW = " => "
SOURCE = "dialogue"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Slots(dict[str, str]):
    """Fills ``{slot}`` in frames: a value is drawn when first asked for and kept; ``{day2}`` is another day.

    ``{Colour}`` is ``{colour}`` with a capital letter.
    """

    def __init__(self, rng: Random, **given: str) -> None:
        super().__init__(given)
        self.rng = rng

    def __missing__(self, key: str) -> str:
        if key[0].isupper():
            return capital(self[key.lower()])
        self[key] = self._draw(key.rstrip(DIGITS))
        return self[key]

    def _draw(self, slot: str) -> str:
        made = number_like(slot, self.rng)
        if made is not None:
            return made
        if slot == "mail":
            return f"{self['name'].lower()}@{self.rng.choice(('mail', 'post', 'home', 'work'))}.example"
        if slot == "kin":
            return WORDS.expand("<kin>", self.rng).removeprefix("my ")
        return WORDS.expand(f"<{slot}>", self.rng)

    def fill(self, frame: str) -> str:
        """The frame with its slots filled."""
        return fit(frame.replace("a {", "a(n) {").format_map(self))


def number_like(slot: str, rng: Random) -> str | None:
    """A value for slots made of digits (order, code, phone, time, price, n), else None."""
    if slot == "n":
        return str(rng.randint(2, 40))
    if slot == "order":
        return rng.choice(("", "#", "A", "B-", "ORD-")) + digits(rng.randint(4, 6), rng)
    if slot == "code":
        return "".join(rng.choices(LETTERS, k=rng.randint(1, 2))) + rng.choice(("", "-")) + digits(rng.randint(2, 4), rng)
    if slot == "phone":
        return f"{digits(3, rng)}-{digits(4, rng)}"
    if slot == "time":
        return f"{rng.randint(1, 12)}{rng.choice((':30', ':15', ':45', ''))} {rng.choice(('am', 'pm'))}"
    if slot == "price":
        return rng.choice(("${}", "{} euros", "£{}", "{} dollars")).format(rng.randint(2, 400))
    return None


def digits(count: int, rng: Random) -> str:
    """A string of random digits."""
    return "".join(rng.choices(DIGITS, k=count))


def chat(*lines: str, system: str | None = None) -> Document:
    """A chat of alternating user and assistant lines, after an optional system prompt."""
    start = ({"role": "system", "content": system},) if system else ()
    roles = ("user", "assistant")
    turns = tuple({"role": roles[i % 2], "content": line} for i, line in enumerate(lines))
    return Document("chat", start + turns, source=SOURCE)
