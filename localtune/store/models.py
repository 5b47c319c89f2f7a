"""Rows of fine-tuned models, checkpoints among them; a job's success writes them."""

from __future__ import annotations

import sqlite3

from localtune.store.database import Database


VISIBLE = """(project = :project OR EXISTS (
    SELECT 1 FROM checkpoint_permissions AS shared WHERE shared.model = models.name AND granted_project = :project
))"""


class Models:
    def __init__(self, database: Database) -> None:
        self.database = database

    def find(self, project: str, name: str) -> sqlite3.Row | None:
        """A model of this project."""
        sql = "SELECT * FROM models WHERE name = :name AND project = :project"
        return self.database.row(sql, {"name": name, "project": project})

    def visible(self, project: str, name: str) -> sqlite3.Row | None:
        """A model that this project may ask: its own, or one shared with it."""
        sql = f"SELECT * FROM models WHERE name = :name AND {VISIBLE}"
        return self.database.row(sql, {"name": name, "project": project})

    def list(self, project: str) -> list[sqlite3.Row]:
        """All that this project may ask, oldest first; clocks can go back, row numbers cannot."""
        sql = f"SELECT * FROM models WHERE {VISIBLE} ORDER BY rowid"
        return self.database.rows(sql, {"project": project})

    def unfinished_job_from(self, project: str, name: str) -> str | None:
        """A job that still needs this model as its start."""
        sql = (
            "SELECT id FROM jobs WHERE model = :name AND project = :project "
            "AND status IN ('validating_files', 'queued', 'running', 'paused')"
        )
        row = self.database.row(sql, {"name": name, "project": project})
        return row["id"] if row else None

    def delete(self, project: str, name: str) -> bool:
        """False when there is no such model."""
        sql = "DELETE FROM models WHERE name = :name AND project = :project"
        with self.database.transaction() as connection:
            return connection.execute(sql, {"name": name, "project": project}).rowcount == 1

    def list_all(self) -> list[sqlite3.Row]:
        """Of every project, for the command line."""
        return self.database.rows("SELECT * FROM models ORDER BY project, created_at, name", {})
