"""How good is a classification, how sure can we be of it, and do its probabilities mean what they say?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import fbeta_score, precision_recall_curve

NO_LABEL = "no label"  # stands for an answer that is none of the labels: it counts as wrong
Metric = Callable[[Any, Any], float]


@dataclass(frozen=True)
class Interval:
    """A measured value and its 95 % interval [`low`, `high`], from `n` rows."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} (95 %: {self.low:.3f}–{self.high:.3f}, n = {self.n})"


def interval(metric: Metric, truth: Sequence[Any], predicted: Sequence[Any], samples: int = 1000, seed: int = 0) -> Interval:
    """`metric(truth, predicted)` with the percentile bootstrap's 95 % interval: rows are drawn again, with replacement.

    Metrics: `accuracy`, `weighted_f1`, `f_beta(…)`, scikit-learn's of (truth, score). A missing prediction is a label
    of its own, hence wrong. Draws on which the metric is not defined (one class only) are left out.
    """
    pairs = _filled(truth), _filled(predicted)
    if len(pairs[0]) != len(pairs[1]) or not len(pairs[0]):
        raise ValueError(f"need as many predictions as labels, and at least one: {len(pairs[1])} for {len(pairs[0])}")
    draws = np.random.default_rng(seed).integers(len(pairs[0]), size=(samples, len(pairs[0])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        found = [metric(*(values[draw] for values in pairs)) for draw in draws]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Interval(float(metric(*pairs)), float(low), float(high), len(pairs[0]))


def signed(change: float) -> str:
    """A change with its sign, as "+0.03"; one that rounds to nothing is "0.00", whatever its sign."""
    text = f"{change:+.2f}"
    return text if float(text) else text[1:]


def accuracy(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Share of the rows whose prediction is right; a missing prediction is wrong."""
    return float(np.mean(_filled(truth) == _filled(predicted)))


def weighted_f1(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
    """F1 of every label, averaged with the labels' numbers of rows as weights."""
    labels, numbers = np.unique(np.concatenate([_filled(truth), _filled(predicted)]), return_inverse=True)
    true, said = np.split(numbers, 2)  # by hand: a bootstrap asks hundreds of times, and f1_score takes ten times as long
    rows, answers, hits = (np.bincount(found, minlength=len(labels)) for found in (true, said, true[true == said]))
    return float(np.average(2 * hits / (rows + answers), weights=rows))


def f_beta(positive: Any, beta: float = 1.0) -> Metric:
    """The F-beta of one label against all others, as a metric; recall counts `beta` times as much as precision."""

    def metric(truth: Sequence[Any], predicted: Sequence[Any]) -> float:
        pairs = (_filled(values) == positive for values in (truth, predicted))
        return float(fbeta_score(*pairs, beta=beta, zero_division=0))

    return metric


@dataclass(frozen=True)
class Paired:
    """Two classifiers on the same rows: on how many only one of them is right, and the p-value of "equally good"."""

    only_first: int
    only_second: int
    both: int
    neither: int
    p_value: float

    def __str__(self) -> str:
        return f"only the first right: {self.only_first}, only the second: {self.only_second}, p = {self.p_value:.2g}"


def mcnemar(truth: Sequence[Any], first: Sequence[Any], second: Sequence[Any], alternative: str = "two-sided") -> Paired:
    """McNemar's exact test: among the rows on which exactly one is right, is it as often the first as the second?

    Every such row is a coin toss if both are equally good, so the p-value is binomial. `alternative="greater"` asks
    whether the first is better. No such row: p = 1. (McNemar 1947, in its exact form.)
    """
    one, other = (_filled(truth) == _filled(labels) for labels in (first, second))
    a, b = int(np.sum(one & ~other)), int(np.sum(~one & other))
    p = float(binomtest(a, a + b, 0.5, alternative).pvalue) if a + b else 1.0
    return Paired(a, b, int(np.sum(one & other)), int(np.sum(~one & ~other)), p)


def reliability(happened: Sequence[bool], probability: Sequence[float], bins: int = 10) -> pd.DataFrame:
    """Points of a reliability diagram: probabilities in equally wide bins, empty ones left out.

    One line per bin: `low`, `high`, `n`, `predicted` (mean probability) and `observed` (share of what happened). Rows
    without a probability (NaN) are left out. Raises ValueError for probabilities outside 0 to 1.
    """
    table = pd.DataFrame({"observed": np.asarray(happened, float), "predicted": np.asarray(probability, float)}).dropna()
    if not table["predicted"].between(0, 1).all():
        raise ValueError("probabilities lie between 0 and 1: are these log-probabilities?")
    table["bin"] = np.minimum((table["predicted"] * bins).astype(int), bins - 1)
    points = table.groupby("bin").agg(n=("observed", "size"), predicted=("predicted", "mean"), observed=("observed", "mean"))
    ends = pd.DataFrame({"low": points.index / bins, "high": (points.index + 1) / bins}, index=points.index)
    return ends.join(points).reset_index(drop=True)


def calibration_error(happened: Sequence[bool], probability: Sequence[float], bins: int = 10) -> float:
    """Expected calibration error: mean distance of `observed` and `predicted` over the bins, weighted by their rows.

    0 is perfect. NaN if no row has a probability. (Naeini et al. 2015; Guo et al. 2017.)
    """
    points = reliability(happened, probability, bins)
    gaps = (points["observed"] - points["predicted"]).abs()
    return float((gaps * points["n"]).sum() / points["n"].sum()) if len(points) else float("nan")


@dataclass(frozen=True)
class Threshold:
    """From `value` on a score counts as positive; `f`, `precision` and `recall` are those on the rows it was chosen by."""

    value: float
    f: float
    precision: float
    recall: float


def best_threshold(happened: Sequence[bool], score: Sequence[float], beta: float = 1.0) -> Threshold:
    """The threshold with the highest F-beta; choose it on validation rows. Of equally good ones the highest.

    Raises ValueError if nothing positive is among the rows.
    """
    if not np.any(happened):
        raise ValueError("no positive row: a threshold cannot be chosen")
    precision, recall, values = precision_recall_curve(np.asarray(happened, bool), np.asarray(score, float))
    precision, recall, weight = precision[:-1], recall[:-1], beta * beta  # the last point has no threshold
    bottom = weight * precision + recall
    f = np.divide((1 + weight) * precision * recall, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    best = len(f) - 1 - int(np.argmax(f[::-1]))
    return Threshold(float(values[best]), float(f[best]), float(precision[best]), float(recall[best]))


def _filled(values: Sequence[Any]) -> Any:
    """An array with `NO_LABEL` where there is none; numbers stay numbers."""
    array = np.asarray(values)
    return np.where(pd.isna(array), NO_LABEL, array).astype(str) if array.dtype == object else array
