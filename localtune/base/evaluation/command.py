"""`python -m localtune.base evaluate`: options, and what they start."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from localtune.base.evaluation.models import Settings
from localtune.base.evaluation.report import Report, fingerprint
from localtune.base.evaluation.run import Plan, evaluate_task, running
from localtune.base.evaluation.sweep import sweep
from localtune.base.evaluation.task import Task
from localtune.base.evaluation.tasks import table


def evaluate(given: argparse.Namespace) -> None:
    """Do what the options of `options.add_options` ask for."""
    settings = Settings(given.epochs, given.batch, given.multiplier, given.trained)
    plan = Plan(given.base.resolve(), given.seeds, given.quick, given.validation, settings)
    every = [replace(task, chat=task.chat or given.chat) for task in table(given.reviews, given.natural)]
    tasks = chosen(every, given.tasks)
    if given.sweep:
        sweep(plan, [task for task in tasks if task.training is not list], given.sweep, given.out)
        return
    report = Report(given.out, every, fingerprint(plan, given.chat))
    with running() as engine:
        for task in tasks:
            try:
                report.add(task, evaluate_task(engine, plan, task))
            except FileNotFoundError as missing:
                print(f"{task.name}: left out, there is no {missing.filename}", file=sys.stderr)
            print(f"{task.name}: done", file=sys.stderr, flush=True)
    print(report.markdown())


def chosen(tasks: Sequence[Task], names: str | None) -> list[Task]:
    """The tasks whose names begin with one of `names`; exits with the list for a name that none has."""
    wanted = names.split(",") if names else [""]
    for name in wanted:
        if not any(task.name.startswith(name) for task in tasks):
            sys.exit(f"no task {name!r}; there are: {', '.join(task.name for task in tasks)}")
    return [task for task in tasks if task.name.startswith(tuple(wanted))]
