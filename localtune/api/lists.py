"""The list envelope and its query parameters, the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

MAX_LIMIT = 10_000

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
After = Annotated[str | None, Query()]


def listing(data: Sequence[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    return {"object": "list", "data": list(data), "has_more": has_more}


def listing_with_ends(data: Sequence[dict[str, Any]], has_more: bool, none: str | None) -> dict[str, Any]:
    """With the ids of the first and last item; `none` where there is no item."""
    ids = [item["id"] for item in data] or [none]
    return {**listing(data, has_more), "first_id": ids[0], "last_id": ids[-1]}
