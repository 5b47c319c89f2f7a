"""A small recursive grammar: `{slot}` is filled from a mapping, `[a|b]` is a choice, `a(n)` becomes "a" or "an"."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

Slots = Mapping[str, str | Sequence[str]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa])\(n\) (?=(\w{0,3}))")
_LIKE_YOU = ("uni", "use", "uti", "usa", "eur", "one")  # written with a vowel, spoken with a consonant
_SENTENCE = re.compile(r"(^|[.!?] |\n)([a-z])")


def phrases(text: str) -> tuple[str, ...]:
    """The entries of a hand-written list, separated by ` / ` or line ends."""
    return tuple(part.strip() for part in re.split(r" / |\n", text) if part.strip())


def names(text: str) -> tuple[str, ...]:
    """The entries of a hand-written list, separated by commas or line ends."""
    return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())


def expand(template: str, rng: random.Random, slots: Slots) -> str:
    """Fill a template until no slot and no choice is left; every slot occurrence is drawn anew.

    Raises KeyError for a slot that `slots` does not name.
    """

    def slot(match: re.Match[str]) -> str:
        value = slots[match[1]]
        return value if isinstance(value, str) else rng.choice(value)

    while "{" in template or "[" in template:
        template = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
        template = _SLOT.sub(slot, template)
    return _ARTICLE.sub(_article, template)


def _article(match: re.Match[str]) -> str:
    word = match[2].lower()
    vowel = (word[:1] in tuple("aeiou8") or word in ("11", "18")) and word not in _LIKE_YOU
    return match[1] + ("n " if vowel else " ")


def sentences(text: str) -> str:
    """The text with a capital at each sentence start."""
    return _SENTENCE.sub(lambda match: match[1] + match[2].upper(), text)


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def listed(items: Sequence[str], last: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
