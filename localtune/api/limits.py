"""What one key may ask of the service; the numbers are in `Settings`."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

from localtune.api.errors import APIError
from localtune.config import Settings

if TYPE_CHECKING:
    from localtune.store import Store

MINUTE = 60.0
RETRY_JOBS = 30  # seconds; a place among a key's jobs becomes free when one of them ends
MEASURE_EVERY = 10.0  # seconds between two walks over the state folder


class Limits:
    """Counts per key, in memory: a restart forgives. Thread-safe."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self._lock = threading.Lock()
        self._creating = threading.Lock()
        self._open: dict[str, int] = defaultdict(int)
        self._budgets: dict[str, tuple[float, float]] = {}  # requests left, when counted
        self._used, self._used_at = 0, -MEASURE_EVERY

    @contextmanager
    def admitted(self, key: str) -> Iterator[None]:
        """Count a request of this key while it is answered; raises APIError 429."""
        with self._lock:
            if self._open[key] >= self.settings.max_open_requests:
                raise rate_limited(f"{self.settings.max_open_requests} requests at once", "requests", 1)
            self._spend(key)
            self._open[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[key] -= 1

    def _spend(self, key: str) -> None:
        """A token bucket: one request out, refilled evenly over a minute."""
        size, now = float(self.settings.max_requests_per_minute), time.monotonic()
        left, since = self._budgets.get(key, (size, now))
        left = min(size, left + (now - since) * size / MINUTE)
        if left < 1:
            raise rate_limited(f"{size:.0f} requests per min", "requests", max(1, round((1 - left) * MINUTE / size)))
        self._budgets[key] = left - 1, now

    @contextmanager
    def room_for_a_job(self, key_id: int) -> Iterator[None]:
        """Room for one more job of this key, to be made inside the block: nobody else makes one meanwhile.

        Raises APIError 429.
        """
        limit = self.settings.max_unfinished_jobs
        with self._creating:
            if self.store.jobs.unfinished(key_id) >= limit:
                raise rate_limited(f"{limit} unfinished fine-tuning jobs", "jobs", RETRY_JOBS)
            yield

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
