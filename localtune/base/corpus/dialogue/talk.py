"""Greetings, thanks, small talk and support dialogues."""

from __future__ import annotations

from random import Random

from localtune.base.corpus.dialogue.slots import ARROW, HERE, Slots, chat
from localtune.base.corpus.document import Document
from localtune.base.corpus.facts import FACTS, question, sentence
from localtune.base.corpus.personas.bank import read_bank
from localtune.base.corpus.personas.prompts import FRAMES

TALK = read_bank(HERE / "talk.ini")
SUPPORT = read_bank(HERE / "support.ini")


def greeting(rng: Random) -> Document:
    """A greeting, sometimes followed by a question of fact and thanks."""
    return chat(*greeting_lines(rng), *(fact_and_thanks(rng) if rng.random() < 0.3 else ()), system=some_system(rng))


def greeting_lines(rng: Random) -> tuple[str, str]:
    """A greeting and its reply, which uses the user's name if the user gave one."""
    slots, user = Slots(rng), rng.choice(TALK["greetings"]["user"])
    replies = TALK["greetings"]["named" if "{name}" in user else "bot"]
    return slots.fill(user), slots.fill(rng.choice(replies))


def fact_and_thanks(rng: Random) -> tuple[str, ...]:
    """A question of fact with its answer, then thanks."""
    fact = rng.choice(FACTS)
    return question(fact, rng), sentence(fact, rng), *thanks_lines(rng)


def thanks(rng: Random) -> Document:
    """Thanks after an answer, or alone."""
    return chat(*(fact_and_thanks(rng) if rng.random() < 0.5 else thanks_lines(rng)), system=some_system(rng))


def thanks_lines(rng: Random) -> tuple[str, str]:
    """Thanks and the reply to it."""
    slots, section = Slots(rng), TALK["thanks"]
    return slots.fill(rng.choice(section["user"])), slots.fill(rng.choice(section["bot"]))


def small_talk(rng: Random) -> Document:
    """One to three exchanges of small talk."""
    slots = Slots(rng)
    frames = rng.sample(TALK["smalltalk"]["frames"], rng.choice((1, 1, 1, 2, 3)))
    return chat(*(line for frame in frames for line in lines(frame, slots)), system=some_system(rng, slots["bot"]))


def support(rng: Random) -> Document:
    """A support dialogue; names, numbers and articles of the customer come back in the agent's lines."""
    slots = Slots(rng)
    system = slots.fill(rng.choice(SUPPORT["system"]["lines"])) if rng.random() < 0.7 else None
    frames = rng.sample(SUPPORT["chat"]["frames"], rng.choice((1, 1, 2)))
    return chat(*(line for frame in frames for line in lines(frame, slots)), system=system)


def note(rng: Random) -> Document:
    """A short record and a question about it, as a chat or a completion."""
    slots = Slots(rng)
    prompt, answer = lines(rng.choice(SUPPORT["note"]["frames"]), slots)
    if rng.random() < 0.3:
        return Document("completion", prompt=f"{prompt}\n", text=answer, source="dialogue")
    return chat(prompt, answer)


def lines(frame: str, slots: Slots) -> tuple[str, ...]:
    """The lines of a frame, filled."""
    return tuple(slots.fill(line) for line in frame.split(ARROW))


def some_system(rng: Random, bot: str | None = None) -> str | None:
    """A plain system prompt, or none; the bot may have a name already."""
    slots = Slots(rng, name=bot) if bot else Slots(rng)
    return slots.fill(rng.choice(FRAMES["plain"])) if rng.random() < 0.35 else None
