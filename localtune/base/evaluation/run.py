"""Evaluating: every task on the untuned base, on models tuned from it, and with simple baselines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localtune.base.evaluation.baselines import BASELINES
from localtune.base.evaluation.intervals import with_intervals
from localtune.base.evaluation.judges import Outcome
from localtune.base.evaluation.models import Settings, ask, tune
from localtune.base.evaluation.rows import Row, drawn
from localtune.base.evaluation.task import Task, outcomes
from localtune.base.evaluation.tasks import FACTS
from localtune.infer.engine import Engine

QUICK_ROWS = 60

Figure = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is evaluated: which base, how many tuned models, on which rows, at which settings."""

    base: Path
    seeds: int = 3
    quick: bool = False  # few held-out rows
    validation: bool = False  # the rows for choosing settings instead of the held-out ones
    settings: Settings = field(default_factory=Settings)

    def parts(self, task: Task) -> dict[str, list[Row]]:
        """The rows a task is judged on, by part. Raises FileNotFoundError where a file is missing."""
        sources = task.validation if self.validation else task.held_out
        return {name: drawn(source(), QUICK_ROWS if self.quick else None) for name, source in sources.items()}


@contextmanager
def running() -> Iterator[Engine]:
    engine = Engine()
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


def judged(engine: Engine, folder: Path, task: Task, rows: Sequence[Row]) -> list[Outcome]:
    """The model's greedy answers to the rows, judged."""
    answers = ask(engine, folder, map(task.request, rows), task.tokens, task.stop)
    return outcomes(task, rows, answers)


def evaluate_task(engine: Engine, plan: Plan, task: Task) -> dict[str, Any]:
    """All figures of a task: for every part those of the base, of tuned models and of the baselines; facts before, after."""
    training, parts = task.training_rows(), plan.parts(task)
    columns = {"base": {part: [judged(engine, plan.base, task, rows)] for part, rows in parts.items()}}
    result: dict[str, Any] = {"training rows": len(training), "rows": {part: len(rows) for part, rows in parts.items()}}
    if task.labels:
        columns |= baselines(task, training, parts)
    if training:
        columns["tuned"], result["facts"] = tuned_columns(engine, plan, task, training, parts)
    figures = {name: {part: with_intervals(runs, task.figures) for part, runs in column.items()}
               for name, column in columns.items()}
    return {**result, "settings": plan.settings.resolved(max(1, len(training))), "figures": figures}


def tuned_columns(
    engine: Engine, plan: Plan, task: Task, training: list[Row], parts: dict[str, list[Row]]
) -> tuple[dict[str, list[list[Outcome]]], Figure]:
    """Outcomes of one tuned model after the other, and what is left of the base's facts in them."""
    column: dict[str, list[list[Outcome]]] = {part: [] for part in parts}
    facts = drawn(FACTS.validation["new phrasings"](), QUICK_ROWS if plan.quick else None)
    afterwards = []
    lines = [task.line(row) for row in training]
    for seed in range(1, plan.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            tuned = tune(plan.base, lines, Path(folder), seed, plan.settings)
            for part, rows in parts.items():
                column[part].append(judged(engine, tuned, task, rows))
            afterwards.append(judged(engine, tuned, FACTS, facts))
            engine.unload(tuned)
    before = [judged(engine, plan.base, FACTS, facts)]
    return column, {"before": with_intervals(before, FACTS.figures)["fact"],
                    "after": with_intervals(afterwards, FACTS.figures)["fact"]}


def baselines(
    task: Task, training: list[Row], parts: dict[str, list[Row]]
) -> dict[str, dict[str, list[list[Outcome]]]]:
    """One column for every baseline, trained on the same rows."""
    columns = {}
    for name, fit in BASELINES.items():
        predict = fit(task, training)
        columns[name] = {part: [outcomes(task, rows, predict(rows))] for part, rows in parts.items()}
    return columns
