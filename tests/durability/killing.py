"""Jobs in services that are killed on the way, and what has to be true of them afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import openai
import psutil

from localtune.crash import VARIABLE
from localtune.store import Store
from tests.service.harness import HERE, MODEL, ROOT, chat_lines

T = TypeVar("T")
PATIENCE = 600  # seconds for everything, restarts included
REAL_WORKER = [sys.executable, "-m", "localtune.train", "--warm"]
OPTIONS: dict[str, Any] = {"seed": 7, "hyperparameters": {"n_epochs": 5, "batch_size": 1}}


@dataclass
class Life:
    """One state folder and the services that live on it, one after the other."""

    state: Path
    bases: Path
    settings: dict[str, Any] = field(default_factory=dict)
    crash_at: str = ""  # NAME@FILE, see localtune/crash.py
    deaths: int = 0  # of services
    worker_deaths: int = 0  # by us
    process: subprocess.Popen[str] | None = None
    seen: set[psutil.Process] = field(default_factory=set)  # workers

    def start(self) -> None:
        """Start a service; one that dies before it is ready is started again."""
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "FAKE_SETTINGS": json.dumps(self.settings), VARIABLE: self.crash_at,
        }
        command = [sys.executable, str(HERE / "fake_service.py"), str(self.state), str(self.bases)]
        while True:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8", cwd=ROOT,
                env=environment,
            )
            line = self.process.stdout.readline()
            if line.startswith("ready "):
                self.client = openai.OpenAI(base_url=line.split()[1], api_key="sk-local", max_retries=0, timeout=PATIENCE)
                return
            self._died()

    def _died(self) -> None:
        self.process.stdout.close()
        self.process.wait(PATIENCE)
        self.deaths += 1

    def ask(self, question: Callable[[openai.OpenAI], T]) -> T:
        """The answer to a question, asked again of the next service when one dies over it."""
        while True:
            try:
                return question(self.client)
            except openai.APIConnectionError:
                self._died()
                self.start()

    def workers(self) -> list[psutil.Process]:
        try:
            children = psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []
        self.seen |= set(children)
        return children

    def stop(self) -> None:
        """The end of the last service and, on their own, of all workers there ever were."""
        self.workers()
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        _, alive = psutil.wait_procs(self.seen, timeout=PATIENCE)
        assert not alive, f"orphaned workers: {alive}"


def live(life: Life, count: int = 10, meanwhile: Callable[[Life], None] = lambda life: None) -> dict[str, Any]:
    """Upload, train to the end whatever happens, stop; returns what came of it."""
    data = chat_lines(count)
    life.start()
    killer = threading.Thread(target=meanwhile, args=(life,), daemon=True)
    killer.start()
    try:
        file = life.ask(lambda client: client.files.create(file=("train.jsonl", data), purpose="fine-tune"))
        job = life.ask(lambda client: the_job(client, file.id))
        wait_until_over(life, job.id)
        killer.join()
        assert life.ask(lambda client: client.files.content(file.id).content) == data
        life.ask(lambda client: client.models.list())
    finally:
        life.stop()
    return outcome(life.state, job.id)


def the_job(client: openai.OpenAI, file_id: str) -> Any:
    """The one job of this file: its creation may have succeeded without anybody hearing of it."""
    known = client.fine_tuning.jobs.list(limit=10).data
    if known:
        return known[0]
    return client.fine_tuning.jobs.create(model=MODEL, training_file=file_id, **OPTIONS)


def wait_until_over(life: Life, job_id: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while life.ask(lambda client: client.fine_tuning.jobs.retrieve(job_id)).finished_at is None:
        assert time.monotonic() < deadline, "the job does not end"
        life.workers()
        time.sleep(0.05)


def kill_at_random(rng: random.Random, seconds: float, kills: int) -> Callable[[Life], None]:
    """SIGKILL for the service, or once for its worker, at moments drawn from the first `seconds`."""
    moments = sorted(rng.uniform(0, seconds) for _ in range(kills))
    the_worker = rng.randrange(2 * kills)  # half of all runs: none

    def killer(life: Life) -> None:
        began = time.monotonic()
        for number, moment in enumerate(moments):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            workers = life.workers()
            try:
                if number == the_worker and workers:
                    workers[0].kill()
                    life.worker_deaths += 1
                else:
                    psutil.Process(life.process.pid).kill()
            except psutil.NoSuchProcess:
                continue  # it died a moment ago

    return killer


def outcome(state: Path, job_id: str) -> dict[str, Any]:
    """What must not depend on deaths: the job's end, every step's metrics, its events, the bits of its models."""
    store = Store(state)
    try:
        (job,) = store.database.rows("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
        events = store.database.rows("SELECT * FROM events WHERE job_id = :id ORDER BY seq", {"id": job_id})
        models = store.models.list_all()
        leftovers(state, store)
        return {
            "status": job["status"], "error": job["error"], "trained_tokens": job["trained_tokens"],
            "metrics": store.records.metrics(job["project"], job_id),
            "events": sorted(plain(row["message"]) for row in events if row["level"] != "warn"),
            "checkpoints": len(store.records.checkpoints(job["project"], job_id, None, 10).rows),
            "models": sorted(weights(state / row["folder"]) for row in models),
        }
    finally:
        store.close()


def plain(message: str) -> str:
    """Without ids, which differ from job to job."""
    return re.sub(r"ftjob-\w+|file-\w+|ft:\S+", "ID", message)


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def leftovers(state: Path, store: Store) -> None:
    """Every blob belongs to a row, every row has its blob, nothing lies in temporary places."""
    blobs = {path.name for path in (state / "blobs").glob("??/*")}
    assert blobs == store.files.blobs_in_use()
    assert not list((state / "blobs" / "incoming").iterdir())
    assert not list((state / "tmp").iterdir())
    assert not list(state.rglob("*.part"))
    folders = {path.name for path in (state / "jobs").iterdir()} if (state / "jobs").exists() else set()
    assert folders <= set(store.queue.statuses())
    for job, status in store.queue.statuses().items():
        if status == "succeeded":
            assert {path.name for path in (state / "jobs" / job).iterdir()} == {"checkpoints"}
