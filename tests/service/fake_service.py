"""The real service with the fake worker and no inference: `fake_service.py STATE BASES [idle minutes]`.

`FAKE_SETTINGS` in the environment changes other settings: a JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from fastapi import APIRouter

WORKER = Path(__file__).with_name("fake_worker.py")


class NoEngine:
    """Stands in for the engine, whose import of PyTorch would take longer than most of these tests."""

    def __init__(self, **_settings: object) -> None:
        self.open = SimpleNamespace(loaded=dict)  # no open-weight model is

    def start(self) -> None: ...
    def close(self) -> None: ...
    def unload(self, folder: Path) -> None: ...


def without_inference() -> None:
    for name, content in {
        "localtune.infer.engine": {"Engine": NoEngine},
        "localtune.api.generation": {"engine_failure": None},
        "localtune.api.chat": {"router": APIRouter()},
        "localtune.api.completions": {"router": APIRouter()},
        "localtune.api.graders": {"router": APIRouter()},
    }.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(content)


if __name__ == "__main__":
    without_inference()
    from localtune.config import Settings
    from localtune.serve import serve

    state, bases, *idle = sys.argv[1:]
    changes = {"worker": [sys.executable, str(WORKER)], **json.loads(os.environ.get("FAKE_SETTINGS", "{}"))}
    settings = Settings(
        state=Path(state), bases=Path(bases), port=0, idle_exit_minutes=float(idle[0]) if idle else None, **changes
    )
    sys.exit(serve(settings))
