"""What the tests of the service share: a service process, training files, waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openai
from openai.types.fine_tuning import FineTuningJob

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MODEL = "gpt-4o-mini-2024-07-18"
PATIENCE = 300  # seconds until a test gives up waiting


class Service:
    """One service process on a state folder; may be started again after it stopped."""

    def __init__(self, state: Path, bases: Path) -> None:
        self.state, self.bases = state, bases
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, *arguments: str) -> Service:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fake_service.py"), str(self.state), str(self.bases), *arguments],
            stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))},
        )
        line = self.process.stdout.readline()
        self.process.stdout.close()  # nothing else is said there
        assert line.startswith("ready http://127.0.0.1:"), line
        self.url = line.split()[1]
        return self

    def stop(self) -> int:
        """SIGTERM (on Windows: the end), then the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def client(self, key: str = "sk-local", strict: bool = True) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, api_key=key, max_retries=0, _strict_response_validation=strict)


def chat_lines(count: int, first: str = "ok") -> bytes:
    """A training file of `count` examples; `first` is the question of the first one."""
    questions = [first, *(f"question {number}" for number in range(1, count))]
    return b"".join(line([user(question), assistant(f"answer to {question}")]) for question in questions)


def line(messages: list[dict[str, object]]) -> bytes:
    return json.dumps({"messages": messages}).encode() + b"\n"


def user(content: str) -> dict[str, object]:
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, object]:
    return {"role": "assistant", "content": content}


def upload(client: openai.OpenAI, data: bytes, name: str = "train.jsonl") -> str:
    return client.files.create(file=(name, data), purpose="fine-tune").id


def create(client: openai.OpenAI, first: str = "ok", count: int = 10, **options: object) -> FineTuningJob:
    """A job on a fresh training file."""
    training_file = upload(client, chat_lines(count, first))
    return client.fine_tuning.jobs.create(**{"model": MODEL, "training_file": training_file, **options})


def wait_for(
    client: openai.OpenAI, job_id: str, done: Callable[[FineTuningJob], bool] = lambda job: job.finished_at is not None
) -> FineTuningJob:
    """The job once `done` holds of it, by default once it is over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if done(job):
            return job
        time.sleep(0.03)
    raise TimeoutError(f"{job_id} is still {job.status}")


def messages_of(client: openai.OpenAI, job_id: str) -> list[str]:
    """All event messages, oldest first."""
    events = client.fine_tuning.jobs.list_events(job_id, limit=1000).data
    return [event.message for event in reversed(events)]


def wait_for_step(client: openai.OpenAI, job_id: str, step: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(message.startswith(f"Step {step}/") for message in messages_of(client, job_id)):
        assert time.monotonic() < deadline, f"{job_id} did not reach step {step}"
        time.sleep(0.03)
