"""Natural English from a file of rows `{source, task, prompt, completion}`, which is not part of the project.

Reviews of products (`HELD_OUT`) are never learnt: real reviews of a kind that was not seen are what the base is judged on.
"""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path

from localtune.base.corpus.document import Document

HELD_OUT = "amazon_polarity"
LONGEST = 1_000  # characters; longer rows cost more time than they teach
REVIEWS = ("imdb", "rotten_tomatoes", "yelp", "app_reviews")
# Shares by kind. Labelled reviews and short requests serve the course's cases; the rest is for breadth.
SHARES = {"reviews": 0.35, "intents": 0.15, "instructions": 0.30, "talk": 0.15, "sums": 0.05}
KINDS = {"clinc": "intents", "gsm8k": "sums", "topical-chat": "talk", "taskmaster": "talk", "persona-chat": "talk"}
SEPARATORS = ("\n", "\n\n", " ->", "\n\n###\n\n", "\nAnswer:", " ")
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    """All rows of a JSON-lines file, xz-compressed or not."""
    opened = lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")
    with opened as file:
        return [json.loads(line) for line in file]


def kind(row: Row) -> str:
    """Which of `SHARES` a row belongs to."""
    return KINDS.get(row["source"]) or ("reviews" if row["task"].startswith(REVIEWS) else "instructions")


def usable(row: Row) -> bool:
    return not row["task"].startswith(HELD_OUT) and len(shorten(row)["prompt"]) + len(row["completion"]) <= LONGEST


def shorten(row: Row) -> Row:
    """A review keeps its last sentences: there the verdict stands, and so does the question about it."""
    prompt = row["prompt"].replace("<br />", " ").replace("\\n", " ")
    if kind(row) == "reviews" and len(prompt) > LONGEST - 100:
        prompt = prompt[prompt.find(" ", len(prompt) - LONGEST + 300) + 1:]
    return {**row, "prompt": prompt}


def documents(path: Path, rng: random.Random) -> Iterator[Document]:
    """Endless documents: each kind is gone through in a random order, again and again."""
    kinds: dict[str, list[Row]] = {name: [] for name in SHARES}
    for row in read(path):
        if usable(row):
            kinds[kind(row)].append(shorten(row))
    decks = {name: shuffled(rows, rng) for name, rows in kinds.items() if rows}
    names = list(decks)
    while True:
        yield document(next(decks[rng.choices(names, [SHARES[name] for name in names])[0]]), rng)


def shuffled(rows: list[Row], rng: random.Random) -> Iterator[Row]:
    while True:
        yield from rng.sample(rows, len(rows))


def document(row: Row, rng: random.Random) -> Document:
    """A row as chat, as prompt and completion, or as running text."""
    prompt, completion = row["prompt"].strip(), row["completion"].strip()
    if not prompt:
        return Document("text", text=completion, source="natural")
    drawn = rng.random()
    if drawn < 0.45:
        messages = ({"role": "user", "content": prompt}, {"role": "assistant", "content": completion})
        return Document("chat", messages=messages, source="natural")
    separator = rng.choice(SEPARATORS)
    if drawn < 0.75:
        return Document("completion", prompt=prompt + separator, text=f" {completion}", source="natural")
    return Document("text", text=f"{prompt}{separator} {completion}", source="natural")
