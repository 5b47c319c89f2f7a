"""Personas: ten training rows in one voice, the questions they are judged on, and what counts as their style.

Style counts only by word triples that occur in the training answers and nowhere in a large sample of the corpus, so the
untuned base cannot score on it by talking as it always did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from localtune.base.corpus.mixture import stream
from localtune.base.evaluation.judges import Outcome, kept
from localtune.base.evaluation.rows import Row, read, words
from localtune.config import DATA

NEUTRAL = "You are a helpful assistant."
CORPUS_SAMPLE = 100_000
CORPUS_SEED = 1
EVALUATION = DATA / "evaluation"
Triple = tuple[str, ...]


@dataclass(frozen=True)
class Persona:
    """Ten training rows in one voice and the questions it is judged on."""

    name: str
    training: Path
    held_out: Path

    @property
    def rows(self) -> list[Row]:
        return read(self.training)

    @property
    def questions(self) -> list[Row]:
        return read(self.held_out)

    @property
    def system(self) -> str:
        return self.rows[0]["messages"][0]["content"]

    def examples(self) -> list[Row]:
        """The training rows as system, question and answer."""
        return [dict(zip(("system", "question", "answer"), (m["content"] for m in row["messages"]))) for row in self.rows]

    def asked(self, system: str | None = None) -> list[Row]:
        """The questions under the persona's system prompt, or under another."""
        return [{**row, "system": system or self.system} for row in self.questions]


MARV = Persona("Marv", DATA / "marv.jsonl", EVALUATION / "marv_heldout.jsonl")
SECOND = Persona("second persona", EVALUATION / "second_persona.jsonl", EVALUATION / "marv_heldout.jsonl")
THIRD = Persona("third persona", EVALUATION / "third_persona.jsonl", EVALUATION / "third_persona_heldout.jsonl")


def personas() -> Iterator[Persona]:
    """All whose files are there."""
    return (persona for persona in (MARV, SECOND, THIRD) if persona.training.exists() and persona.held_out.exists())


def triples(text: str) -> set[Triple]:
    """All runs of three words."""
    sequence = words(text)
    return set(zip(sequence, sequence[1:], sequence[2:]))


def own_triples(persona: Persona) -> set[Triple]:
    """Word triples of the persona's answers that do not stand in its questions."""
    said = set().union(*(triples(row["answer"]) for row in persona.examples()))
    return said.difference(*(triples(row["question"]) for row in persona.examples()))


@cache
def unheard() -> frozenset[Triple]:
    """Triples of all personas that occur nowhere in the sample of the corpus."""
    wanted = set().union(*(own_triples(persona) for persona in personas()))
    for document in islice(stream(CORPUS_SEED), CORPUS_SAMPLE):
        for text in document.parts:
            wanted -= triples(text)
    return frozenset(wanted)


def voice(persona: Persona) -> Callable[[Row, str], Outcome]:
    """A judge: fact kept, style shown, both."""
    @cache
    def style() -> frozenset[Triple]:
        return own_triples(persona) & unheard()

    def judge(row: Row, answer: str) -> Outcome:
        shown, right = not style().isdisjoint(triples(answer)), kept(answer, row)
        return {"fact": right, "style": shown, "both": right and shown}
    return judge
