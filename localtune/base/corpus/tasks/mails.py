"""Mails to a firm or an office: a topic's own words in a register, with or without header, greeting, closing, signature."""

from __future__ import annotations

import random
from dataclasses import dataclass

from localtune.base.corpus.tasks.grammar import Slots, capital, expand, sentences
from localtune.base.corpus.tasks.styles import bare, misspelt, shortened, slip, slips
from localtune.base.corpus.tasks.tables import read
from localtune.base.corpus.tasks.topics import Topic
from localtune.base.corpus.tasks.words import CITIES, JOBS, MONTHS, THINGS, WEEKDAYS, code, company, person

_TABLE = read("registers.ini")
_AFTER = _TABLE.pop("after")
REGISTERS = _TABLE
HEADS = ("Subject: {subject}\nFrom: {sender}\nDate: {date}\n\n{body}", "Subject: {subject}\n\n{body}", "{body}",
    "From: {sender}\nSubject: {subject}\nContent: {body}", "{subject}\n{body}", "{body}", "Mail: {body}", "{subject}: {body}",
    "From: {sender}\nTo: {agent}\nSubject: {subject}\nDate: {date}\nContent: {body}", "Subject: {subject}\nText: {body}")
_ASKING = ("when", "how", "can", "do", "does", "is", "are", "may", "what", "who", "which", "will", "could", "shall", "where")
_CARELESS = (slip, slips, misspelt, shortened, bare)


@dataclass(frozen=True)
class Mail:
    """A mail, its topic, and the plain facts it was made of; `problem` is what its summary tells."""

    topic: Topic
    subject: str
    body: str
    problem: str
    sender: str
    slots: Slots

    def text(self, form: str, rng: random.Random) -> str:
        """The mail with the header lines of `form`."""
        return form.format(subject=self.subject, sender=self.sender, body=self.body, agent=self.slots["agent"],
            date=f"{rng.randint(1, 28)} {rng.choice(MONTHS)}")


def facts(rng: random.Random) -> Slots:
    """What a mail may name: numbers, days, places, people, things."""
    day, month = rng.choice(WEEKDAYS), rng.choice(MONTHS)
    return {"code": code(rng), "product": rng.choice(THINGS), "day": day, "Day": day, "month": month, "Month": month,
        "city": rng.choice(CITIES), "job": rng.choice(JOBS), "name": person(rng), "agent": person(rng), "firm": company(rng),
        "n": str(rng.randint(2, 9))}


def ended(problem: str, capitals: bool = True) -> str:
    """The problem as a sentence or a question."""
    asks = not problem.startswith("what a ") and problem.split()[0] in _ASKING
    return (capital(problem) if capitals else problem) + ("?" if asks else ".")


def _opened(rng: random.Random, register: str, problem: str, slots: Slots) -> str:
    """The problem behind the opening of a register."""
    text = expand(rng.choice(REGISTERS[register]["opening"]), rng, {**slots, "problem": problem})
    return text.replace(problem + ".", ended(problem, capitals=False))


def _enclosed(rng: random.Random, register: str, body: str, sender: str, slots: Slots) -> str:
    """The body between greeting, closing and signature, each of which may be missing."""
    words = REGISTERS[register]
    if rng.random() < 0.65:
        body = f"{expand(rng.choice(words['hello']), rng, slots)}{rng.choice((chr(10), chr(10), ' ', chr(10) * 2))}{body}"
    if rng.random() < 0.6:
        body = f"{body}\n{expand(rng.choice(words['bye']), rng, slots)}\n{rng.choice((sender, sender.split()[0]))}"
    return f"{body}\n{expand(rng.choice(_AFTER['signature']), rng, slots)}" if rng.random() < 0.15 else body


def core(rng: random.Random, topic: Topic, register: str, slots: Slots, plain: bool = False) -> tuple[str, str]:
    """The problem and the sentences that tell it: a clause behind an opening, or a whole message or two (not if `plain`)."""
    problem = expand(rng.choice(topic.problems), rng, slots)
    if plain or rng.random() < 0.35:
        return problem, _opened(rng, register, problem, slots)
    messages = rng.sample(topic.messages, rng.choice((1, 1, 1, 2)))
    return problem, " ".join(expand(message, rng, slots) for message in messages)


def mail(rng: random.Random, topic: Topic, long: bool = False, plain: bool = False, closing: str = "") -> Mail:
    """A mail about `topic` in a random register; a `plain` one says its `problem` word for word; `closing` follows the rest."""
    slots, sender, register = facts(rng), person(rng), rng.choice(tuple(REGISTERS))
    problem, told = core(rng, topic, register, slots, plain)
    count = min(len(topic.details), rng.randint(2, 3) if long else rng.choice((0, 0, 0, 1, 2)))
    lines = [expand(detail, rng, slots) + "." for detail in rng.sample(topic.details, count)]
    fillers = [expand(text, rng, slots) + "." for text in rng.sample(_AFTER["filler"], rng.choice((0, 0, 0, 1, 1, 2)))]
    before = [fillers.pop()] if fillers and rng.random() < 0.5 else []
    lines = [*before, told, *lines, *fillers]
    lines += [expand(rng.choice(REGISTERS[register]["wish"]), rng, slots)] if rng.random() < 0.55 else []
    body = " ".join([*lines, closing] if closing else lines)
    body = _enclosed(rng, register, body if rng.random() < 0.15 else sentences(body), sender, slots)
    if not plain and rng.random() < 0.1:
        body = rng.choice(_CARELESS)(body, rng)
    return Mail(topic, expand(rng.choice(topic.subjects), rng, slots), body, problem, sender, slots)
