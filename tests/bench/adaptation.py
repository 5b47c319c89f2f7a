"""LoRA and full tuning of the embedded base, given as an open-weight model: learning rates, sizes, seconds, quality.

    python3 start.py bench adaptation [--tasks Marv sentiment] [--methods lora full] [--rates 2e-4 1e-3] [--seeds 3]

Every job runs as an open-weight one: transformers, peft, all of the model in reach. Afterwards its weights (an adapter's merged
with the base) answer by the embedded engine, which is faster and says the same. Rates are to be chosen by the first column,
whose rows nothing else is judged on (the personas have no such rows). A run that was broken off goes on where it was: what is
measured is in build/adaptation.jsonl, and the table is of everything in there.
"""
from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from localtune.base.evaluation.models import Settings
from localtune.base.evaluation.run import judged, running
from localtune.base.evaluation.task import Task
from localtune.base.evaluation.tasks import FACTS, MARV, SENTIMENT, persona
from localtune.config import DATA
from localtune.infer.engine import Engine
from localtune.jobs.spec import JobSpec
from localtune.model.llama import load_llama, save_llama
from localtune.openweight.adapt import PEAK_RATES
from localtune.openweight.folder import is_adapter
from localtune.openweight.load import load_model
from localtune.train.loop import Job

BASE = DATA / "base" / "small"
MEASURED = Path(__file__).resolve().parents[2] / "build" / "adaptation.jsonl"
TASKS = {"Marv": persona(MARV, 0.8), "sentiment": SENTIMENT}
RATES = {"lora": (2e-4, 1e-3, 5e-3, 1e-2), "full": (2e-5, 1e-4, 5e-4, 1e-3)}
Key = tuple[str, str, float]
Line = dict[str, Any]


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, str, float, int]]:
    """Task, method, rate and seed of every job; one seed after the other, so that a table is never one-sided for long."""
    for seed in range(1, options.seeds + 1):
        for task in options.tasks:
            for method in options.methods:
                for rate in options.rates or RATES[method]:
                    yield task, method, rate, seed


def measure(engine: Engine, name: str, method: str, rate: float, seed: int) -> Line:
    """Train once and judge the result."""
    task = TASKS[name]
    with tempfile.TemporaryDirectory() as folder:
        spec = job(Path(folder), task, method, rate, seed)
        reported: list[Line] = []
        Job(spec, reported.append).run()
        kept = Path(spec.output) / [line["folder"] for line in reported if line["type"] == "checkpoint"][-1]
        whole = answering(kept, Path(folder) / "whole")
        figures = {part: quality(engine, whole, task, part) for part in parts(task)}
        figures["facts after"] = quality(engine, whole, FACTS, "new phrasings")
        engine.unload(whole)
        size = sum(path.stat().st_size for path in kept.glob("*.safetensors"))
    losses = [line["train_loss"] for line in reported if line["type"] == "metrics"]
    return {"task": name, "method": method, "rate": rate, "seed": seed, "trained": reported[0]["trained"], "bytes": size,
            "seconds": reported[-1]["seconds"], "loss": statistics.mean(losses[-10:]), **figures}


def job(folder: Path, task: Task, method: str, rate: float, seed: int) -> JobSpec:
    rows = [task.line(row) for row in task.training_rows()]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    chosen = replace(Settings(), learning_rate_multiplier=rate / PEAK_RATES[method]).resolved(len(rows))
    return JobSpec(job_id="bench", attempt=1, base=str(BASE), adaptation=method, training_file=str(folder / "rows.jsonl"),
                   validation_file=None, output=str(folder), seed=seed, threads=torch.get_num_threads(), **chosen)


def answering(kept: Path, target: Path) -> Path:
    """The same weights in the layout that the embedded engine loads."""
    tuned = load_model(kept, "cpu", torch.float32)
    tuned = tuned.merge_and_unload() if is_adapter(kept) else tuned
    model, weights = load_llama(BASE), tuned.state_dict()
    weights.pop("lm_head.weight")  # the embeddings, under another name
    model.load_state_dict(weights)
    save_llama(model, target, tokenizer_from=BASE)
    return target


def parts(task: Task) -> list[str]:
    """Rows to choose by, then held-out ones."""
    return ["own prompt"] if task.chat else ["validation", "in domain", "test"]


def quality(engine: Engine, folder: Path, task: Task, part: str) -> float:
    """The task's main figure on one part of its rows."""
    source = {**task.validation, **task.held_out}[part]
    return task.figures(judged(engine, folder, task, source()))[task.main]


def untuned(engine: Engine) -> None:
    for name, task in TASKS.items():
        print(f"{name}, untuned: " + ", ".join(f"{part} {quality(engine, BASE, task, part):.2f}" for part in parts(task)))


def table(lines: list[Line]) -> None:
    """Mean of all seeds, with the lowest and highest where a choice is made by it."""
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line["task"], line["method"], line["rate"]].append(line)
    for key, group in sorted(groups.items()):
        first, *others = [*parts(TASKS[key[0]]), "facts after"]
        values = [line[first] for line in group]
        shown = "".join(f"{part:>13} {statistics.mean(line[part] for line in group):.2f}" for part in others)
        print(f"{key[0]:<10}{key[1]:<5}{key[2]:>8.0e}{len(group):>2} seeds  {first} {statistics.mean(values):.2f} "
              f"({min(values):.2f}-{max(values):.2f}){shown}  loss {statistics.mean(line['loss'] for line in group):.3f}  "
              f"{statistics.median(line['seconds'] for line in group):.1f} s  {group[0]['bytes'] / 1e6:.2f} MB")
    for trained in sorted({line["trained"] for line in lines}):
        print(trained)


def read_measured(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--methods", nargs="+", choices=RATES, default=list(RATES))
    parser.add_argument("--rates", nargs="+", type=float, help=f"learning rates (default: {RATES})")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no job after so long")
    parser.add_argument("--measured", type=Path, default=MEASURED, help="file of results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    disable_progress_bar()
    done = {tuple(line[name] for name in ("task", "method", "rate", "seed")) for line in read_measured(options.measured)}
    options.measured.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * options.minutes
    with running() as engine:
        untuned(engine)
        for one in wanted(options):
            if one in done or time.monotonic() > ends:
                continue
            line = json.dumps(measure(engine, *one))
            with options.measured.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            print(line, flush=True)
    table(read_measured(options.measured))


if __name__ == "__main__":
    main()
