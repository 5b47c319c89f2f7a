"""The small world: the project's own, seeded, endless pretraining corpus.

Each source is a generator of documents that knows nothing but its random numbers; the table below mixes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from localtune.base.corpus import dialogue, facts, natural, personas, text
from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import (
    characters, comparing, copying, counting, emails, entities, logic, products, reviews,
)

Generator = Callable[[random.Random], Iterator[Document]]

# Shares of text by source: for most of the run, and for its last part, while the learning rate falls to zero.
# Facts and personas carry the first lessons, so they come most often and, as what is seen last stays best, at the end.
SOURCES: dict[str, tuple[Generator, float, float]] = {
    "facts": (facts.documents, 0.24, 0.29),
    "personas": (personas.documents, 0.24, 0.26),
    "dialogue": (dialogue.documents, 0.005, 0.005),
    "text": (text.documents, 0.005, 0.005),
    "copying": (copying.documents, 0.17, 0.1),
    "comparing": (comparing.documents, 0.12, 0.11),
    "counting": (counting.documents, 0.005, 0.005),
    "logic": (logic.documents, 0.015, 0.01),
    "reviews": (reviews.documents, 0.08, 0.08),
    "emails": (emails.documents, 0.04, 0.045),
    "entities": (entities.documents, 0.04, 0.04),
    "products": (products.documents, 0.02, 0.025),
    "characters": (characters.documents, 0.02, 0.025),
}
NATURAL = (0.12, 0.08)  # taken from all others alike, if a file of natural text is given


def shares(final: bool, with_natural: bool) -> dict[str, float]:
    """Share of text of every source; they add up to one."""
    own = {name: source[2 if final else 1] for name, source in SOURCES.items()}
    if not with_natural:
        return own
    rest = 1 - NATURAL[final]
    return {**{name: share * rest for name, share in own.items()}, "natural": NATURAL[final]}


def length(document: Document) -> int:
    """Characters of a document."""
    return len(document.prompt) + len(document.text) + sum(len(message["content"]) for message in document.messages)


def stream(seed: int, final: bool = False, natural_text: Path | None = None) -> Iterator[Document]:
    """Documents of all sources in their shares; the same seed gives the same stream.

    The next document comes from the source that is furthest behind its share, so that long documents come less often.
    """
    wanted = shares(final, natural_text is not None)
    sources = {name: SOURCES[name][0](random.Random(f"{seed}/{name}")) for name in SOURCES}
    if natural_text:
        sources["natural"] = natural.documents(natural_text, random.Random(f"{seed}/natural"))
    written = dict.fromkeys(wanted, 0)
    while True:
        total = sum(written.values())
        name = max(wanted, key=lambda one: wanted[one] * (total + 1) - written[one])
        document = next(sources[name])
        written[name] += length(document)
        yield document
