"""Praise and blame, written by hand in `praise.ini` and `blame.ini`: whole opinions by subject, and words for `opinions`."""

from __future__ import annotations

from dataclasses import dataclass

from localtune.base.corpus.tasks.tables import read

Phrases = tuple[str, ...]


@dataclass(frozen=True)
class Mood:
    """What is said in one mood. `lines` by subject (`any` fits all of them); `before_noun` holds adjectives."""

    lines: dict[str, Phrases]
    adjectives: Phrases
    before_noun: Phrases
    nouns: Phrases
    verbs: Phrases
    adverbs: Phrases
    tags: Phrases
    smileys: Phrases


def _mood(name: str) -> Mood:
    table = read(name)
    return Mood(table["lines"], **{key.replace(" ", "_"): phrases for key, phrases in table["words"].items()})


MOODS = {"positive": _mood("praise.ini"), "negative": _mood("blame.ini")}
