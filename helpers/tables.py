"""The course's three tables as data frames: models, prices and providers (folder `data/`).

Model names, dates and prices live there and nowhere else, each with the day on which it was collected.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / name, encoding="utf-8", keep_default_na=False, na_values=[""])


def models() -> pd.DataFrame:
    """One row per model name: id, context, encoding, fine_tunable, shutdown_date, local_base, note."""
    return _read("models.csv").copy()


def prices() -> pd.DataFrame:
    """US dollars for training (per `unit`) and for using a fine-tuned model (per million tokens).

    `example_limit`: tokens of one training example that are learnt from and billed; the rest is cut off.
    """
    return _read("prices.csv").copy()


def providers() -> pd.DataFrame:
    """Providers with a fine-tuning API, and whether the `openai` SDK can talk to it unchanged."""
    return _read("providers.csv").copy()


def base_of(model: str) -> str:
    """Name of the model that was fine-tuned; a base model's own name comes back unchanged.

    Knows today's form (`ft:BASE:org:suffix:id`), Azure's (`BASE.ft-hex`) and the legacy one (`BASE:ft-org-…`).
    """
    if model.startswith("ft:"):
        return model.split(":")[1]
    return model.split(".ft-")[0].split(":ft-")[0]


def model_row(model: str) -> pd.Series | None:
    """The row of `models()` for a base or fine-tuned model, or None if the table does not know it."""
    table = models()
    found = table[table["id"] == base_of(model)]
    return None if found.empty else found.iloc[0]
