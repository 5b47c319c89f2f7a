"""Figures of a classification, in the style of `plots`. Every function returns a closed `Figure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import auc, average_precision_score, confusion_matrix, precision_recall_curve, roc_curve

from helpers.plots import BLUE, GREY, SERIES_COLOURS, STYLE
from helpers.scoring import NO_LABEL, Interval, reliability

DASHES = ("-", "--", "-.", ":")
Scores = Mapping[str, tuple[Sequence[bool], Sequence[float]]]  # of each series: what happened, the probability of it


def reliability_diagram(series: Scores, bins: int = 10, title: str = "") -> Figure:
    """Observed share over predicted probability, one line per series, larger points for more rows; below, how many rows."""
    with plt.rc_context(STYLE):
        figure = _figure(5, 5.2)
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.plot([0, 1], [0, 1], color="black", linestyle=":", label="perfect")
        for (name, pair), (colour, dash) in zip(series.items(), _looks()):
            points = reliability(*pair, bins=bins)
            axes.plot(points["predicted"], points["observed"], color=colour, linestyle=dash, label=name)
            axes.scatter(points["predicted"], points["observed"], 15 + 150 * points["n"] / points["n"].sum(), color=colour)
            counts.step([*points["low"], 1], [*points["n"], points["n"].iloc[-1]], where="post", color=colour, linestyle=dash)
        axes.set(ylabel="share observed", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title=title)
        counts.set(xlabel="probability predicted", ylabel="rows")
        axes.legend()
        figure.tight_layout()
    return figure


def roc_and_precision_recall(series: Scores, title: str = "") -> Figure:
    """Left the ROC curve with its area (AUROC), right precision over recall with its area (AUPRC), and what luck gives."""
    with plt.rc_context(STYLE):
        figure = _figure(9.5, 4.2)
        roc, pr = figure.subplots(1, 2)
        roc.plot([0, 1], [0, 1], color="black", linestyle=":", label="luck: 0.500")
        for (name, (happened, score)), (colour, dash) in zip(series.items(), _looks()):
            wrong, right, _ = roc_curve(happened, score)
            roc.plot(wrong, right, color=colour, linestyle=dash, label=f"{name}: {auc(wrong, right):.3f}")
            precision, recall, _ = precision_recall_curve(happened, score)
            area = average_precision_score(happened, score)
            pr.step(recall, precision, where="post", color=colour, linestyle=dash, label=f"{name}: {area:.3f}")
        for share in sorted({round(float(np.mean(happened)), 3) for happened, _ in series.values()}):
            pr.axhline(share, color="black", linestyle=":", label=f"luck: {share:.3f}")
        roc.set(xlabel="false positive rate", ylabel="true positive rate (recall)", title=title or "ROC")
        pr.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02), title="precision–recall")
        roc.legend(title="AUROC", loc="lower right")
        pr.legend(title="AUPRC", loc="lower left")
        figure.tight_layout()
    return figure


def confusion(truth: Sequence[str], predicted: Sequence[str | None], labels: Sequence[str], title: str = "") -> Figure:
    """Rows are the true labels, columns the predicted ones, cells counts; answers without a label get a column of their own."""
    given = [label if label in labels else NO_LABEL for label in predicted]
    columns = [*labels, *([NO_LABEL] if NO_LABEL in given else [])]
    counts = confusion_matrix(list(truth), given, labels=columns)[: len(labels)]
    with plt.rc_context({**STYLE, "axes.grid": False}):
        size = max(3.2, 0.34 * len(columns) + 1.8)
        figure = _figure(size, size * 0.9)
        axes = figure.subplots()
        axes.imshow(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        _numbers(axes, counts, 10 if len(labels) <= 5 else 7)
        axes.set_xticks(range(len(columns)), columns, rotation=0 if len(columns) <= 5 else 90)
        axes.set_yticks(range(len(labels)), labels)
        axes.set(xlabel="predicted", ylabel="true", title=title)
        figure.tight_layout()
    return figure


def learning_curves(
    curves: Mapping[str, Mapping[int, Interval]],
    lines: Mapping[str, float] | None = None,
    title: str = "",
    unit: str = "accuracy",
) -> Figure:
    """A score with its 95 % interval over the number of training rows (each step doubles them), baselines as dotted lines."""
    with plt.rc_context(STYLE):
        figure = _figure(7, 3.8)
        axes = figure.subplots()
        for (name, curve), (colour, dash) in zip(curves.items(), _looks()):
            frame = pd.DataFrame({size: (i.value, i.low, i.high) for size, i in sorted(curve.items())}).T
            axes.plot(frame.index, frame[0], color=colour, linestyle=dash, marker="o", label=name)
            axes.fill_between(frame.index, frame[1], frame[2], color=colour, alpha=0.15)
        for (name, value), colour in zip((lines or {}).items(), (GREY, *SERIES_COLOURS[::-1])):
            axes.axhline(value, color=colour, linestyle=":", label=f"{name}: {value:.2f}")
        sizes = sorted({size for curve in curves.values() for size in curve})
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set(xlabel="training rows", ylabel=unit, ylim=(0, 1.02), title=title)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        figure.tight_layout()
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = plt.figure(figsize=(width, height))
    plt.close(figure)  # else the notebook would show it a second time at the end of the cell
    return figure


def _looks() -> list[tuple[str, str]]:
    """Colour and dash of each series: what the colour says is repeated for who cannot tell it."""
    colours = [BLUE, *(colour for colour in SERIES_COLOURS if colour not in (BLUE, GREY)), GREY]
    return [(colour, DASHES[n % len(DASHES)]) for n, colour in enumerate(colours)]


def _numbers(axes: Axes, counts: np.ndarray, size: int) -> None:
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, count, ha="center", va="center", size=size, color=ink)
