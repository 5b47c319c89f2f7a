"""Thirty learners with a key each upload, train and ask at once: is anybody refused, starved or kept waiting?

`python3 start.py bench crowd` starts a service of its own. Every learner uploads Marv's ten examples, trains on them and
asks the base model until the job is over, then asks the new model once. One of them is greedy and has queued many jobs
before the others come.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import openai
import psutil

from localtune.config import DATA
from localtune.store import Store
from tests.bench.marv import megabytes
from tools.service import service

MODEL = "gpt-4o-mini-2024-07-18"
QUESTIONS = ("What is the capital of France?", "Who wrote Romeo and Juliet?", "How far is the Moon from Earth?")
PAUSE = 2.0  # seconds a learner reads an answer
GREEDY = 0  # number of the learner who has queued many jobs


@dataclass
class Class:
    """What thirty learners met, gathered from their threads."""

    chat: list[float] = field(default_factory=list)  # seconds per answer
    errors: list[str] = field(default_factory=list)
    finished: list[tuple[float, int]] = field(default_factory=list)  # when, of whom
    greed: threading.Event = field(default_factory=threading.Event)  # the greedy one has queued its jobs
    peak: float = 0.0


def ask(client: openai.OpenAI, room: Class, model: str, question: str) -> None:
    began = time.monotonic()
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], max_tokens=40)
    room.chat.append(time.monotonic() - began)


def learn(number: int, client: openai.OpenAI, room: Class, jobs: int) -> None:
    """One learner's lesson; whatever the service refuses is written down."""
    try:
        file = client.files.create(file=DATA / "marv.jsonl", purpose="fine-tune").id
        mine = [client.fine_tuning.jobs.create(model=MODEL, training_file=file, seed=n).id for n in range(jobs)]
        if number == GREEDY:
            room.greed.set()
        for job_id in mine:
            job = client.fine_tuning.jobs.retrieve(job_id)
            while job.finished_at is None:
                ask(client, room, MODEL, QUESTIONS[len(room.chat) % len(QUESTIONS)])
                time.sleep(PAUSE)
                job = client.fine_tuning.jobs.retrieve(job_id)
            if job.status != "succeeded":
                raise RuntimeError(f"{job.id} {job.status}: {job.error}")
            room.finished.append((float(job.finished_at), number))
            ask(client, room, job.fine_tuned_model, QUESTIONS[0])
    except Exception as error:
        room.errors.append(f"learner {number}: {type(error).__name__}: {error}")
        room.greed.set()


def watch(state: Path, room: Class, over: threading.Event) -> None:
    while not over.wait(1.0):
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker that ended while it was measured
            room.peak = max(room.peak, megabytes(state))


def ahead(room: Class) -> int:
    """How many jobs of the greedy key ended before everybody else's: all of them where there are no turns."""
    others = max((when for when, number in room.finished if number != GREEDY), default=0.0)
    return sum(when < others for when, number in room.finished if number == GREEDY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=8, help="of the greedy learner; the others have one (default: %(default)s)")
    options = parser.parse_args()
    room, over = Class(), threading.Event()
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as url:
        store = Store(Path(folder))
        clients = [
            openai.OpenAI(base_url=url, api_key=store.keys.add(f"learner {n}"), max_retries=0, timeout=300)
            for n in range(options.learners)
        ]
        store.close()
        watcher = threading.Thread(target=watch, args=(Path(folder), room, over))
        learners = [
            threading.Thread(target=learn, args=(n, client, room, options.jobs if n == GREEDY else 1))
            for n, client in enumerate(clients)
        ]
        began = time.monotonic()
        watcher.start()
        for thread in learners:
            thread.start()
            room.greed.wait()  # from the first on
        for thread in learners:
            thread.join()
        seconds = time.monotonic() - began
        over.set()
        watcher.join()
    report(options, room, seconds)


def report(options: argparse.Namespace, room: Class, seconds: float) -> None:
    answers = sorted(room.chat)
    print(f"learners {options.learners}, cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}, {seconds:.0f} s")
    print(f"jobs finished {len(room.finished)}, {60 * len(room.finished) / seconds:.1f} a minute")
    print(f"the greedy key's jobs that ended before everybody else's: {ahead(room)} of {options.jobs}")
    p95 = answers[min(len(answers) - 1, int(0.95 * len(answers)))]
    print(f"answers {len(answers)}, p50 {statistics.median(answers):.2f} s, p95 {p95:.2f} s")
    print(f"peak memory {room.peak:.0f} MB, errors {len(room.errors)}")
    for error in room.errors:
        print(f"  {error}")
    if room.errors:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
