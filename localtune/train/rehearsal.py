"""Rows of the base's corpus beside a job's own: what is never said again is forgotten.

Catastrophic forgetting is what happens to a small model that learns a few hundred rows with all of its layers; rehearsing
a little of the old among the new is its oldest cure (Robins, 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localtune.train.data import Example, epoch_order, example_of, tokenise

if TYPE_CHECKING:
    from localtune.train.subject import ChatTokenizer

EVERY = 4  # own examples for each row that is rehearsed
WEIGHT = 0.25  # of its loss beside that of the own examples (docs/log.md)


class Rehearsal:
    """The rows of a JSONL file in a job's own order; without a file there are none."""

    def __init__(self, path: Path | None, tokenizer: ChatTokenizer, context: int, seed: int, examples: int) -> None:
        """`examples` is how many the job will see of its own, all epochs together; no more rows are read than that needs."""
        lines = path.read_text(encoding="utf-8").splitlines() if path else []
        order = epoch_order(len(lines), seed, 0)[: examples // EVERY + 1]
        read = (tokenise(json.loads(lines[n]), tokenizer) for n in order)
        cut = (example_of(ids[:context], mask[:context]) for ids, mask in read)
        self.rows: Sequence[Example] = [row for row in cut if row.learnt]

    def beside(self, step: int, batch_size: int) -> Sequence[Example]:
        """What comes with the batch after `step` steps."""
        if not self.rows:
            return ()
        numbers = range(step * batch_size // EVERY, (step + 1) * batch_size // EVERY)
        return [self.rows[n % len(self.rows)] for n in numbers]
