"""Marv's ten examples through the wire: seconds from `jobs.create` to `succeeded`, and what the idle service weighs.

`python3 start.py bench marv` starts a service of its own, waits until its worker is warm, and trains a few times. The
ratio compares with a service that has no warm worker yet.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import openai
import psutil

from localtune.config import DATA
from tools.service import service, service_process

SETTLED = 1.0  # seconds without processor time after which a process counts as waiting


def processes(state: Path) -> list[psutil.Process]:
    """The service and its workers."""
    root = service_process(state)
    return [root, *root.children(recursive=True)] if root else []


def wait_until_idle(state: Path) -> None:
    """Return once the service has a worker and none of its processes computes."""
    before = -1.0
    while True:
        group = processes(state)
        used = sum(sum(process.cpu_times()[:2]) for process in group)
        if len(group) > 1 and used - before < 0.02 * SETTLED:
            return
        before = used
        time.sleep(SETTLED)


def megabytes(state: Path) -> float:
    """Memory of service and worker; pages they share are counted once where the system tells (Linux)."""
    figures = [process.memory_full_info() for process in processes(state)]
    return sum(getattr(figure, "pss", figure.uss) for figure in figures) / 1e6


def train(client: openai.OpenAI, file_id: str, seed: int) -> float:
    """Seconds from creating the job to its success."""
    started = time.monotonic()
    job = client.fine_tuning.jobs.create(model="small", training_file=file_id, seed=seed)
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.05)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded":
        raise RuntimeError(f"{job.id} {job.status}: {job.error}")
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, service(Path(folder)) as url:
        client = openai.OpenAI(base_url=url, api_key="sk-local", http_client=openai.DefaultHttpxClient(trust_env=False))
        with (DATA / "marv.jsonl").open("rb") as data:
            file = client.files.create(file=data, purpose="fine-tune")
        cold = train(client, file.id, 0)
        warm = []
        for seed in range(1, repeats + 1):
            wait_until_idle(Path(folder))
            memory = megabytes(Path(folder))
            warm.append(train(client, file.id, seed))
        print(f"warm worker: median {statistics.median(warm):.1f} s of {', '.join(f'{s:.1f}' for s in warm)}")
        print(f"fresh service, worker still importing: {cold:.1f} s; ratio cold/warm {cold / statistics.median(warm):.2f}")
        print(f"idle memory, service and warm worker: {memory:.0f} MB")


if __name__ == "__main__":
    main()
