"""What a job leaves behind while it runs: events (metrics among them) and checkpoints."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from localtune.ids import new_id
from localtune.store.database import Database, insert
from localtune.store.pages import Page, page


class Records:
    def __init__(self, database: Database) -> None:
        self.database = database

    def events(self, project: str, job_id: str, after: str | None, limit: int) -> Page:
        return self._page("events", project, job_id, after, limit)

    def checkpoints(self, project: str, job_id: str, after: str | None, limit: int) -> Page:
        return self._page("checkpoints", project, job_id, after, limit)

    def _page(self, table: str, project: str, job_id: str, after: str | None, limit: int) -> Page:
        values = {"project": project, "job": job_id}
        scope = "project = :project AND job_id = :job"
        return page(self.database, table, scope, "TRUE", values, after, limit)

    def metrics(self, project: str, job_id: str) -> list[dict[str, Any]]:
        """The data of all metrics events, by step."""
        sql = (
            "SELECT data FROM events WHERE project = :project AND job_id = :job AND step IS NOT NULL ORDER BY step"
        )
        return [json.loads(row["data"]) for row in self.database.rows(sql, {"project": project, "job": job_id})]


def add_event(
    connection: sqlite3.Connection, job: Mapping[str, Any], message: str, level: str = "info",
    metrics: Mapping[str, Any] | None = None, key: str | None = None,
) -> None:
    """Append an event; a step or key that the job already has (a resumed run repeats some) is left as it is."""
    row = {
        "id": new_id("ftevent-"), "project": job["project"], "job_id": job["id"], "created_at": int(time.time()),
        "level": level, "type": "metrics" if metrics else "message", "message": message,
        "data": json.dumps(metrics or {}), "step": metrics["step"] if metrics else None, "key": key,
    }
    insert(connection, "events", row, "INSERT OR IGNORE")


def add_checkpoint(
    connection: sqlite3.Connection, job: Mapping[str, Any], model: str, step: int, metrics: Mapping[str, Any]
) -> None:
    row = {
        "id": new_id("ftckpt_"), "project": job["project"], "job_id": job["id"], "created_at": int(time.time()),
        "model": model, "step": step, "metrics": json.dumps(metrics),
    }
    insert(connection, "checkpoints", row)
