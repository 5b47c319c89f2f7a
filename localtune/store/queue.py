"""Job rows as the supervisor sees them: what is next, and what became of it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localtune.crash import crash_point
from localtune.store.database import Database, insert
from localtune.store.files import file_row
from localtune.store.jobs import change, not_before
from localtune.store.records import add_checkpoint, add_event

# The key that has waited longest since its last job started goes first; then the oldest job.
NEXT = """
    SELECT jobs.* FROM jobs
    LEFT JOIN (SELECT key_id, MAX(turn) AS last FROM jobs GROUP BY key_id) AS keys ON keys.key_id = jobs.key_id
    WHERE status = 'queued' ORDER BY COALESCE(last, 0), seq LIMIT 1
"""


@dataclass(frozen=True)
class Event:
    message: str
    level: str = "info"
    metrics: Mapping[str, Any] | None = None
    key: str | None = None  # of what a job says only once, however often it is started again


@dataclass(frozen=True)
class NewModel:
    """A checkpoint that becomes a model: its name, folder (relative to the state folder), step and metrics."""

    name: str
    folder: str
    step: int
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What a finished run brought: models by step (the last is the job's), and the blob of its metrics file."""

    models: tuple[NewModel, ...]
    trained_tokens: int
    sha256: str
    size: int


class Queue:
    def __init__(self, database: Database) -> None:
        self.database = database

    def to_validate(self) -> list[sqlite3.Row]:
        return self.database.rows("SELECT * FROM jobs WHERE status = 'validating_files' ORDER BY seq", {})

    def interrupted(self) -> list[sqlite3.Row]:
        """Jobs that were running when the last service stopped."""
        return self.database.rows("SELECT * FROM jobs WHERE status = 'running' ORDER BY turn", {})

    def statuses(self) -> dict[str, str]:
        return {row["id"]: row["status"] for row in self.database.rows("SELECT id, status FROM jobs", {})}

    def note(self, job: sqlite3.Row, events: Iterable[Event], **columns: Any) -> sqlite3.Row | None:
        """Append events to a job that is still this attempt's; None when it is not."""
        columns = columns or {"attempt": job["attempt"]}
        crash_point("events.before")
        with self.database.transaction() as connection:
            current = change(connection, job, ("validating_files", "running"), **columns)
            for event in events if current is not None else ():
                add_event(connection, job, event.message, event.level, event.metrics, event.key)
        crash_point("events.after")
        return current

    def unreported(self, key: str) -> list[sqlite3.Row]:
        """Jobs that were trained, have ended, asked for an integration, and have no event of this key."""
        sql = """
            SELECT * FROM jobs WHERE finished_at IS NOT NULL AND turn IS NOT NULL AND integrations <> '[]'
            AND NOT EXISTS (SELECT 1 FROM events WHERE events.job_id = jobs.id AND events.key = :key) ORDER BY seq
        """
        return self.database.rows(sql, {"key": key})

    def remark(self, job: sqlite3.Row, event: Event) -> None:
        """Append an event to a job that may be over."""
        with self.database.transaction() as connection:
            add_event(connection, job, event.message, event.level, event.metrics, event.key)

    def validated(self, job: sqlite3.Row, n_examples: int) -> bool:
        with self.database.transaction() as connection:
            moved = change(connection, job, ("validating_files",), status="queued", n_examples=n_examples)
            if moved is not None:
                add_event(connection, job, "Files validated, moving job to queued state")
        return moved is not None

    def claim(self, resolve: Callable[[sqlite3.Row], Mapping[str, Any]]) -> sqlite3.Row | None:
        """Start the next job: `running`, a new attempt, with the hyperparameters that `resolve` gives."""
        crash_point("claim.before")
        with self.database.transaction() as connection:
            job = connection.execute(NEXT).fetchone()
            if job is None:
                return None
            turn = connection.execute("SELECT COALESCE(MAX(turn), 0) + 1 FROM jobs").fetchone()[0]
            claimed = change(
                connection, job, ("queued",), status="running", turn=turn, attempt=job["attempt"] + 1,
                hyperparameters=json.dumps(resolve(job)),
            )
            add_event(connection, job, "Fine-tuning job started")
        crash_point("claim.after")
        return claimed

    def again(self, job: sqlite3.Row, reason: Event, crashed: bool) -> sqlite3.Row | None:
        """A new attempt of a running job; None when somebody has cancelled or paused it."""
        columns = {"attempt": job["attempt"] + 1, "crashes": job["crashes"] + crashed}
        return self.note(job, [reason], **columns)

    def fail(self, job: sqlite3.Row, code: str, message: str, param: str | None) -> bool:
        error = json.dumps({"code": code, "message": message, "param": param})
        with self.database.transaction() as connection:
            failed = change(
                connection, job, ("validating_files", "running"), status="failed", error=error,
                finished_at=not_before(job), estimated_finish=None,
            )
            if failed is not None:
                add_event(connection, job, message, "error")
        return failed is not None

    def succeed(self, job: sqlite3.Row, result: Result) -> bool:
        """Models, checkpoints, metrics file, events and status at once; False when the job was taken away."""
        final = result.models[-1]
        file = file_row(job["project"], "step_metrics.csv", "fine-tune-results", result.sha256, result.size)
        crash_point("models.before")
        with self.database.transaction() as connection:
            done = change(
                connection, job, ("running",), status="succeeded", finished_at=not_before(job), estimated_finish=None,
                fine_tuned_model=final.name, trained_tokens=result.trained_tokens, result_file=file["id"],
            )
            if done is None:
                return False
            insert(connection, "files", file)
            for model in result.models:
                add_model(connection, job, model)
            for message in closing_messages(result.models):
                add_event(connection, job, message)
        crash_point("models.after")
        return True


def add_model(connection: sqlite3.Connection, job: sqlite3.Row, model: NewModel) -> None:
    row = {
        "name": model.name, "project": job["project"], "job_id": job["id"], "folder": model.folder,
        "created_at": int(time.time()),
    }
    insert(connection, "models", row)
    add_checkpoint(connection, job, model.name, model.step, model.metrics)


def closing_messages(models: tuple[NewModel, ...]) -> list[str]:
    snapshots = [f"Checkpoint created at step {model.step} with Snapshot ID: {model.name}" for model in models[:-1]]
    return [
        *snapshots, f"New fine-tuned model created: {models[-1].name}", "The job has successfully completed",
    ]
