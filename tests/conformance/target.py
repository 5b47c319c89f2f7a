"""The service under test: one somewhere else, or one started here with a model so small that a job takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import openai
import psutil
from openai.types.fine_tuning import FineTuningJob

from localtune.store import Store
from tests.tiny import tiny_base

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
MODEL = "gpt-4o-mini-2024-07-18"
UNTRAINABLE = "no-such-model"
STOP_SECONDS = 60
OVER = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Target:
    """Where to send requests and as whom; `other_key` and `other_project` are a second tenant's."""

    url: str
    key: str
    model: str
    patience: float  # seconds until a test gives up on a job
    admin_key: str | None = None
    other_key: str | None = None
    other_project: str | None = None

    @property
    def proxies(self) -> bool:
        """Whether the environment's proxies may stand between: never on this machine."""
        return urlsplit(self.url).hostname not in ("127.0.0.1", "localhost", "::1")

    def client(self, key: str | None = None, strict: bool = True, retries: int = 0) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self.url, api_key=key or self.key, max_retries=retries, timeout=self.patience,
            _strict_response_validation=strict, http_client=openai.DefaultHttpxClient(trust_env=self.proxies),
        )

    def http(self) -> httpx2.Client:
        """Without any SDK."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=self.patience, trust_env=self.proxies)


@contextmanager
def local_target(folder: Path, patience: float) -> Iterator[Target]:
    """The real service with the real trainer in a process of its own; nothing of it is left at the end."""
    tiny_base(folder / "bases" / "small")
    store = Store(folder / "state")
    other = store.keys.add("another tenant")
    names = {"admin_key": store.permissions.add_admin_key("proj_local"), "other_key": other}
    names["other_project"] = store.keys.find(other).project
    store.close()
    process = subprocess.Popen(
        [sys.executable, str(HERE / "tiny_service.py"), str(folder / "state"), str(folder / "bases")],
        stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("ready "), f"the service did not start: {line!r}"
        yield Target(line.split()[1], "sk-local", MODEL, patience, **names)
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    process.stdout.close()
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(children, STOP_SECONDS)[1]:
        child.kill()


def chat_lines(count: int = 10) -> bytes:
    """A training file in the chat format."""
    rows = ([{"role": "user", "content": f"What is {n} times 12?"}, {"role": "assistant", "content": f"It is {12 * n}."}]
            for n in range(count))
    return b"".join(json.dumps({"messages": row}).encode() + b"\n" for row in rows)


def upload(client: openai.OpenAI, data: bytes | None = None, name: str = "train.jsonl") -> str:
    return client.files.create(file=(name, chat_lines() if data is None else data), purpose="fine-tune").id


def create(target: Target, client: openai.OpenAI, data: bytes | None = None, **options: object) -> FineTuningJob:
    """A job on a fresh file, one epoch unless told otherwise."""
    defaults = {} if "method" in options else {"hyperparameters": {"n_epochs": 1}}
    settings = {"model": target.model, "training_file": upload(client, data), **defaults, **options}
    return client.fine_tuning.jobs.create(**settings)


def wait_for(target: Target, job_id: str, statuses: tuple[str, ...] = OVER) -> FineTuningJob:
    """The job once its status is one of `statuses`; the lenient client, because `paused` is not in the SDK's type."""
    client, deadline = target.client(strict=False), time.monotonic() + target.patience
    while (job := client.fine_tuning.jobs.retrieve(job_id)).status not in statuses:
        assert job.status not in OVER, f"{job_id} has {job.status} and will not be {' or '.join(statuses)}"
        if time.monotonic() > deadline:
            raise TimeoutError(f"{job_id} is still {job.status} after {target.patience} s")
        time.sleep(0.1)
    return job


def messages_of(client: openai.OpenAI, job_id: str) -> list[str]:
    """All event messages, oldest first."""
    return [event.message for event in client.fine_tuning.jobs.list_events(job_id, limit=1000)][::-1]
