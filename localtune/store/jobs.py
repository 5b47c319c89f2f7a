"""Job rows as the API sees them. The row is the queue: a status changes only from a status that allows it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any

from localtune.ids import new_id
from localtune.store.database import Database, insert
from localtune.store.pages import Page, page
from localtune.store.records import add_event

WAITING = ("validating_files", "queued")
UNFINISHED = (*WAITING, "running", "paused")


class Jobs:
    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, columns: Mapping[str, Any], first_event: str, notes: Iterable[str] = ()) -> sqlite3.Row:
        """A new job in `validating_files`, with its first two events and, as warnings, `notes`."""
        row = {
            **columns, "id": new_id("ftjob-"), "created_at": int(time.time()), "status": "validating_files",
            "hyperparameters": json.dumps(columns["hyperparameters"]),
            "metadata": json.dumps(columns["metadata"]) if columns["metadata"] is not None else None,
            "integrations": json.dumps(columns["integrations"]),
        }
        with self.database.transaction() as connection:
            job = insert(connection, "jobs", row)
            add_event(connection, job, first_event)
            add_event(connection, job, f"Created fine-tuning job: {job['id']}")
            for note in notes:
                add_event(connection, job, note, "warn")
        return job

    def find(self, project: str, job_id: str) -> sqlite3.Row | None:
        sql = "SELECT * FROM jobs WHERE id = :id AND project = :project"
        return self.database.row(sql, {"id": job_id, "project": project})

    def page(
        self, project: str, metadata: Mapping[str, str] | None, without_metadata: bool, after: str | None, limit: int
    ) -> Page:
        """Newest first; only jobs with all pairs of `metadata`, or only those without any metadata."""
        live = ["metadata IS NULL" if without_metadata else "TRUE"]
        values = {"project": project}
        for number, (key, value) in enumerate((metadata or {}).items()):
            live.append(f"EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = :k{number} AND value = :v{number})")
            values |= {f"k{number}": key, f"v{number}": value}
        return page(self.database, "jobs", "project = :project", " AND ".join(live), values, after, limit)

    def counts(self) -> dict[str, int]:
        """How many jobs of all projects are in which status."""
        rows = self.database.rows("SELECT status, COUNT(*) AS n FROM jobs GROUP BY status", {})
        return {row["status"]: row["n"] for row in rows}

    def unfinished(self, key_id: int) -> int:
        """How many jobs of a key are not over yet."""
        statuses = ", ".join(f"'{status}'" for status in UNFINISHED)
        sql = f"SELECT COUNT(*) AS n FROM jobs WHERE key_id = :key AND status IN ({statuses})"
        return self.database.rows(sql, {"key": key_id})[0]["n"]

    def cancel(self, project: str, job_id: str) -> bool:
        """False when the job is already over; then nothing changes."""
        message, job = "The job has been cancelled", self.find(project, job_id)
        return job is not None and self._move(
            project, job_id, UNFINISHED, "cancelled", message, finished_at=not_before(job)
        )

    def pause(self, project: str, job_id: str) -> bool:
        return self._move(project, job_id, ("queued", "running"), "paused", "Fine-tuning job paused")

    def resume(self, project: str, job_id: str) -> bool:
        return self._move(project, job_id, ("paused",), "queued", "Fine-tuning job resumed, back in the queue")

    def _move(
        self, project: str, job_id: str, was: Iterable[str], status: str, message: str, **columns: Any
    ) -> bool:
        key = {"id": job_id, "project": project}
        with self.database.transaction() as connection:
            job = change(connection, key, was, status=status, estimated_finish=None, **columns)
            if job is not None:
                add_event(connection, job, message)
        return job is not None


def not_before(job: Mapping[str, Any]) -> int:
    """Unix time of an end that never comes before the beginning, even when the clock was set back meanwhile."""
    return max(int(time.time()), job["created_at"])


def change(
    connection: sqlite3.Connection, job: Mapping[str, Any], was: Iterable[str], **columns: Any
) -> sqlite3.Row | None:
    """Set `columns` if the job's status is one of `was`; None when it is not.

    A `job` that carries an attempt number (the supervisor's rows do) must also still be at that attempt, so a run that
    lost its job can never write to it.
    """
    places = ", ".join(f"{column} = :{column}" for column in columns)
    statuses = ", ".join(f"'{status}'" for status in was)
    fence = "AND attempt = :fence" if "attempt" in job.keys() else ""
    where = f"id = :id AND project = :project AND status IN ({statuses}) {fence}"
    sql = f"UPDATE jobs SET {places} WHERE {where} RETURNING *"
    values = {**columns, "id": job["id"], "project": job["project"]}
    if fence:
        values["fence"] = job["attempt"]
    return connection.execute(sql, values).fetchone()
