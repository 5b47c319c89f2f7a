"""Who is asking: bearer key → project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from localtune.api.errors import APIError
from localtune.config import is_loopback
from localtune.store.keys import BUILTIN_KEY

KEYS_PAGE = "https://platform.openai.com/account/api-keys"


async def project(request: Request) -> str:
    """FastAPI dependency: the project of the request's key; 401 without a known key."""
    key = bearer(request)
    owner = None
    if key != BUILTIN_KEY or builtin_key_allowed(request):
        owner = await run_in_threadpool(request.app.state.store.keys.find, key)
    if owner is None:
        raise APIError(
            401, f"Incorrect API key provided: {masked(key)}. You can find your API key at {KEYS_PAGE}.",
            code="invalid_api_key",
        )
    request.state.key_id, request.state.project = owner.id, owner.project
    return owner.project


def builtin_key_allowed(request: Request) -> bool:
    """Everybody knows the built-in key, so it opens the service only under this machine's own names.

    A web page can point its own name at this machine (DNS rebinding), but then the browser asks under that name.
    """
    return request.app.state.settings.builtin_key_allowed and is_loopback(request.url.hostname or "")


def bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise APIError(
            401, "You didn't provide an API key. You need to provide your API key in an Authorization header using "
            "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
    return key.strip()


def masked(key: str) -> str:
    """Enough of the key to recognise it, never enough to use it."""
    if len(key) <= 11:
        return key[:3] + "*" * (len(key) - 3)
    return f"{key[:7]}{'*' * 8}{key[-4:]}"


async def admitted(request: Request, project: Annotated[str, Depends(project)]) -> AsyncIterator[str]:
    """FastAPI dependency: the project, while its key's request counts among those being answered; 429 beyond the limits."""
    with request.app.state.limits.admitted(f"key {request.state.key_id}"):
        yield project


Project = Annotated[str, Depends(admitted)]
