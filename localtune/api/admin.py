"""Who may share checkpoints: admin key → project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from localtune.api.auth import bearer, project
from localtune.api.errors import APIError


async def admin_project(request: Request) -> AsyncIterator[str]:
    """FastAPI dependency: the project of the request's admin key; 401 for an unknown key, 403 for an ordinary one.

    The key's requests are counted like those of any other: 429 beyond the limits.
    """
    key = bearer(request)
    owner = await run_in_threadpool(request.app.state.store.permissions.admin, key)
    if owner is None:
        await project(request)  # refuses an unknown key
        raise APIError(
            403, "You have insufficient permissions for this operation. Missing scopes: "
            "api.fine_tuning.checkpoints.permissions. Checkpoint permissions need an admin key (HINT: "
            "`python -m localtune keys admin` makes one).",
        )
    request.state.project = owner.project
    with request.app.state.limits.admitted(f"admin key {owner.id}"):
        yield owner.project


Admin = Annotated[str, Depends(admin_project)]
