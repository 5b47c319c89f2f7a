"""Upload, train, follow: cells may be run again at any time without paying, or waiting, twice."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import openai
import pandas as pd
from IPython.display import display
from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from helpers import metrics, plots, tokens
from helpers.connect import who
from helpers.errors import JobFailed
from helpers.formatting import json_line
from helpers.progress import Progress, in_notebook
from helpers.service import is_loopback
from helpers.watching import FINAL, RESTING, TRANSIENT, JobWatch, outcome

KEY = "course_key"  # our entry in a job's metadata: what the job was made of
DRAW_SECONDS = 2.0  # between two drawings of the curve: they take the processor from the training they show
REUSABLE = ("succeeded", "running", "queued", "validating_files", "paused")


class NotConfirmed(RuntimeError):
    """A job on a paid provider was not started, because nobody said yes to the estimate."""


def upload(
    client: openai.OpenAI, source: str | Path | Iterable[Mapping[str, Any]], name: str = "training.jsonl"
) -> FileObject:
    """Uploads a file, or rows under a `name`, for fine-tuning; an identical file that is already there is used again.

    The name gets a piece of the content's SHA-256 (`marv.jsonl` → `marv.3f2a9c1b.jsonl`), because no provider tells a
    stored file's hash. Raises the SDK's errors.
    """
    path = Path(source) if isinstance(source, (str, Path)) else Path(name)
    content = path.read_bytes() if isinstance(source, (str, Path)) else _encode(source)
    unique = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:8]}{path.suffix}"
    for file in client.files.list(purpose="fine-tune"):
        if (file.filename, file.bytes) == (unique, len(content)) and file.status != "error":
            print(f"{unique} is already uploaded: {file.id}")
            return file
    file = client.files.create(file=(unique, content), purpose="fine-tune")
    print(f"Uploaded {unique} ({len(content):,} bytes): {file.id}")
    return file


def create_or_reuse(
    client: openai.OpenAI,
    model: str,
    training_file: str,
    validation_file: str | None = None,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    method: Mapping[str, Any] | None = None,
    suffix: str | None = None,
    seed: int | None = None,
    force: bool = False,
    yes: bool = False,
    **more: Any,
) -> FineTuningJob:
    """Starts a training job, unless an identical one is there: same file contents, model, settings, seed and metadata.

    A job from before the model's own `created` (another model had that name) does not count.

    `hyperparameters` are those of supervised training; another method is given whole as `method`. `force` trains
    again. On a paid provider the estimate is shown first and answered with yes (`yes=True` answers in advance); without
    a yes NotConfirmed is raised. `more` goes to `fine_tuning.jobs.create` (integrations, extra_body …).
    """
    settings = _settings(model, hyperparameters, method, suffix, seed)
    metadata = more.get("metadata") or {}  # may say how an open-weight model is adapted
    told = {"metadata": metadata} if metadata else {}
    key = _key({**settings, **told}, *(_content_hash(client, file) for file in (training_file, validation_file)))
    if not force and (job := _identical(client, key, _created(client, model))):
        print(f"Using {job.id} ({job.status}): same data, model and settings. force=True would train again.")
        return job
    if not who(client).local:
        _confirm(client, model, training_file, settings, yes)
    if validation_file:
        more["validation_file"] = validation_file
    more["metadata"] = {**metadata, KEY: key}
    job = client.fine_tuning.jobs.create(**settings, training_file=training_file, **more)
    print(f"Started {job.id}.")
    return job


def estimate(client: openai.OpenAI, model: str, training_file: str, n_epochs: int | None = None) -> pd.DataFrame:
    """Cost of training `model` on an uploaded file, before anything is started (see `tokens.cost_table`)."""
    lines = client.files.content(training_file).read().decode("utf-8").splitlines()
    return tokens.cost_table([json.loads(line) for line in lines], [model], n_epochs)


def follow(client: openai.OpenAI, job_id: str, poll: float | None = None, patience: int = 30) -> FineTuningJob:
    """Shows a job's progress and its live loss curve until it ends, and returns the job.

    Works at any time and in any state: for a finished job it returns at once, after an interrupt it goes on where the
    job is. `poll` is seconds between looks; up to `patience` looks in a row may get no answer. A cancelled or paused
    job is returned. Raises JobFailed, with reason and last events, for a failed one.
    """
    poll = poll if poll is not None else 0.5 if is_loopback(str(client.base_url)) else 5.0
    view = _View(client, job_id)
    missed = 0
    try:
        while True:
            try:
                job, missed = view.look(), 0
                if job.status in RESTING:
                    break
            except TRANSIENT:
                missed += 1
                if missed > patience:
                    raise
            time.sleep(poll)
    except BaseException:
        view.progress.close(f'{job_id} goes on without us; watch it again with follow(client, "{job_id}").')
        raise
    view.progress.close(outcome(job))
    if job.status == "failed":
        raise JobFailed(job, [event.message for event in view.watch.messages[-5:]])
    return job


def cancel(client: openai.OpenAI, job_id: str) -> FineTuningJob:
    """Cancels a job; one that has already ended is returned as it is."""
    try:
        return client.fine_tuning.jobs.cancel(job_id)
    except (openai.BadRequestError, openai.ConflictError):
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status not in FINAL:
            raise
        return job


class _View:
    """What `follow` shows of one job: bar, label and curve."""

    def __init__(self, client: openai.OpenAI, job_id: str) -> None:
        self.watch = JobWatch(client, job_id)
        self.progress = Progress(f"{job_id}: looking")
        self._drawn = 0
        self._drawn_at = -math.inf
        self._figure: Any = None
        self._handle: Any = None

    def look(self) -> FineTuningJob:
        job = self.watch.look()
        due = job.status in RESTING or time.monotonic() >= self._drawn_at + DRAW_SECONDS
        if due and len(self.watch.steps) > self._drawn:
            self._drawn = len(self.watch.steps)
            self._draw()
            self._drawn_at = time.monotonic()
        self.progress.update(*self.watch.progress, f"{job.id}: {job.status}")
        return job

    def _draw(self) -> None:
        if not in_notebook():
            return
        self._figure = plots.training_curves(metrics.events_frame(self.watch.steps), self.watch.job_id, self._figure)
        if self._handle is None:
            self._handle = display(self._figure, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(self._figure)


def _encode(rows: Any) -> bytes:
    return "".join(json_line(row) for row in rows).encode("utf-8")


def _settings(
    model: str,
    hyperparameters: Mapping[str, Any] | None,
    method: Mapping[str, Any] | None,
    suffix: str | None,
    seed: int | None,
) -> dict[str, Any]:
    if method and hyperparameters:
        raise ValueError("give hyperparameters or method, not both: a method carries its own hyperparameters")
    if hyperparameters:
        method = {"type": "supervised", "supervised": {"hyperparameters": dict(hyperparameters)}}
    given = {"model": model, "method": method, "suffix": suffix, "seed": seed}
    return {name: value for name, value in given.items() if value is not None}


def _key(settings: Mapping[str, Any], *files: str | None) -> str:
    return hashlib.sha256(json.dumps([settings, files], sort_keys=True).encode()).hexdigest()[:40]


def _content_hash(client: openai.OpenAI, file_id: str | None) -> str | None:
    """Hash of a stored file; its id where the provider does not hand training files out again."""
    if file_id is None:
        return None
    try:
        return hashlib.sha256(client.files.content(file_id).read()).hexdigest()
    except openai.APIStatusError:
        return file_id


def _created(client: openai.OpenAI, model: str) -> int:
    """Unix seconds since which a name means this model; 0 for a name that the provider does not know."""
    try:
        return client.models.retrieve(model).created
    except openai.NotFoundError:
        return 0


def _identical(client: openai.OpenAI, key: str, since: int) -> FineTuningJob | None:
    # Not every provider filters by metadata, so the entry is compared here as well.
    for job in client.fine_tuning.jobs.list(metadata={KEY: key}, limit=100):
        same = (job.metadata or {}).get(KEY) == key and job.created_at >= since
        if same and job.status in REUSABLE and _usable(client, job):
            return job
    return None


def _usable(client: openai.OpenAI, job: FineTuningJob) -> bool:
    """False for a job whose model has been deleted since."""
    try:
        return job.fine_tuned_model is None or bool(client.models.retrieve(job.fine_tuned_model))
    except openai.NotFoundError:
        return False


def _confirm(client: openai.OpenAI, model: str, file: str, settings: Mapping[str, Any], yes: bool) -> None:
    print(f"{who(client)}\n{_estimate_line(client, model, file, settings)}")
    if yes:
        return
    try:
        reply = input("Start this paid job? Type yes: ")
    except (EOFError, OSError, RuntimeError):  # nobody there to ask, as when a notebook is run by a script
        reply = ""
    if reply.strip().lower() not in ("y", "yes"):
        raise NotConfirmed("not started: answer yes, or pass yes=True once you accept the estimate")


def _estimate_line(client: openai.OpenAI, model: str, file: str, settings: Mapping[str, Any]) -> str:
    method = settings.get("method", {"type": "supervised"})
    epochs = method.get(method["type"], {}).get("hyperparameters", {}).get("n_epochs")
    try:
        row = estimate(client, model, file, epochs if isinstance(epochs, int) else None).iloc[0]
    except (openai.APIStatusError, ValueError, KeyError, TypeError) as error:
        return f"Estimate: unknown, the file cannot be read back and counted ({type(error).__name__})."
    if pd.isna(row["price"]):
        return f"Estimate: {row['trained_tokens']:,} tokens to train; no price is known for {model}: ask the provider."
    money = f"{row['usd']:.2f} US dollars at OpenAI's price of {row['collected']}"
    return f"Estimate: {row['tokens']:,} tokens × {row['epochs']} epochs = {row['trained_tokens']:,}: {money}."
