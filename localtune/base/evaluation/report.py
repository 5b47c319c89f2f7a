"""The figures as a file, and as a Markdown table for the model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from localtune.base.evaluation.run import Plan
from localtune.base.evaluation.task import Task

COLUMNS = ("base", "tuned", "majority", "TF-IDF")
HEAD = ("task", "rows", "held out", "figure", "to reach", *COLUMNS, "facts after")


def fingerprint(plan: Plan, chat: bool) -> dict[str, Any]:
    """What figures must have in common to stand in one table."""
    weights = hashlib.sha256((plan.base / "model.safetensors").read_bytes()).hexdigest()
    kind = {"seeds": plan.seeds, "quick": plan.quick, "validation": plan.validation, "chat": chat}
    return {"weights": weights, **kind, "settings": vars(plan.settings)}


class Report:
    """`figures.json` and `figures.md` in a folder, written after every task; figures of the same kind are kept."""

    def __init__(self, folder: Path, tasks: Sequence[Task], kind: dict[str, Any]) -> None:
        self.folder, self.tasks, self.kind = folder, tasks, kind
        self.folder.mkdir(parents=True, exist_ok=True)
        self.figures: dict[str, Any] = self._stored()

    def _stored(self) -> dict[str, Any]:
        path = self.folder / "figures.json"
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return stored["tasks"] if stored.get("kind") == self.kind else {}

    def add(self, task: Task, result: dict[str, Any]) -> None:
        self.figures[task.name] = result
        content = {"kind": self.kind, "tasks": self.figures}
        (self.folder / "figures.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        (self.folder / "figures.md").write_text(self.markdown() + "\n", encoding="utf-8")

    def markdown(self) -> str:
        done = [task for task in self.tasks if task.name in self.figures]
        return aligned([HEAD, *(line for task in done for line in lines(task, self.figures[task.name]))])


def lines(task: Task, result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """One line for every figure of every part; the task's main figure comes first."""
    for part, count in result["rows"].items():
        names = result["figures"]["base"][part]
        for name in sorted(names, key=lambda name: name != task.main):
            cells = (cell(result["figures"].get(column, {}).get(part, {}).get(name)) for column in COLUMNS)
            aim = task.aims.get(f"{part}: {name}")
            reach = f"{aim:.2f}" if aim else ""
            after = facts(result) if name == task.main else ""
            yield (task.name, str(result["training rows"]), f"{part} ({count})", name, reach, *cells, after)


def cell(figure: dict[str, Any] | None) -> str:
    return f"{figure['mean']:.2f} ({figure['low']:.2f}–{figure['high']:.2f})" if figure else ""


def facts(result: dict[str, Any]) -> str:
    """Facts in new phrasings after the job, and the difference it made."""
    if "facts" not in result:
        return ""
    before, after = result["facts"]["before"]["mean"], result["facts"]["after"]["mean"]
    return f"{after:.2f} ({after - before:+.2f})"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * width for width in widths]
    shown = [rows[0], rule, *rows[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in shown)
