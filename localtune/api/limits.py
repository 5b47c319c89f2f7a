"""What one request and one key may ask of the service; the numbers are in `Settings`."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localtune.api.errors import APIError
from localtune.config import Settings

if TYPE_CHECKING:
    from localtune.store import Store

MINUTE = 60.0
RETRY_JOBS = 30  # seconds; a place among a key's jobs becomes free when one of them ends
# A string, ended or not, or a bracket. Strings match first, so that brackets inside them do not count.
BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
MEASURE_EVERY = 10.0  # seconds between two walks over the state folder


class Limits:
    """Counts per key, in memory: a restart forgives. Thread-safe."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self._lock = threading.Lock()
        self._open: dict[int, int] = defaultdict(int)
        self._budgets: dict[int, tuple[float, float]] = {}  # requests left, when counted
        self._used, self._used_at = 0, -MEASURE_EVERY

    @contextmanager
    def admitted(self, key_id: int) -> Iterator[None]:
        """Count a request of this key while it is answered; raises APIError 429."""
        with self._lock:
            if self._open[key_id] >= self.settings.max_open_requests:
                raise rate_limited(f"{self.settings.max_open_requests} requests at once", "requests", 1)
            self._spend(key_id)
            self._open[key_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[key_id] -= 1

    def _spend(self, key_id: int) -> None:
        """A token bucket: one request out, refilled evenly over a minute."""
        size, now = float(self.settings.max_requests_per_minute), time.monotonic()
        left, since = self._budgets.get(key_id, (size, now))
        left = min(size, left + (now - since) * size / MINUTE)
        if left < 1:
            raise rate_limited(f"{size:.0f} requests per min", "requests", max(1, round((1 - left) * MINUTE / size)))
        self._budgets[key_id] = left - 1, now

    def check_jobs(self, key_id: int) -> None:
        """Room for one more job of this key; raises APIError 429."""
        limit = self.settings.max_unfinished_jobs
        if self.store.jobs.unfinished(key_id) >= limit:
            raise rate_limited(f"{limit} unfinished fine-tuning jobs", "jobs", RETRY_JOBS)

    def check_disk(self, incoming: int = 0) -> None:
        """Room for `incoming` bytes more; raises APIError 507, which waiting does not help against."""
        state, limit = self.settings.state, self.settings.max_state_bytes
        if disk_usage(state).free - incoming < self.settings.min_free_bytes:
            raise no_room(f"The disk of the state folder has less than {self.settings.min_free_bytes:,} bytes left.")
        if limit is not None and self._state_bytes() + incoming > limit:
            raise no_room(f"The state folder may hold {limit:,} bytes in all.")

    def _state_bytes(self) -> int:
        with self._lock:
            if time.monotonic() - self._used_at >= MEASURE_EVERY:
                self._used, self._used_at = folder_bytes(self.settings.state), time.monotonic()
            return self._used


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below; one that vanishes meanwhile counts as nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def rate_limited(limit: str, kind: str, seconds: int) -> APIError:
    message = f"Rate limit reached for this API key: at most {limit}. Please try again in {seconds}s."
    return APIError(
        429, message, type=kind, code="rate_limit_exceeded", headers={"retry-after": str(seconds)},
    )


def no_room(reason: str) -> APIError:
    message = f"{reason} Delete files or models that are no longer needed, then try again."
    return APIError(507, message, type="server_error", code="insufficient_storage", headers={"x-should-retry": "false"})


def read_only() -> APIError:
    message = "The service's state folder cannot be written. Make it writable, or restart the service with another --state."
    return APIError(503, message, type="server_error", headers={"x-should-retry": "false"})


def busy() -> APIError:
    message = "The service's database is in use by another process. Please try again."
    return APIError(503, message, type="server_error", headers={"retry-after": "1"})


class BodyLimit:
    """ASGI middleware: refuses JSON bodies that are too long or too deep before anything reads them.

    Uploads (multipart) pass: they are streamed to disk under a limit of their own.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_multipart(scope):
            return await self.app(scope, receive, send)
        try:
            body = await self._read(receive)
        except APIError as error:
            return await error.response()(scope, receive, send)
        if body is not None:
            await self.app(scope, replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None when the client left before it was there."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.settings.max_body_bytes:
                raise APIError(413, f"Maximum content size limit ({self.settings.max_body_bytes}) exceeded")
        limit = self.settings.max_json_depth
        # Counting characters takes a moment for a long body, and the event loop has others to serve.
        if body and await anyio.to_thread.run_sync(depth, bytes(body), limit) > limit:
            raise APIError(400, f"We could not parse the JSON body of your request: more than {limit} levels deep.")
        return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then whatever comes next."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


def is_multipart(scope: Scope) -> bool:
    return dict(scope["headers"]).get(b"content-type", b"").startswith(b"multipart/form-data")


def depth(body: bytes, limit: int) -> int:
    """How deep brackets are nested outside strings; stops counting beyond `limit`."""
    level = deepest = 0
    for match in BRACKETS.finditer(body):
        if match[0] in b"[{":
            level += 1
            deepest = max(deepest, level)
            if level > limit:
                break
        elif match[0] in b"]}":
            level -= 1
    return deepest
