"""Figures of several runs with bootstrap intervals over the questions (Efron 1979, percentile method)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import mean
from typing import Any

from localtune.base.evaluation.judges import Figures, Outcome

RESAMPLES = 1_000
LEVEL = 0.95


def with_intervals(runs: Sequence[Sequence[Outcome]], figures: Figures) -> dict[str, dict[str, Any]]:
    """Mean over the runs of every figure, its interval, and what each run gave.

    Every resample draws the same questions from all runs: the interval is about other questions, the spread of the runs
    about other seeds.
    """
    seeds = [figures(run) for run in runs]
    resampled = [mean_figures(runs, figures, draw) for draw in draws(len(runs[0]))]
    return {name: summary([seed[name] for seed in seeds], [one[name] for one in resampled]) for name in seeds[0]}


def mean_figures(runs: Sequence[Sequence[Outcome]], figures: Figures, chosen: Sequence[int]) -> dict[str, float]:
    each = [figures([run[n] for n in chosen]) for run in runs]
    return {name: mean(one[name] for one in each) for name in each[0]}


def draws(n: int) -> list[list[int]]:
    rng = random.Random(0)
    return [rng.choices(range(n), k=n) for _ in range(RESAMPLES)]


def summary(seeds: Sequence[float], resampled: Sequence[float]) -> dict[str, Any]:
    ordered, tail = sorted(resampled), (1 - LEVEL) / 2
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in (tail, 1 - tail))
    return {"mean": round(mean(seeds), 4), "low": round(low, 4), "high": round(high, 4), "seeds": [round(s, 4) for s in seeds]}
