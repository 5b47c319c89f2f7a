"""What surrounds every request: headers, error bodies, the clock of the last activity."""

from __future__ import annotations

import logging
import sqlite3
import time
import uuid

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localtune import __version__
from localtune.api.errors import APIError, crash
from localtune.api.generation import engine_failure
from localtune.api.limits import busy, no_room, read_only
from localtune.api.schema import invalid, validation_error
from localtune.infer.request import EngineError
from localtune.store.pages import UnknownCursor
from localtune.store.trouble import is_full, is_passing, is_read_only

log = logging.getLogger("localtune")


def install(app: FastAPI) -> None:
    """Replace every handler of the framework that would write a body of its own."""
    app.add_middleware(Surroundings, state=app.state)

    @app.exception_handler(APIError)
    async def on_api_error(request: Request, error: APIError) -> JSONResponse:
        return error.response()

    @app.exception_handler(EngineError)
    async def on_engine_error(request: Request, error: EngineError) -> JSONResponse:
        return engine_failure(error).response()

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
        return validation_error(error, request.url.path).response()

    @app.exception_handler(UnknownCursor)
    async def on_unknown_cursor(request: Request, error: UnknownCursor) -> JSONResponse:
        return invalid("after", str(error), "no such object in this list").response()

    @app.exception_handler(sqlite3.OperationalError)
    @app.exception_handler(OSError)
    async def on_storage_error(request: Request, error: Exception) -> JSONResponse:
        if not is_passing(error):
            raise error
        log.error("%s %s: %s", request.method, request.url.path, error)
        if is_read_only(error):
            return read_only().response()
        return (no_room("The disk is full.") if is_full(error) else busy()).response()

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
        return http_error(request, error).response()


def http_error(request: Request, error: HTTPException) -> APIError:
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return APIError(404, f"Invalid URL ({request.method} {request.url.path})", headers=headers)
    if error.status_code == 405:
        message = f"Not allowed to {request.method} on {request.url.path}. (HINT: use {headers.get('Allow')}.)"
        return APIError(405, message, headers=headers)
    return APIError(error.status_code, str(error.detail), headers=headers)


class Activity:
    """When the service was last used; open requests count as use."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()

    def idle_seconds(self) -> float:
        return 0.0 if self.open else time.monotonic() - self.last


class Surroundings:
    """ASGI middleware: response headers, activity, and the 500 for whatever nobody caught."""

    def __init__(self, app: ASGIApp, state: object) -> None:
        self.app = app
        self.activity: Activity = state.activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id, began = f"req_{uuid.uuid4().hex}", time.monotonic()
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(response_headers(scope, request_id, began))
            await send(message)

        self.activity.open += 1
        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # nobody is left to answer
        except Exception:
            log.exception("%s %s failed, %s", scope["method"], scope["path"], request_id)
            if started:
                raise
            await crash(request_id).response()(scope, receive, send_with_headers)
        finally:
            self.activity.open -= 1
            self.activity.last = time.monotonic()


def response_headers(scope: Scope, request_id: str, began: float) -> dict[str, str]:
    project = scope.get("state", {}).get("project")  # unknown until the key has been checked
    return {
        **({"openai-project": project} if project else {}),
        "openai-processing-ms": str(round(1000 * (time.monotonic() - began))),
        "x-request-id": request_id,
        "openai-version": "2020-10-01",
        "openai-organization": "localtune",
        "x-localtune": __version__,
    }
