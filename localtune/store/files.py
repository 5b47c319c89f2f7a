"""Rows of uploaded and produced files; their bytes are blobs."""

from __future__ import annotations

import sqlite3
import time

from localtune.ids import new_id
from localtune.store.database import Database, insert
from localtune.store.pages import Page, page

LIVE = "deleted_at IS NULL AND (expires_at IS NULL OR expires_at > :now)"


class Files:
    def __init__(self, database: Database) -> None:
        self.database = database

    def add(
        self, project: str, filename: str, purpose: str, sha256: str, size: int, expires_at: int | None = None
    ) -> sqlite3.Row:
        row = file_row(project, filename, purpose, sha256, size, expires_at)
        with self.database.transaction() as connection:
            return insert(connection, "files", row)

    def find(self, project: str, file_id: str) -> sqlite3.Row | None:
        sql = f"SELECT * FROM files WHERE id = :id AND project = :project AND {LIVE}"
        return self.database.row(sql, {"id": file_id, "project": project, "now": int(time.time())})

    def page(self, project: str, purpose: str | None, after: str | None, limit: int, newest_first: bool) -> Page:
        live = LIVE + (" AND purpose = :purpose" if purpose else "")
        values = {"project": project, "purpose": purpose, "now": int(time.time())}
        return page(self.database, "files", "project = :project", live, values, after, limit, newest_first)

    def delete(self, project: str, file_id: str) -> bool:
        """False when there is no such file."""
        values = {"id": file_id, "project": project, "now": int(time.time())}
        sql = f"UPDATE files SET deleted_at = :now WHERE id = :id AND project = :project AND {LIVE}"
        with self.database.transaction() as connection:
            return connection.execute(sql, values).rowcount == 1

    def blobs_in_use(self) -> set[str]:
        """Blobs of live files, of deleted ones that an unfinished job still reads, and of the parts of open uploads."""
        active = "status IN ('validating_files', 'queued', 'running', 'paused')"
        sql = (
            f"SELECT sha256 FROM files WHERE {LIVE} UNION SELECT training_blob FROM jobs WHERE {active} "
            f"UNION SELECT validation_blob FROM jobs WHERE {active} AND validation_blob IS NOT NULL "
            "UNION SELECT sha256 FROM upload_parts WHERE upload_id IN "
            "(SELECT id FROM uploads WHERE status = 'pending' AND expires_at > :now)"
        )
        return {row["sha256"] for row in self.database.rows(sql, {"now": int(time.time())})}


def file_row(
    project: str, filename: str, purpose: str, sha256: str, size: int, expires_at: int | None = None
) -> dict[str, object]:
    return {
        "id": new_id("file-"), "project": project, "filename": filename, "purpose": purpose, "bytes": size,
        "sha256": sha256, "created_at": int(time.time()), "expires_at": expires_at,
    }
