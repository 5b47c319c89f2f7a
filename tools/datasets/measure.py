"""What a bag of words reaches on the classification sets, as their cards say: `python -m tools.datasets.measure`."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localtune.base.evaluation.baselines import tf_idf
from localtune.base.evaluation.task import Task, outcomes
from localtune.base.evaluation.tasks import SENTIMENT, TRIAGE

RUNS = ((SENTIMENT, 200), (SENTIMENT, 1_000), (TRIAGE, 2_000))


def figures(task: Task, count: int) -> dict[str, float]:
    """The task's main figure on every part, of TF-IDF with logistic regression trained on `count` of its rows."""
    predict = tf_idf(task, replace(task, n=count).training_rows())
    return {part: task.figures(outcomes(task, rows, predict(rows)))[task.main]
            for part, source in {**task.held_out, **task.validation}.items() for rows in [source()]}


def line(task: Task, count: int) -> str:
    parts = ", ".join(f"{part} {value:.2f}" for part, value in figures(task, count).items())
    return f"{task.name}, {count:,} rows, {task.main}: {parts}"


def main(runs: Sequence[tuple[Task, int]] = RUNS) -> None:
    for task, count in runs:
        print(line(task, count))


if __name__ == "__main__":
    main()
