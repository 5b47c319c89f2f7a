"""A second service beside the usual one: it has options of its own and never outlives who started it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import service
from helpers.service import ServiceError, find_service, start_beside, stop_beside

ROOT = Path(__file__).parents[2]
STUB = Path(__file__).with_name("stub_service.py")
HOLDER = """
import sys
from helpers import service
service._command = lambda state: [sys.executable, sys.argv[1], str(state)]
print(service.start_beside("second"), flush=True)
input()
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a second service, which is the stub."""
    monkeypatch.setenv("LOCALTUNE_STATE", str(tmp_path))
    monkeypatch.setattr(service, "_command", lambda folder: [sys.executable, str(STUB), str(folder)])
    return tmp_path / "second"


def wait_until(look: Callable[[], bool]) -> None:
    for _ in range(600):
        if look():
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute in vain")


def test_started_and_stopped(state: Path) -> None:
    url = start_beside("second")
    assert find_service(state) == url and find_service(state.parent) is None
    stop_beside("second")
    assert find_service(state) is None
    stop_beside("second")  # with none running: no error


def test_it_ends_with_a_process_that_is_killed(state: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(STUB)], cwd=ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        url = next(line.strip() for line in holder.stdout if line.startswith("http"))
        assert find_service(state) == url
        holder.kill()
    wait_until(lambda: find_service(state) is None)


def test_one_that_does_not_start_says_why(state: Path) -> None:
    with pytest.raises(ServiceError, match="No module named 'torch'"):
        start_beside("second", "--fail")
    assert not service._beside
