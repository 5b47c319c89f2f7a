"""Who may share checkpoints: admin key → project."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from localtune.api.auth import bearer, project
from localtune.api.errors import APIError


async def admin_project(request: Request) -> str:
    """FastAPI dependency: the project of the request's admin key; 401 for an unknown key, 403 for an ordinary one."""
    key = bearer(request)
    owner = await run_in_threadpool(request.app.state.store.permissions.admin_project, key)
    if owner is None:
        await project(request)  # refuses an unknown key
        raise APIError(
            403, "You have insufficient permissions for this operation. Missing scopes: "
            "api.fine_tuning.checkpoints.permissions. Checkpoint permissions need an admin key (HINT: "
            "`python -m localtune keys admin` makes one).",
        )
    return owner


Admin = Annotated[str, Depends(admin_project)]
