"""What a check finds, the switches that bring the old tool's mistakes back, and the error for what cannot be mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


class PreparationError(ValueError):
    """The data cannot be prepared as they are; the message names the place and the cure."""


@dataclass(frozen=True)
class Mistakes:
    """Known mistakes of OpenAI's removed tool (`openai==0.28.1`, `fine_tunes.prepare_data`); True brings one back.

    stale_advice: every proposal is computed before the first fix and applied unchanged after the others.
    rows_by_label: the positions of over-long rows are taken for labels, so that after a removal others are dropped.
    any_shared_letters: whatever letters all texts begin or end with count as prefix, separator or stop sequence.
    careless_reading: texts such as "NA" or "None" in a table are read as nothing, a JSON null as the text "None".
    blank_completions: a completion of nothing but spaces is kept.
    careless_split: rows are split by chance alone: a class or a prompt may stand on the wrong side, or on both.
    """

    stale_advice: bool = False
    rows_by_label: bool = False
    any_shared_letters: bool = False
    careless_reading: bool = False
    blank_completions: bool = False
    careless_split: bool = False


MENDED = Mistakes()
LEGACY = Mistakes(True, True, True, True, True, True)


@dataclass(frozen=True)
class Finding:
    """What one check says about a table.

    message: what was found. remedy: what `apply` would do, both absent if there is nothing to do. necessary: the remedy
    is applied without asking. fatal: nothing can be done here; the message says what to do in the file.
    """

    check: str
    message: str
    remedy: str = ""
    apply: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    necessary: bool = False
    fatal: bool = False


def row_numbers(table: pd.DataFrame, where: pd.Series, most: int = 10) -> str:
    """The marked rows by their number in the file (the first example is 1), at most `most` of them in words."""
    numbers = [str(label + 1) for label in table.index[where]]
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return ("row " if len(numbers) == 1 else "rows ") + ", ".join(numbers[:most]) + more
