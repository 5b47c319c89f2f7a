"""Keeps a local service running for as long as a job needs it; the tests use it too."""
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import psutil

from helpers.service import find_service, is_loopback, start_service, state_folder

ROOT = Path(__file__).resolve().parent.parent
IDLE_MINUTES = 240  # long enough for somebody reading in Lab; a service left behind by a killed start still ends
STOP_SECONDS = 20


@contextlib.contextmanager
def service(state: Path) -> Iterator[str]:
    """The address of the service on `state`: one that runs is used, one started here is stopped at the end."""
    found = find_service(state)
    command = [sys.executable, "-m", "localtune", "serve", "--port", "0", "--state", str(state), "--idle-exit", str(IDLE_MINUTES)]
    try:
        yield found or start_service(state, command)
    finally:
        # When two start at once only one wins: the other's is not ours to stop.
        if not found and service_process(state) in psutil.Process().children(recursive=True):
            stop_service(state)


def service_process(state: Path) -> psutil.Process | None:
    """The process of the service on `state`, if it runs."""
    try:
        return psutil.Process(json.loads((state / "service.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def stop_service(state: Path) -> None:
    """End the service on `state` and wait until it has; nothing happens when none runs."""
    if process := service_process(state):
        stop(process)


def stop(process: psutil.Process | subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            process.kill()


def wait_for(command: list[str], **how: Any) -> int:
    """Exit status of a program in our terminal; Ctrl-C is its own to answer, and it ends when we are ended."""
    process = subprocess.Popen(command, **how)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        stop(process)


def answered_elsewhere() -> bool:
    """Whether the notebooks will talk to an address that was set, a paid provider's or a local one."""
    return os.environ.get("COURSE_MODE") == "live" or is_loopback(os.environ.get("OPENAI_BASE_URL", ""))


def course_service() -> contextlib.AbstractContextManager[str]:
    """The address that answers the notebooks; the user's local service unless another was set."""
    if answered_elsewhere():
        return contextlib.nullcontext(os.environ.get("OPENAI_BASE_URL", "the provider of COURSE_MODE=live"))
    os.environ["LOCALTUNE_STATE"] = str(state_folder())  # the kernels look where we looked
    return service(state_folder())
