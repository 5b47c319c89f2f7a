"""Rows of uploads in several parts: pending for a time, then a file, cancelled or expired."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from localtune.ids import new_id
from localtune.store.database import Database, insert
from localtune.store.files import file_row

OPEN = "status = 'pending' AND expires_at > :now"


class Uploads:
    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, columns: Mapping[str, Any], lifetime: int) -> sqlite3.Row:
        """Open for `lifetime` seconds."""
        now = int(time.time())
        row = {
            **columns, "id": new_id("upload_"), "created_at": now, "expires_at": now + lifetime, "status": "pending",
        }
        with self.database.transaction() as connection:
            return insert(connection, "uploads", row)

    def find(self, project: str, upload_id: str) -> sqlite3.Row | None:
        sql = "SELECT * FROM uploads WHERE id = :id AND project = :project"
        return self.database.row(sql, {"id": upload_id, "project": project})

    def parts(self, project: str, upload_id: str) -> dict[str, sqlite3.Row]:
        """The upload's parts by their id, oldest first."""
        sql = "SELECT * FROM upload_parts WHERE upload_id = :upload AND project = :project ORDER BY seq"
        rows = self.database.rows(sql, {"upload": upload_id, "project": project})
        return {row["id"]: row for row in rows}

    def add_part(self, project: str, upload_id: str, sha256: str, size: int) -> sqlite3.Row | None:
        """None when the upload is no longer open, or its parts would be longer than it.

        The same bytes count once: a client that lost the answer sends them again, and they are stored once.
        """
        now = int(time.time())
        row = {
            "id": new_id("part_"), "project": project, "upload_id": upload_id, "created_at": now, "bytes": size,
            "sha256": sha256,
        }
        room = (
            f"SELECT 1 FROM uploads WHERE id = :upload_id AND project = :project AND {OPEN} AND bytes >= :bytes + "
            "(SELECT COALESCE(SUM(bytes), 0) FROM (SELECT DISTINCT sha256, bytes FROM upload_parts "
            "WHERE upload_id = :upload_id AND sha256 <> :sha256))"
        )
        with self.database.transaction() as connection:
            if connection.execute(room, {**row, "now": now}).fetchone() is None:
                return None
            return insert(connection, "upload_parts", row)

    def complete(self, upload: sqlite3.Row, sha256: str) -> sqlite3.Row | None:
        """Turn an open upload into a file; returns the file, or None when the upload is no longer open."""
        after = upload["file_expires_after"]
        expires_at = int(time.time()) + after if after else None
        file = file_row(upload["project"], upload["filename"], upload["purpose"], sha256, upload["bytes"], expires_at)
        with self.database.transaction() as connection:
            if not close(connection, upload, "completed", file["id"]):
                return None
            return insert(connection, "files", file)

    def cancel(self, upload: sqlite3.Row) -> bool:
        """False when the upload is no longer open."""
        with self.database.transaction() as connection:
            return close(connection, upload, "cancelled", None)


def close(connection: sqlite3.Connection, upload: sqlite3.Row, status: str, file: object) -> bool:
    values = {
        "id": upload["id"], "project": upload["project"], "now": int(time.time()), "status": status, "file": file,
    }
    sql = f"UPDATE uploads SET status = :status, file = :file WHERE id = :id AND project = :project AND {OPEN}"
    return connection.execute(sql, values).rowcount == 1


def status_of(upload: sqlite3.Row) -> str:
    """As the API says it: an upload whose time is over has expired."""
    expired = upload["status"] == "pending" and upload["expires_at"] <= time.time()
    return "expired" if expired else upload["status"]
