"""SQLite: one connection that writes, one that reads, numbered migrations."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import localtune.migrations

MIGRATIONS = Path(localtune.migrations.__file__).parent


class Database:
    """Thread-safe. Readers never wait for a write's fsync: WAL, and a connection of their own."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._writer, self._reader = connect(path, busy_seconds), connect(path, busy_seconds)
        self._write_lock, self._read_lock = threading.RLock(), threading.RLock()
        migrate(self._writer)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; on disk when the block is left."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def rows(self, sql: str, values: Mapping[str, Any]) -> list[sqlite3.Row]:
        with self._read_lock:
            return self._reader.execute(sql, values).fetchall()

    def row(self, sql: str, values: Mapping[str, Any]) -> sqlite3.Row | None:
        with self._read_lock:
            return self._reader.execute(sql, values).fetchone()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """`busy_seconds`: how long a write waits for another process; the `keys` command may write while the service runs."""
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Run the migrations this database has not seen; each is one transaction with its number."""
    for script in sorted(MIGRATIONS.glob("[0-9]*.sql")):
        number = int(script.name.split("_")[0])
        connection.execute("BEGIN IMMEDIATE")  # two processes may open a fresh folder at once
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                for statement in statements(script.read_text(encoding="utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def statements(script: str) -> Iterator[str]:
    """One statement at a time: `executescript` would commit what came before."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def insert(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Any], verb: str = "INSERT"
) -> sqlite3.Row | None:
    """Insert column → value and return the row; `table` and the columns are never a client's words."""
    columns = ", ".join(row)
    places = ", ".join(f":{column}" for column in row)
    return connection.execute(f"{verb} INTO {table} ({columns}) VALUES ({places}) RETURNING *", row).fetchone()
