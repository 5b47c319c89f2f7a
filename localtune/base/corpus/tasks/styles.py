"""How people type: slips, lower case, capitals, slang, missing apostrophes, drawn-out words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Style = Callable[[str, random.Random], str]
SHORT = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "with": "w/", "because": "cuz", "really": "rly", "very": "v",
    "people": "ppl", "though": "tho", "and": "&", "to be honest": "tbh", "thanks": "thx", "great": "gr8", "going to": "gonna",
    "want to": "wanna", "minutes": "mins", "something": "sth", "tomorrow": "tmrw", "love": "luv", "the": "da", "for": "4",
    "about": "abt", "again": "agn",
}
_SHORTENED = re.compile(r"\b(" + "|".join(sorted(SHORT, key=len, reverse=True)) + r")\b")
_STRETCHED = re.compile(r"\b(so|no|way|very|love|never|good|bad|really)\b")
_SPELLINGS = (("their", "there"), ("definitely", "definately"), ("it's", "its"), ("its ", "it's "), ("you're", "your"),
    ("received", "recieved"), ("believe", "beleive"), ("too ", "to "), ("quality", "qualty"), ("disappoint", "dissapoint"),
    ("recommend", "recomend"), ("comfortable", "confortable"), ("because", "becuase"), ("excellent", "excelent"),
    ("terrible", "terible"), ("restaurant", "restaurent"), ("service", "servise"), ("really", "realy"),
    ("beautiful", "beatiful"), ("arrived", "arived"), ("amazing", "amazng"), ("awful", "aweful"), ("waste", "waist"),
    ("than ", "then "))


def slip(text: str, rng: random.Random) -> str:
    """One letter swapped, doubled, dropped or hit beside."""
    index = rng.randrange(max(1, len(text) - 1))
    kind = rng.randrange(4)
    if kind == 0:
        return text[:index] + text[index + 1:index + 2] + text[index:index + 1] + text[index + 2:]
    if kind == 1:
        return text[:index + 1] + text[index:]
    return text[:index] + text[index + 1:] if kind == 2 and len(text) > 8 else text


def slips(text: str, rng: random.Random) -> str:
    """A slip for about every sixty letters."""
    for _ in range(1 + len(text) // 60):
        text = slip(text, rng)
    return text


def misspelt(text: str, rng: random.Random) -> str:
    """Usual spelling mistakes; a slip where the text offers none."""
    found = [(right, wrong) for right, wrong in _SPELLINGS if right in text]
    for right, wrong in found[:3]:
        text = text.replace(right, wrong, 1)
    return text if found else slip(text, rng)


def shortened(text: str, rng: random.Random) -> str:
    """The short forms of chats, each with an even chance."""
    return _SHORTENED.sub(lambda match: SHORT[match[1]] if rng.random() < 0.5 else match[1], text.lower())


def drawn_out(text: str, rng: random.Random) -> str:
    """'sooo' and 'nooo', and more exclamation marks."""
    text = _STRETCHED.sub(lambda match: match[1] + match[1][-1] * rng.randint(1, 4), text, count=1)
    return re.sub(r"[.!]*$", rng.choice(("!!", "!!!", "!!!!", "...", "!1")), text)


def loud(text: str, rng: random.Random) -> str:
    """One word, or everything, in capitals."""
    words = text.split(" ")
    if rng.random() < 0.4:
        return text.upper()
    index = rng.randrange(len(words))
    return " ".join([*words[:index], words[index].upper(), *words[index + 1:]])


def bare(text: str, rng: random.Random) -> str:
    """Lower case without apostrophes and commas, often without stops."""
    text = text.lower().replace("'", "").replace(",", "")
    return text.replace(". ", " ").rstrip(".") if rng.random() < 0.5 else text


def small(text: str, rng: random.Random) -> str:
    """Lower case, all else kept."""
    return text.lower()


STYLES: tuple[Style, ...] = (slip, slips, misspelt, shortened, drawn_out, loud, bare, small)


def restyled(text: str, rng: random.Random) -> str:
    """The text in one careless style."""
    return rng.choice(STYLES)(text, rng) if text else text
