"""Verdicts in close order: page after page of short answers, in lessons of one skill each; nothing but the answers is learnt.

Telling same from different, or praise from blame, is learnt late and all at once, and only where such answers come densely: in
a mixture of everything, a one-word answer is lost in the noise of long texts and of all the other skills.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import characters, claims, comparing, copying, emails, entities, pairing, products, reviews
from localtune.base.corpus.tasks.layout import SEPARATORS, Maker, Task, size_of

ENDINGS = ("\n", "\n", "\n\n", " END\n")
LENGTHS = (200, 400, 700, 1_100)  # characters to reach by adding examples
MOST = 40  # examples of a page

# In the order in which they are taught: every lesson uses what the one before has brought.
LESSONS: dict[str, tuple[Task, ...]] = {
    "same": (*(pairing.twins,) * 4, comparing.same, comparing.same),
    "pairs": (*(pairing.member,) * 3, *(pairing.matched,) * 4, comparing.contained, comparing.pair_true, comparing.named_above,
        comparing.field_equal, pairing.twins, pairing.missing),
    "claims": (*(claims.claims,) * 4, *(claims.claim,) * 4, pairing.matched, pairing.matched, pairing.member),
    "moods": (*(reviews.word_mood,) * 3, *(reviews.phrase_mood,) * 4, *(reviews.two_labels,) * 4, reviews.three_labels),
    "topics": (*(emails.short_requests,) * 4, emails.by_word, emails.by_word, emails.fixed_number, emails.department, emails.about,
        emails.urgency),
    "finding": (*(copying.respaced,) * 3, copying.look_up, pairing.recalled, entities.which_kind, entities.ask_often,
        entities.extract_all, entities.typed, characters.read_back, products.attributes, products.one_attribute),
}


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless pages, the lessons in turn."""
    while True:
        for tasks in LESSONS.values():
            yield page(rng.choice(tasks)(rng), rng)


def lesson(tasks: Sequence[Task], rng: random.Random) -> Iterator[Document]:
    """Endless pages of some tasks; repeat a task to weight it."""
    while True:
        yield page(rng.choice(tasks)(rng), rng)


def page(make: Maker, rng: random.Random) -> Document:
    """Examples of one task up to some length: as a conversation, or as plain lines."""
    examples = [make(rng)]
    target = rng.choice(LENGTHS)
    while len(examples) < examples[0].least or (len(examples) < MOST and sum(map(size_of, examples)) < target):
        examples.append(make(rng))
    turns = [turn for one in examples for turn in ((one.given, one.answer), *one.more)]
    instruction = "" if examples[0].clear and rng.random() < 0.3 else examples[0].instruction
    return _chat(instruction, turns) if rng.random() < 0.5 else _lines(instruction, turns, rng)


def _chat(instruction: str, turns: list[tuple[str, str]]) -> Document:
    head = ({"role": "system", "content": instruction},) if instruction else ()
    said = ({"role": role, "content": text} for turn in turns for role, text in zip(("user", "assistant"), turn))
    return Document("chat", messages=(*head, *said), source="verdicts", answers_only=True)


def _lines(instruction: str, turns: list[tuple[str, str]], rng: random.Random) -> Document:
    separator, ending = rng.choice((*SEPARATORS, ":", " =", "")), rng.choice(ENDINGS)
    head = f"{instruction}\n\n" if instruction else ""
    shown = [f"{'' if number else head}{given}{separator}" for number, (given, _) in enumerate(turns)]
    pairs = tuple((one, f" {answer}{ending}") for one, (_, answer) in zip(shown, turns))
    return Document("turns", turns=pairs, source="verdicts", answers_only=True)
