"""Short news items and the people, companies, places and products they name, in order of first appearance."""
from __future__ import annotations

import re

from tools.datasets.common import Grammar, capitalised, jsonl_splits

SEED = 14
SIZES = {"train": 500, "validation": 100, "test": 200}
KINDS = ("person", "company", "place", "product")
NAME = re.compile(r"\{((?:person|company|place|product)2?)\}")
Row = dict[str, object]


def named(grammar: Grammar) -> dict[str, str]:
    """A value for each slot of a frame; no two of one kind are the same."""
    given = {}
    for kind in KINDS:
        for slot, value in zip((kind, f"{kind}2"), grammar.rng.sample(grammar.rules[kind], 2)):
            given[slot] = value if kind != "person" else f"{grammar.pick('first')} {value}"
    return given


def item(grammar: Grammar) -> Row:
    """One or two sentences; what is named twice is listed once."""
    given = named(grammar)
    frames = grammar.rng.sample(grammar.rules["news"], grammar.rng.choice((1, 1, 2)))
    wanted = [given[slot] for frame in frames for slot in NAME.findall(frame)]
    return {"text": capitalised(" ".join(grammar.say(frame, given) for frame in frames)),
            "entities": list(dict.fromkeys(wanted))}


def files() -> dict[str, str]:
    """train.jsonl, validation.jsonl and test.jsonl with {"text", "entities"}."""
    return jsonl_splits("entities", SIZES, SEED, item, lambda row: str(row["text"]))
