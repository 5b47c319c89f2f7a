"""The application: what it is made of, and how it starts and stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from localtune import __version__
from localtune.api import (
    chat, completions, files, graders, handlers, jobs, models, moderations, permissions, uploads,
)
from localtune.api.body import BodyLimit
from localtune.api.limits import Limits
from localtune.blobs import Blobs
from localtune.catalog import Catalog
from localtune.config import Settings
from localtune.infer.engine import Engine
from localtune.jobs.supervisor import Supervisor
from localtune.store import Store


def create_app(settings: Settings, store: Store) -> FastAPI:
    """The service on an open store; its supervisor and engine live as long as the application runs."""
    # No generated pages: they would load scripts from the internet.
    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    state = app.state
    state.settings, state.store = settings, store
    state.blobs = Blobs(settings.state / "blobs")
    state.catalog = Catalog(store, settings.state, settings.bases, settings.open_bases)
    state.supervisor = Supervisor(settings, store, state.blobs, state.catalog)
    state.engine = Engine(open_threads=settings.threads, open_bytes=settings.max_model_bytes)
    state.activity = handlers.Activity()
    state.limits = Limits(settings, store)
    app.add_middleware(BodyLimit, settings=settings)
    handlers.install(app)
    for module in (files, uploads, jobs, permissions, graders, models, moderations, chat, completions):
        app.include_router(module.router, prefix="/v1")
    app.add_api_route("/healthz", health)
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.engine.start()
    await app.state.supervisor.start()
    yield
    await app.state.supervisor.stop()
    app.state.engine.close()


def health(request: Request) -> dict[str, Any]:
    """Who answers, without a key: version, how busy, which bases, which open-weight models are loaded (how long that took)."""
    counts = request.app.state.store.jobs.counts()
    waiting = counts.get("queued", 0) + counts.get("validating_files", 0)
    return {
        "status": "ok",
        "version": __version__,
        "jobs": {"running": counts.get("running", 0), "queued": waiting},
        "base": {name: {"parameters": n} for name, n in request.app.state.catalog.installed().items()},
        "loaded": request.app.state.engine.open.loaded(),
    }
