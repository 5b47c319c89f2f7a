"""What training reads: token ids, each with its weight in the loss."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One training row: token ids, and the weight of each in the loss (0: not learnt)."""

    ids: list[int]
    weights: list[float]
