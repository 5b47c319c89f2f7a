"""The rows of facts and voices that every job of the small base rehearses (`localtune.train.rehearsal`)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from localtune.base.corpus import facts, personas
from localtune.base.corpus.document import Document


def rows(seed: int, count: int) -> list[dict[str, Any]]:
    """So many rows as in a training file: two of facts, one of voices, and so on."""
    known, voices = (as_rows(source.documents(random.Random(seed))) for source in (facts, personas))
    return list(islice(chain.from_iterable(zip(known, known, voices)), count))


def as_rows(documents: Iterator[Document]) -> Iterator[dict[str, Any]]:
    """Conversations and completions; plain texts are left out."""
    for document in documents:
        if document.kind == "chat":
            yield {"messages": list(document.messages)}
        elif document.kind == "completion":
            yield {"prompt": document.prompt, "completion": document.text}
