"""Cursor pages, the same for every list of the API."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localtune.store.database import Database


class UnknownCursor(Exception):
    """`after` names nothing of this list."""


@dataclass(frozen=True)
class Page:
    rows: list[sqlite3.Row]
    has_more: bool


def page(
    database: Database, table: str, scope: str, live: str, values: Mapping[str, Any],
    after: str | None, limit: int, newest_first: bool = True,
) -> Page:
    """`limit` rows behind the row `after`.

    `scope` is the SQL condition that says whose rows these are, `live` the one that says which of them are shown:
    a cursor stays valid when its row is no longer shown.
    """
    values = dict(values)
    where = [scope, live]
    if after is not None:
        cursor = database.row(f"SELECT seq FROM {table} WHERE id = :after AND {scope}", {**values, "after": after})
        if cursor is None:
            raise UnknownCursor(after)
        where.append("seq < :cursor" if newest_first else "seq > :cursor")
        values["cursor"] = cursor["seq"]
    order = "DESC" if newest_first else "ASC"
    sql = f"SELECT * FROM {table} WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT :count"
    rows = database.rows(sql, {**values, "count": limit + 1})
    return Page(rows[:limit], len(rows) > limit)
