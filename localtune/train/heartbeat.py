"""A sign of life where work goes on without a step to report: long files, long validations.

Called from the work itself. A thread of its own would go on beating beside work that never ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

EVERY = 30.0  # seconds; the service's patience is much longer


class Heartbeat:
    """Call it as often as you like; it speaks at most every `EVERY` seconds."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self.emit, self.last = emit, time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.last >= EVERY:
            self.last = now
            self.emit({"type": "alive"})
