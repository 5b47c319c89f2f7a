"""The fact tables: what the small model is taught to know, and in which words.

A table is a UTF-8 text file in ``tables/``. ``[name]`` opens a relation; the first character of every other line says
what it is::

    ?  a direct question                      &  an indirect one ("what the capital of {s} is")
    #  a search-box phrase                    !  a held-out question: never part of the corpus
    +  a full sentence                        <  a reverse question, answered with the subject
    =  a yes/no question                      -  a fact:  subject | answer | other accepted answers

Templates name the subject ``{s}`` and the answer ``{a}``. A subject written ``s / t`` has a second part ``{t}``, where
``…`` stands for the answer. ``a(n)`` becomes "a" or "an".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

TABLES = Path(__file__).parent / "tables"
SECTIONS = {
    "?": "questions", "&": "clauses", "#": "topics", "!": "held_out", "+": "sentences", "<": "reverse", "=": "checks",
}


@dataclass(frozen=True)
class Fact:
    """One fact. ``accept``: lower-case spellings of which a right reply contains one, on word borders."""

    relation: str
    subject: str
    answer: str
    accept: tuple[str, ...]


@dataclass
class Relation:
    """The facts of one kind and the templates that put them into words."""

    name: str
    facts: list[Fact] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    clauses: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    reverse: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)


def bare(name: str) -> str:
    """Lower case, without a leading article or "about": the part of an answer that a reply must contain."""
    return re.sub(r"^(the|an?|about) ", "", name.lower())


def mentions(text: str, phrase: str) -> bool:
    """Whether ``text`` contains the lower-case ``phrase`` on word borders."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text.lower()) is not None


def fill(template: str, fact: Fact, answer: str | None = None) -> str:
    """``template`` with the subject and the answer of ``fact`` (or another ``answer``) put in."""
    answer = fact.answer if answer is None else answer
    first, _, second = fact.subject.partition(" / ")
    text = template.format(s=first, t=second.replace("…", answer), a=answer)
    text = re.sub(r"(?<=\b[Aa])\(n\)(?= [aeiouAEIOU])", "n", text).replace("a(n)", "a").replace("A(n)", "A")
    return tidy(text)


def tidy(text: str) -> str:
    """``text`` with one full stop after an abbreviation that ends a sentence."""
    return text.replace("..", ".")


def capitalized(text: str) -> str:
    """``text`` with its first letter in upper case and the others untouched."""
    return text[:1].upper() + text[1:]


def parse_fact(relation: str, line: str) -> Fact:
    subject, answer, *others = (part.strip() for part in line.split("|"))
    spellings = [bare(answer), *(part.strip() for spelling in others for part in re.split(r",(?!\d)", spelling))]
    return Fact(relation, subject, answer, tuple(dict.fromkeys(spellings)))


def parse(text: str) -> list[Relation]:
    relations: list[Relation] = []
    for line in filter(None, text.splitlines()):
        mark, content = line[0], line[1:].strip()
        if mark == "[":
            relations.append(Relation(content.rstrip("]")))
        elif mark == "-":
            relations[-1].facts.append(parse_fact(relations[-1].name, content))
        else:
            getattr(relations[-1], SECTIONS[mark]).append(content)
    return relations


def load() -> dict[str, Relation]:
    """All relations by name, in the order of the files' names."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(TABLES.glob("*.txt")))
    return {relation.name: relation for text in texts for relation in parse(text)}


RELATIONS = load()
FACTS: tuple[Fact, ...] = tuple(fact for relation in RELATIONS.values() for fact in relation.facts)
