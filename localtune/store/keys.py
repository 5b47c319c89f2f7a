"""API keys: kept as a prefix to find them and a SHA-256 to check them, never as themselves."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from localtune.ids import random_part
from localtune.store.database import Database, insert

BUILTIN_KEY = "sk-local"
PREFIX_LENGTH = 11
PROJECT, ORGANISATION = "proj_local", "local"


@dataclass(frozen=True)
class Owner:
    """Whose key it is: the key's number, its project."""

    id: int
    project: str


def owner(rows: Iterable[sqlite3.Row], key: str) -> Owner | None:
    """Whose row is that of this key; compared in constant time."""
    digest = sha256(key)
    found = [row for row in rows if hmac.compare_digest(row["sha256"], digest)]
    return Owner(found[0]["id"], found[0]["project"]) if found else None


def starting_with(rows: Iterable[sqlite3.Row], prefix: str) -> list[sqlite3.Row]:
    return [row for row in rows if row["prefix"].startswith(prefix)]


class Keys:
    def __init__(self, database: Database) -> None:
        self.database = database
        self._first_use()

    def _first_use(self) -> None:
        with self.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM projects").fetchone():
                return
            project = {"id": PROJECT, "organisation": ORGANISATION, "created_at": int(time.time())}
            insert(connection, "projects", project)
            insert(connection, "keys", key_row(BUILTIN_KEY, PROJECT, "built in"))

    def find(self, key: str) -> Owner | None:
        """The owner of a valid key."""
        candidates = self.database.rows(
            "SELECT * FROM keys WHERE prefix = :prefix AND revoked_at IS NULL", {"prefix": key[:PREFIX_LENGTH]}
        )
        return owner(candidates, key)

    def add(self, name: str) -> str:
        """A new key with a project of its own; shown this once."""
        key = "sk-" + random_part(40)
        project = {"id": f"proj_{random_part(16)}", "organisation": ORGANISATION, "created_at": int(time.time())}
        with self.database.transaction() as connection:
            insert(connection, "projects", project)
            insert(connection, "keys", key_row(key, project["id"], name))
        return key

    def list(self) -> list[sqlite3.Row]:
        return self.database.rows("SELECT * FROM keys WHERE revoked_at IS NULL ORDER BY id", {})

    def revoke(self, prefix: str) -> int:
        """Revoke the one key that starts with `prefix`; returns how many keys do (0 or several: none revoked)."""
        matching = starting_with(self.list(), prefix[:PREFIX_LENGTH])
        if len(matching) == 1:
            with self.database.transaction() as connection:
                values = {"now": int(time.time()), "id": matching[0]["id"]}
                connection.execute("UPDATE keys SET revoked_at = :now WHERE id = :id", values)
        return len(matching)

    def organisation(self, project: str) -> str:
        row = self.database.row("SELECT organisation FROM projects WHERE id = :id", {"id": project})
        if row is None:
            raise LookupError(project)
        return row["organisation"]


def key_row(key: str, project: str, name: str) -> dict[str, object]:
    return {
        "project": project, "name": name, "prefix": key[:PREFIX_LENGTH], "sha256": sha256(key),
        "created_at": int(time.time()),
    }


def sha256(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
