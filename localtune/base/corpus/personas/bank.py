"""Word banks in .ini files, and the grammar that grows sentences from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from pathlib import Path
from random import Random

Rules = Mapping[str, Sequence[str]]

REFERENCE = re.compile(r"<(\w+)>")
ARTICLE = re.compile(r"\b([aA])\(n\) (\W?)(\w+)")
VOWEL_SOUND = re.compile(r"hon(est|our)|hour|(?!uk|uni|eu|one\b)[aeiou]", re.IGNORECASE)
PLURAL = re.compile(r"(\w+)\(s\)")
IRREGULAR = {"goose": "geese", "mouse": "mice"}


def read_bank(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Sections of a bank: key → alternatives, which the file separates by ``|``; ``\\n`` stands for a line break."""
    parser = ConfigParser(interpolation=None, delimiters=(":",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return {name: {key: alternatives(value) for key, value in parser[name].items()} for name in parser.sections()}


def alternatives(value: str) -> tuple[str, ...]:
    """The alternatives of one entry."""
    flat = " ".join(value.split())
    return tuple(part.strip().replace("\\n", "\n") for part in flat.split(" | "))


class Grammar:
    """Expands ``<rule>`` references at random; ``<Rule>`` starts with a capital letter, ``a(n)`` and ``(s)`` are fitted."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def expand(self, text: str, rng: Random) -> str:
        """`text` with every reference replaced; KeyError for an unknown rule."""
        return fit(self._replace(text, rng))

    def _replace(self, text: str, rng: Random) -> str:
        def one(match: re.Match[str]) -> str:
            name = match[1]
            grown = self._replace(rng.choice(self.rules[name[0].lower() + name[1:]]), rng)
            return capital(grown) if name[0].isupper() else grown

        return REFERENCE.sub(one, text)


def fit(text: str) -> str:
    """`text` with ``a(n)`` and ``(s)`` turned into the right article and plural."""
    text = PLURAL.sub(lambda match: plural(match[1]), text)
    return ARTICLE.sub(lambda m: f"{m[1]}{'n' if VOWEL_SOUND.match(m[3]) else ''} {m[2]}{m[3]}", text)


def plural(noun: str) -> str:
    """The plural of an English noun."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def capital(text: str) -> str:
    """`text` with its first character in upper case."""
    return text[:1].upper() + text[1:]
