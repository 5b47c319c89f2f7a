"""The small world: the project's own, seeded, endless pretraining corpus.

Each source is a generator of documents that knows nothing but its random numbers; the table below mixes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from localtune.base.corpus import dialogue, facts, natural, personas, text
from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import (
    characters, comparing, copying, counting, emails, entities, logic, products, reviews, verdicts,
)

T = TypeVar("T")
Generator = Callable[[random.Random], Iterator[Document]]

# Shares of text by source: for most of the run, and for its last part, while the learning rate falls to zero.
# Facts and personas carry the first lessons, so they come most often and, as what is seen last stays best, at the end.
SOURCES: dict[str, tuple[Generator, float, float]] = {
    "facts": (facts.documents, 0.22, 0.26),
    "personas": (personas.documents, 0.16, 0.2),
    "dialogue": (dialogue.documents, 0.005, 0.005),
    "text": (text.documents, 0.005, 0.005),
    "verdicts": (verdicts.documents, 0.3, 0.24),
    "copying": (copying.documents, 0.03, 0.03),
    "comparing": (comparing.documents, 0.02, 0.02),
    "counting": (counting.documents, 0.005, 0.005),
    "logic": (logic.documents, 0.015, 0.01),
    "reviews": (reviews.documents, 0.045, 0.045),
    "emails": (emails.documents, 0.03, 0.03),
    "entities": (entities.documents, 0.055, 0.05),
    "products": (products.documents, 0.06, 0.05),
    "characters": (characters.documents, 0.05, 0.05),
}
NATURAL = (0.04, 0.04)  # taken from all others alike, if a file of natural text is given


def shares(final: bool, with_natural: bool) -> dict[str, float]:
    """Share of text of every source; they add up to one."""
    own = {name: source[2 if final else 1] for name, source in SOURCES.items()}
    if not with_natural:
        return own
    rest = 1 - NATURAL[final]
    return {**{name: share * rest for name, share in own.items()}, "natural": NATURAL[final]}


def length(document: Document) -> int:
    """Characters of a document."""
    return sum(map(len, document.parts))


def stream(seed: int, final: bool = False, natural_text: Path | None = None) -> Iterator[Document]:
    """Documents of all sources in their shares; the same seed gives the same stream."""
    wanted = shares(final, natural_text is not None)
    sources = {name: SOURCES[name][0](random.Random(f"{seed}/{name}")) for name in SOURCES}
    if natural_text:
        sources["natural"] = natural.documents(natural_text, random.Random(f"{seed}/natural"))
    return in_shares(sources, wanted)


def in_shares(sources: Mapping[str, Iterator[T]], wanted: Mapping[str, float], size: Callable[[T], int] = length) -> Iterator[T]:
    """Documents (or batches) of sources that come in the wanted shares of text (or whatever `size` counts).

    The next one comes from the source that is furthest behind its share, so that long documents come less often.
    """
    written = dict.fromkeys(wanted, 0)
    while True:
        total = sum(written.values())
        name = max(wanted, key=lambda one: wanted[one] * (total + 1) - written[one])
        one = next(sources[name])
        written[name] += size(one)
        yield one
