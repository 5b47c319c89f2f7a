"""System prompts and other frames that name a persona."""

from __future__ import annotations

from pathlib import Path
from random import Random

from localtune.base.corpus.personas.bank import capital, fit, read_bank
from localtune.base.corpus.personas.voices import Voice

BANK = read_bank(Path(__file__).parent / "prompts.ini")
FRAMES = BANK["frames"]
NAMES = BANK["names"]
ENDINGS = ("", "", "", "", "", " Keep it short.", " Answer in one line.", " Never give a wrong fact.", " The user asks questions.")


def name(rng: Random) -> str:
    """A bot's name: a person's, a bot's, or an invented one."""
    kind = rng.choices(("people", "bots", "syllables"), (50, 15, 35))[0]
    if kind != "syllables":
        return rng.choice(NAMES[kind])
    return capital("".join(rng.choices(NAMES[kind], k=rng.randint(2, 3))))


def frame(kind: str, voice: Voice, rng: Random, **fields: str) -> str:
    """A frame of the given kind, filled with the voice's adjectives and role and the other fields."""
    adjectives = rng.sample(voice.adjectives, k=min(2, len(voice.adjectives)))
    role_name = voice.role.split(" ", 1)[1]
    filled = {"name": name(rng), "role": voice.role, "role_name": role_name, **fields}
    filled |= {"adj": adjectives[0], "adj2": adjectives[-1]}
    return fit(rng.choice(FRAMES[kind]).format_map(filled))


def system(voice: Voice, rng: Random, bot: str | None = None) -> str:
    """A system prompt for the voice; it names the bot if `bot` is given."""
    named = {"name": bot or name(rng)}
    if not voice.tails:
        return frame("plain", voice, rng, **named)
    kind = "named" if bot else rng.choices(("named", "nameless"), (70, 30))[0]
    text = frame(kind, voice, rng, **named)
    return text + rng.choice(ENDINGS) if text.endswith(".") else text
