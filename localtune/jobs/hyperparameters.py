"""What "auto" means, and what of the small base a job changes: rules that choose from the number of examples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FEW = 100  # examples


def resolve(asked: Mapping[str, Any], n_examples: int) -> dict[str, Any]:
    """Replace every "auto" by a number; numbers stay as they are."""
    automatic = {
        "n_epochs": auto_epochs(n_examples),
        "batch_size": auto_batch_size(n_examples),
        "learning_rate_multiplier": 1.0,
    }
    return {name: automatic[name] if asked[name] == "auto" else asked[name] for name in automatic}


def auto_epochs(n_examples: int) -> int:
    """Three; more for few examples (about 100 seen in all, each at most 25 times), fewer for very many."""
    if 3 * n_examples < 100:
        return min(25, 100 // n_examples)
    if 3 * n_examples > 25_000:
        return max(1, 25_000 // n_examples)
    return 3


def auto_batch_size(n_examples: int) -> int:
    """One up to 100 examples, then about 100 steps an epoch, at most 16 examples a step.

    A small set needs every update it can get. In a large one the updates suffice, and short examples side by side use
    the processor better; beyond 16 that gain ends and only updates are lost.
    """
    return min(16, math.ceil(n_examples / FEW))


def trained_part(n_examples: int) -> str:
    """A key of `train.optimiser.TRAINED`: the upper half of the layers for few examples, else all of them.

    A manner, learnt from ten rows, sits above what is known. To copy or compare, all layers have to learn (docs/log.md).
    """
    return "upper half" if n_examples < FEW else "layers"
