"""The small world: the project's own, seeded, endless pretraining corpus.

Each source is a generator of documents that knows nothing but its random numbers; the table below mixes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus import dialogue, facts, personas, text
from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import (
    characters, comparing, copying, counting, emails, entities, logic, products, reviews,
)

Generator = Callable[[random.Random], Iterator[Document]]

# Shares of documents by source: for most of the run, and for its last part, while the learning rate falls to zero.
# Facts and personas carry the first lessons, so they come most often and, as what is seen last stays best, at the end.
SOURCES: dict[str, tuple[Generator, float, float]] = {
    "facts": (facts.documents, 0.365, 0.50),
    "personas": (personas.documents, 0.42, 0.40),
    "dialogue": (dialogue.documents, 0.06, 0.03),
    "text": (text.documents, 0.03, 0.01),
    "copying": (copying.documents, 0.015, 0.01),
    "comparing": (comparing.documents, 0.02, 0.01),
    "counting": (counting.documents, 0.01, 0.005),
    "logic": (logic.documents, 0.01, 0.005),
    "reviews": (reviews.documents, 0.025, 0.01),
    "emails": (emails.documents, 0.01, 0.005),
    "entities": (entities.documents, 0.01, 0.005),
    "products": (products.documents, 0.01, 0.005),
    "characters": (characters.documents, 0.015, 0.005),
}


def stream(seed: int, final: bool = False) -> Iterator[Document]:
    """Documents of all sources in the shares of `SOURCES`; the same seed gives the same stream."""
    rng = random.Random(seed)
    names = list(SOURCES)
    shares = [SOURCES[name][2 if final else 1] for name in names]
    sources = {name: SOURCES[name][0](random.Random(f"{seed}/{name}")) for name in names}
    while True:
        yield next(sources[rng.choices(names, shares)[0]])
