"""Jobs trained by several processes, as the service starts them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from localtune.jobs.launcher_torchrun import SIGKILL, TorchrunLauncher
from localtune.jobs.spec import JobSpec
from tests.durability.killing import Life
from tests.service.harness import MODEL, chat_lines

PATIENCE = 300.0  # seconds of silence, on a machine under load


def run_grouped(spec: JobSpec, processes: int = 2) -> tuple[list[dict[str, Any]], int]:
    """The messages of all processes together, and torchrun's exit status; asserts that nothing is left running."""
    path = Path(spec.output) / "job.json"
    spec.save(path)
    lines, status = asyncio.run(followed(path, processes))
    assert not [child for child in psutil.Process().children(recursive=True) if str(path) in child.cmdline()]
    return lines, status


async def followed(path: Path, processes: int) -> tuple[list[dict[str, Any]], int]:
    worker = await TorchrunLauncher(processes, PATIENCE, PATIENCE).start(path)
    lines = [line async for batch in worker.messages() for line in batch]
    status = await worker.ended()
    await worker.kill()
    assert status in (0, -SIGKILL) or lines[-1]["type"] == "failed", worker.log.decode()
    return lines, status


def curve(lines: list[dict[str, Any]], name: str) -> dict[int, float]:
    """Step → the metric of this name, where it was measured."""
    return {line["step"]: line[name] for line in lines if line["type"] == "metrics" and name in line}


def processes_of(service: int) -> list[psutil.Process]:
    """What the service with this process id has started for a job: torchrun, then the two that train, once they are there."""
    deadline = time.monotonic() + PATIENCE
    while len(found := psutil.Process(service).children(recursive=True)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def new_job(life: Life, count: int, options: Mapping[str, Any]) -> str:
    """The id of a job of `count` examples with these hyperparameters, just created at the service."""
    file = life.client.files.create(file=("train.jsonl", chat_lines(count)), purpose="fine-tune")
    asked = {"model": MODEL, "training_file": file.id, "seed": 7, "hyperparameters": options}
    return life.client.fine_tuning.jobs.create(**asked).id
