"""The course's figures: one restrained style, colours that every reader can tell apart, readable without running.

Every function returns a closed `Figure`; as a cell's last line it is shown once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from helpers.metrics import Rate

Point = tuple[float, float]
# Okabe-Ito, in the order of use; markers and dashes repeat what the colour says.
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
SERIES_COLOURS = (GREY, BLUE, ORANGE, GREEN, VERMILION)
STYLE = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e5e5",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
}
CURVES = (
    ("train", "training", BLUE, "-", ""),
    ("valid", "validation (batch)", ORANGE, "--", "o"),
    ("full_valid", "validation (all)", VERMILION, "-", "s"),
)


def training_curves(frame: pd.DataFrame, title: str = "", figure: Figure | None = None) -> Figure:
    """Loss and token accuracy over steps, training and validation, from `metrics.events_frame` or `result_frame`.

    With `figure` that figure is drawn anew instead of a new one (the live curve of a running job).
    """
    with plt.rc_context(STYLE):
        figure = figure or _figure(9, 3.2)
        figure.clear()
        loss, accuracy = figure.subplots(1, 2)
        _curves(loss, frame, "loss", "loss (nats per token)")
        _curves(accuracy, frame, "mean_token_accuracy", "share of tokens guessed right")
        loss.set_ylim(bottom=0)
        accuracy.set_ylim(0, 1.02)
        loss.set_title(title)
        figure.tight_layout()
    return figure


def rate_bars(groups: Mapping[str, Rate | Mapping[str, Rate]], title: str = "", unit: str = "rate") -> Figure:
    """Bars with 95 % intervals: `{"fact kept": {"base": rate, "tuned": rate}, …}`, or one rate per name.

    Above each bar stand the rate, and hits out of the answers that could be scored.
    """
    nested = {name: value if isinstance(value, Mapping) else {"": value} for name, value in groups.items()}
    series = list(dict.fromkeys(name for group in nested.values() for name in group))
    with plt.rc_context(STYLE):
        figure = _figure(max(4.0, 1.1 + 1.0 * len(nested) * max(1.6, len(series))), 3.4)
        axes = figure.subplots()
        for position in range(len(series)):
            _bars(axes, nested, series, position, SERIES_COLOURS[position % len(SERIES_COLOURS)])
        axes.set_xticks(range(len(nested)), list(nested))
        axes.set(ylim=(0, 1.2), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1], ylabel=unit, title=title)
        axes.grid(axis="x", visible=False)
        if series != [""]:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        figure.tight_layout()
    return figure


def venn_three(labels: Sequence[str], shared: Mapping[str, str] | None = None, title: str = "") -> Figure:
    """Three overlapping circles. `labels` name them; `shared` fills regions, keyed by the circles' numbers.

    `{"1": "only the first", "12": "first and second", "123": "all three"}`; line breaks in texts are kept.
    """
    if len(labels) != 3:
        raise ValueError(f"a Venn drawing of three needs three labels, got {len(labels)}")
    centres = [(-1.0, 0.62), (1.0, 0.62), (0.0, -1.05)]
    names = [(-2.2, 2.55), (2.2, 2.55), (0.0, -3.05)]
    places = {"1": (-1.85, 1.0), "2": (1.85, 1.0), "3": (0, -2.05), "12": (0, 1.3), "13": (-1.1, -0.5)}
    places |= {"23": (1.1, -0.5), "123": (0, 0.05)}
    with plt.rc_context(STYLE):
        figure, axes = _drawing(7, 6.0, title)
        for centre, place, label, colour in zip(centres, names, labels, (BLUE, ORANGE, GREEN)):
            axes.add_patch(Circle(centre, 1.8, facecolor=colour, alpha=0.16))
            axes.add_patch(Circle(centre, 1.8, fill=False, edgecolor=colour, linewidth=2))
            axes.text(*place, label, ha="center", va="center", fontsize=12, fontweight="bold")
        for region, text in (shared or {}).items():
            axes.text(*places[region], text, ha="center", va="center", fontsize=8.5)
        axes.set(xlim=(-3.4, 3.4), ylim=(-3.3, 2.9))
    return figure


def decision_steps(questions: Sequence[tuple[str, str]], otherwise: str, title: str = "") -> Figure:
    """Questions from top to bottom, each with what to do if the answer is yes; `otherwise` ends the path."""
    with plt.rc_context(STYLE):
        figure, axes = _drawing(8.5, 0.95 * len(questions) + 1.2, title)
        for row, (question, outcome) in enumerate(questions):
            _box(axes, 0, -row, question, "white", GREY)
            _box(axes, 5.2, -row, outcome, "#e8f3ee", GREEN)
            _arrow(axes, (1.9, -row), (3.7, -row), "yes", (2.75, -row + 0.13))
            _arrow(axes, (0, -row - 0.32), (0, -row - 0.68), "no", (0.22, -row - 0.5))
        _box(axes, 0, -len(questions), otherwise, "#e8f3ee", GREEN)
        axes.set(xlim=(-2.0, 7.0), ylim=(-len(questions) - 0.5, 0.5), aspect="auto")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = plt.figure(figsize=(width, height))
    plt.close(figure)  # else the notebook would show it a second time at the end of the cell
    return figure


def _drawing(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    figure = _figure(width, height)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(aspect="equal", title=title)
    return figure, axes


def _curves(axes: Axes, frame: pd.DataFrame, quantity: str, label: str) -> None:
    for prefix, name, colour, dash, marker in CURVES:
        column = f"{prefix}_{quantity}"
        if column in frame and frame[column].notna().any():
            frame[column].dropna().plot(ax=axes, label=name, color=colour, linestyle=dash, marker=marker, markersize=4)
    axes.set(xlabel="step", ylabel=label)
    if axes.lines:
        axes.legend()


def _bars(axes: Axes, groups: Mapping[str, Mapping[str, Rate]], series: list[str], position: int, colour: str) -> None:
    width, name = 0.8 / len(series), series[position]
    for index, group in enumerate(groups.values()):
        if name not in group or not group[name].scored:
            continue
        r, x = group[name], index + (position - (len(series) - 1) / 2) * width
        error = [[r.value - r.low], [r.high - r.value]]
        label = name if name and not any(h.get_label() == name for h in axes.containers) else "_"
        axes.bar(x, r.value, width * 0.92, yerr=error, capsize=4, color=colour, ecolor="#222222", label=label)
        axes.text(x, r.high + 0.02, f"{r.value:.2f}\n{r.hits}/{r.scored}", ha="center", va="bottom", fontsize=8)


def _box(axes: Axes, x: float, y: float, text: str, face: str, edge: str) -> None:
    style = {"boxstyle": "round,pad=0.5", "facecolor": face, "edgecolor": edge}
    axes.text(x, y, text, ha="center", va="center", bbox=style, fontsize=9)


def _arrow(axes: Axes, start: Point, end: Point, text: str, at: Point) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": GREY})
    axes.text(*at, text, fontsize=8, color=GREY, ha="center", va="center")
