"""A small sentence grammar, and files that are the same bytes on every computer.

Word files in `words/` hold sections: `[name]` is dealt out over the splits line by line, so that no two splits share a line;
`[=name]` is general vocabulary that every split may use. In a line, `{name}` is replaced by a line of that section (or by a
given value) and `(a|b)` by one of its parts.
"""
from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

WORDS = Path(__file__).parent / "words"
DEAL = ("train", "test", "train", "validation", "train", "test", "train", "test", "train", "validation")
Rules = dict[str, list[str]]
Row = TypeVar("Row")

CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
SLOT = re.compile(r"\{([\w.]+)\}")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|u[^ns]|un[^i]|hour|honest)(?!one\b|once\b|eu)")
SENTENCE_START = re.compile(r"(^|[.!?]\s+)([a-z])")


def sections(name: str) -> Rules:
    """All sections of `words/<name>.txt`; the names of shared ones keep their `=`."""
    rules: Rules = {}
    for line in (WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rules[key := line.strip("[]")] = []
        elif line.strip():
            rules[key].append(line.strip())
    return rules


def rules_of(name: str, split: str) -> Rules:
    """The sections one split may use: its share of each, and all of the shared ones."""
    return {key.lstrip("="): lines if key.startswith("=") else dealt(lines, split) for key, lines in sections(name).items()}


def dealt(lines: Sequence[str], split: str) -> list[str]:
    """The lines that fall to `split`: half of them to train, a fifth to validation, the rest to test."""
    return [line for number, line in enumerate(lines) if DEAL[number % len(DEAL)] == split]


class Grammar:
    """Expands frames with the rules of one split and its own random numbers."""

    def __init__(self, rules: Mapping[str, Sequence[str]], rng: random.Random) -> None:
        self.rules, self.rng = rules, rng

    def pick(self, name: str) -> str:
        return self.rng.choice(self.rules[name])

    def say(self, frame: str, given: Mapping[str, str] | None = None) -> str:
        """The frame with every choice made and every slot filled; `given` comes before the rules."""
        values = given or {}
        while (match := CHOICE.search(frame)) or (match := SLOT.search(frame)):
            inside = match.group(1)
            chosen = self.rng.choice(inside.split("|")) if match.re is CHOICE else values.get(inside) or self.pick(inside)
            frame = frame[:match.start()] + chosen + frame[match.end():]
        return ARTICLE.sub(r"\1n ", re.sub(r"  +", " ", frame)).replace("s's ", "s' ").strip()


def capitalised(text: str) -> str:
    """Every sentence begins with a capital letter."""
    return SENTENCE_START.sub(lambda match: match.group(1) + match.group(2).upper(), text)


def with_typos(text: str, rng: random.Random, share: float = 0.08) -> str:
    """Some longer words lose a letter or have two letters changed round."""
    words = text.split(" ")
    for number, word in enumerate(words):
        if len(word) > 5 and word.isalpha() and rng.random() < share:
            place = rng.randrange(1, len(word) - 2)
            swapped = word[:place] + word[place + 1] + word[place] + word[place + 2:]
            words[number] = rng.choice((swapped, word[:place] + word[place + 1:]))
    return " ".join(words)


def distinct(make: Callable[[], Row], count: int, seen: set[str], key: Callable[[Row], str] = str) -> list[Row]:
    """`count` rows of which no two, and none in `seen`, have the same key."""
    rows: list[Row] = []
    for _ in range(count * 200):
        row = make()
        if key(row) not in seen:
            seen.add(key(row))
            rows.append(row)
        if len(rows) == count:
            return rows
    raise ValueError(f"only {len(rows)} of {count} distinct rows: add frames or words")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file with a header row and LF line ends."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def jsonl_splits(
    folder: str, sizes: Mapping[str, int], seed: int, item: Callable[[Grammar], Row], key: Callable[[Row], str]
) -> dict[str, str]:
    """A file of distinct rows for every split, each by the split's own rules; no key stands in two of them."""
    made, seen = {}, set()
    for split, count in sizes.items():
        grammar = Grammar(rules_of(folder, split), random.Random(f"{seed} {split}"))
        made[f"{split}.jsonl"] = jsonl_text(distinct(partial(item, grammar), count, seen, key))
    return made


def jsonl_text(rows: Iterable[object]) -> str:
    """One JSON object per line, letters as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
