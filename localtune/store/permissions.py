"""Who else may ask a model: permissions of checkpoints, and the admin keys that give them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from localtune.ids import new_id, random_part
from localtune.store.database import Database, insert
from localtune.store.keys import Owner, owner, sha256, starting_with
from localtune.store.pages import Page, page

ADMIN_PREFIX = "sk-admin-"
PREFIX_LENGTH = len(ADMIN_PREFIX) + 8


class UnknownProject(Exception):
    """A permission for a project that does not exist."""


class Permissions:
    def __init__(self, database: Database) -> None:
        self.database = database

    def add_admin_key(self, project: str) -> str:
        """A new admin key of a project; shown this once. Raises UnknownProject."""
        key = ADMIN_PREFIX + random_part(40)
        row = {
            "project": project, "prefix": key[:PREFIX_LENGTH], "sha256": sha256(key), "created_at": int(time.time()),
        }
        with self.database.transaction() as connection:
            known_project(connection, project)
            insert(connection, "admin_keys", row)
        return key

    def admin(self, key: str) -> Owner | None:
        """The owner of a valid admin key."""
        rows = self.database.rows("SELECT * FROM admin_keys WHERE prefix = :prefix", {"prefix": key[:PREFIX_LENGTH]})
        return owner(rows, key)

    def admin_keys(self) -> list[sqlite3.Row]:
        return self.database.rows("SELECT * FROM admin_keys ORDER BY id", {})

    def revoke_admin_key(self, prefix: str) -> int:
        """Remove the one admin key that starts with `prefix`; returns how many do (0 or several: none removed)."""
        matching = starting_with(self.admin_keys(), prefix[:PREFIX_LENGTH])
        if len(matching) == 1:
            with self.database.transaction() as connection:
                connection.execute("DELETE FROM admin_keys WHERE id = :id", {"id": matching[0]["id"]})
        return len(matching)

    def grant(self, project: str, model: str, granted: Iterable[str]) -> list[sqlite3.Row]:
        """Permissions of `granted` projects for a model of `project`; one that is there already stays as it is.

        Raises UnknownProject, and then changes nothing.
        """
        with self.database.transaction() as connection:
            return [grant_one(connection, project, model, one) for one in dict.fromkeys(granted)]

    def page(
        self, project: str, model: str, granted: str | None, after: str | None, limit: int, newest_first: bool
    ) -> Page:
        values = {"project": project, "model": model, "granted": granted}
        live = "granted_project = :granted" if granted else "TRUE"
        scope = "project = :project AND model = :model"
        return page(self.database, "checkpoint_permissions", scope, live, values, after, limit, newest_first)

    def revoke(self, project: str, model: str, permission_id: str) -> bool:
        """False when there is no such permission."""
        sql = "DELETE FROM checkpoint_permissions WHERE id = :id AND project = :project AND model = :model"
        with self.database.transaction() as connection:
            values = {"id": permission_id, "project": project, "model": model}
            return connection.execute(sql, values).rowcount == 1


def grant_one(connection: sqlite3.Connection, project: str, model: str, granted: str) -> sqlite3.Row:
    known_project(connection, granted)
    row = {
        "id": new_id("cp_"), "project": project, "model": model, "granted_project": granted,
        "created_at": int(time.time()),
    }
    new = insert(connection, "checkpoint_permissions", row, "INSERT OR IGNORE")
    sql = "SELECT * FROM checkpoint_permissions WHERE model = :model AND granted_project = :granted_project"
    return new or connection.execute(sql, row).fetchone()


def known_project(connection: sqlite3.Connection, project: str) -> None:
    if connection.execute("SELECT 1 FROM projects WHERE id = :id", {"id": project}).fetchone() is None:
        raise UnknownProject(project)
