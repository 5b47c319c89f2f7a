"""The kinds of dialogue and how often each comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from localtune.base.corpus.dialogue.formats import answer_format, list_format, rule, text_format
from localtune.base.corpus.dialogue.rewording import copy, register, remember, rephrase
from localtune.base.corpus.dialogue.talk import greeting, note, small_talk, support, thanks
from localtune.base.corpus.document import Document

KINDS: dict[Callable[[Random], Document], int] = {
    greeting: 6,
    thanks: 5,
    small_talk: 9,
    support: 14,
    note: 5,
    text_format: 7,
    answer_format: 12,
    rule: 12,
    list_format: 5,
    copy: 10,
    remember: 4,
    rephrase: 8,
    register: 4,
}


def documents(rng: Random) -> Iterator[Document]:
    """Endless dialogue documents, determined by `rng`."""
    while True:
        yield rng.choices(list(KINDS), list(KINDS.values()))[0](rng)
