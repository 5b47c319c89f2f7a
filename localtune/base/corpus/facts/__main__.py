"""Writes the held-out fact questions: ``python -m localtune.base.corpus.facts [--output FILE]``."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path

from localtune.base.corpus.facts import RELATIONS, Fact, held_out_question

OUTPUT = Path(__file__).resolve().parents[4] / "data" / "evaluation" / "facts_heldout.jsonl"
ROWS = 200
SEED = 20260101


def spread(rng: random.Random) -> Iterator[Fact]:
    """Facts in turn from every relation, so that few rows cover many relations."""
    columns = [rng.sample(relation.facts, len(relation.facts)) for relation in RELATIONS.values()]
    return filter(None, chain.from_iterable(zip_longest(*columns)))


def rows(count: int = ROWS, seed: int = SEED) -> list[dict[str, object]]:
    """``count`` held-out questions with the answers that count as right."""
    rng = random.Random(seed)
    return [
        {
            "question": held_out_question(fact, rng.randrange(6)), "answer": fact.answer, "accept": list(fact.accept),
            "relation": fact.relation, "subject": fact.subject,
        }
        for fact in islice(spread(rng), count)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m localtune.base.corpus.facts", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="JSONL file to write")
    output = parser.parse_args().output
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows())
    output.write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
