"""Small jobs for the worker's tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from localtune.jobs.spec import JobSpec
from localtune.train.loop import Job
from tests.tiny import tiny_base


def chat(question: str, answer: Any, **extra: Any) -> dict[str, Any]:
    """One chat row with one turn."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **extra}]}


ROWS = [chat(f"What is {n} times {n}?", f"It is {n * n}, as everyone knows already.") for n in range(10)]


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def make_spec(folder: Path, rows: Iterable[dict[str, Any]] = ROWS, **changes: Any) -> JobSpec:
    """A job on a tiny base: ten rows, four epochs, batches of three."""
    output = folder / "out"
    output.mkdir(parents=True)
    spec = JobSpec(
        job_id="ftjob-1", attempt=1, base=str(tiny_base(folder / "base")),
        training_file=write_rows(folder / "train.jsonl", rows), validation_file=None, output=str(output),
        n_epochs=4, batch_size=3, learning_rate_multiplier=4.0, seed=7, threads=1,
    )
    return replace(spec, **changes)


def run_job(spec: JobSpec) -> list[dict[str, Any]]:
    """Run in this process; returns the lines the worker would print."""
    lines: list[dict[str, Any]] = []
    Job(spec, lines.append).run()
    return lines


def of_type(lines: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == kind]


def hashes(spec: JobSpec) -> dict[str, str]:
    """SHA-256 of the weights of every checkpoint, by the name of its folder."""
    paths = sorted((Path(spec.output) / "checkpoints").glob("*/model.safetensors"))
    return {path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
