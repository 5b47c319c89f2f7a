"""Sweeps: the main figure of tasks at every combination of some settings, on rows that no last look uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from localtune.base.evaluation.models import Settings
from localtune.base.evaluation.report import aligned, cell
from localtune.base.evaluation.run import Plan, evaluate_task, running
from localtune.base.evaluation.task import Task
from localtune.train.optimiser import TRAINED

NAMES = {
    "multipliers": ("learning_rate_multiplier", float), "epochs": ("n_epochs", int), "batches": ("batch_size", int),
    "trained": ("trained", str),
}
HEAD = ("task", *NAMES, "figure", "tuned", "by seed", "facts after")


def combinations(start: Settings, asked: Sequence[str]) -> Iterator[Settings]:
    """All settings that `asked` spans, such as "multipliers=0.5,1" and "trained=upper half,all".

    Raises ValueError for a name or a value that does not exist.
    """
    spans: dict[str, list[Any]] = {}
    for item in asked:
        name, _, values = item.partition("=")
        if name not in NAMES or not values:
            raise ValueError(f"{item!r}: write NAME=VALUE,VALUE with a name of {', '.join(NAMES)}")
        option, kind = NAMES[name]
        spans[option] = [kind(value) for value in values.split(",")]
    if unknown := set(spans.get("trained", ())).difference(TRAINED):
        raise ValueError(f"trained: {', '.join(unknown)} is none of {', '.join(TRAINED)}")
    return (replace(start, **dict(zip(spans, values))) for values in product(*spans.values()))


def sweep(plan: Plan, tasks: Sequence[Task], asked: Sequence[str], output: Path) -> None:
    """Print a table as it grows, and keep it in `output`."""
    plans = [replace(plan, validation=True, settings=settings) for settings in combinations(plan.settings, asked)]
    rows: list[tuple[str, ...]] = [HEAD]
    with running() as engine:
        for task in tasks:
            for one in plans:
                rows.append(row(task, evaluate_task(engine, one, task)))
                print(" | ".join(rows[-1]), flush=True)
                output.mkdir(parents=True, exist_ok=True)
                (output / "sweep.md").write_text(aligned(rows) + "\n", encoding="utf-8")


def row(task: Task, result: dict[str, Any]) -> tuple[str, ...]:
    """A setting's line: the task's main figure on its first part."""
    figure = next(iter(result["figures"]["tuned"].values()))[task.main]
    used = (str(result["settings"][option]) for option, _ in NAMES.values())
    seeds = ", ".join(f"{seed:.2f}" for seed in figure["seeds"])
    return (task.name, *used, task.main, cell(figure), seeds, f"{result['facts']['after']['mean']:.2f}")
