"""Finds the local fine-tuning service, or starts it. Used by `connect`; notebooks rarely need it directly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import platformdirs

from helpers.progress import Progress
from helpers.tables import ROOT

STATE_IN_USE = 3  # exit status of a service that found another one on its state folder
START_SECONDS = 120.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
GUARD = Path(__file__).with_name("guard.py")
_WINDOWS_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class ServiceError(RuntimeError):
    """The local service could not be started or does not answer; the message ends with its last log lines."""


def state_folder() -> Path:
    """Where the local service keeps jobs, files and models: `LOCALTUNE_STATE`, else the user's data folder."""
    chosen = os.environ.get("LOCALTUNE_STATE") or platformdirs.user_data_dir("localtune")
    return Path(chosen).expanduser().resolve()


def is_loopback(url: str) -> bool:
    """True if the URL leads to this machine."""
    return urlsplit(url).hostname in LOOPBACK


def health(base_url: str, timeout: float = 2.0) -> dict[str, Any] | None:
    """What the local service says about itself at `base_url`, or None if something else (or nothing) answers.

    Only a reply with the service's own fields counts: a gateway on this machine may well pass requests on to a paid
    provider. No key is sent.
    """
    root = base_url.rstrip("/").removesuffix("/v1")
    try:
        reply = httpx2.get(f"{root}/healthz", timeout=timeout, trust_env=not is_loopback(base_url))
        facts = reply.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return None
    known = isinstance(facts, dict) and {"version", "jobs", "base"} <= facts.keys() and facts.get("status") == "ok"
    return facts if known else None


def takes_key(base_url: str, key: str) -> bool:
    """True unless the local service at `base_url` refuses the key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.get(f"{base_url.rstrip('/')}/models", headers=headers, trust_env=False).status_code != 401


def find_service(state: Path) -> str | None:
    """Base URL of the service that runs on a state folder, or None; a file left by a killed one does not count."""
    try:
        url = str(json.loads((state / "service.json").read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    url = url.rstrip("/").removesuffix("/v1").replace("//0.0.0.0", "//127.0.0.1") + "/v1"
    return url if health(url) else None


_beside: dict[Path, int] = {}  # state folder → our end of the pipe whose closing ends the service on it


def start_service(
    state: Path, command: Sequence[str] | None = None, timeout: float = START_SECONDS, stdin: int = subprocess.DEVNULL
) -> str:
    """Starts the service as a process of its own and returns its base URL once it answers.

    It outlives the notebook and ends itself after 30 idle minutes. When two notebooks start at once one of the two
    services gives way, and both notebooks get the other. Raises ServiceError with the end of STATE/service.log.
    """
    state.mkdir(parents=True, exist_ok=True)
    log = state / "service.log"
    old = log.stat().st_size if log.exists() else 0
    progress = Progress("Starting the local service …")
    process = _launch(command or _command(state), log, stdin)
    try:
        url = _wait(process, state, timeout, progress)
    except BaseException:  # interrupted: nobody else knows this process yet
        process.terminate()
        raise
    if url is None:
        progress.close("The local service did not start.")
        raise ServiceError(_why(process, log, old, timeout))
    progress.close(f"Local service started ({url}).")
    return url


def start_beside(name: str, *options: str) -> str:
    """Starts a second service with `options` of its own (`--base …`) and returns its base URL.

    Its state folder is `name` inside the usual one, so finished jobs are found again. It ends with `stop_beside` or with
    this Python process, however that ends. Raises ServiceError.
    """
    stop_beside(name)
    state = state_folder() / name
    theirs, _beside[state] = os.pipe()
    try:
        return start_service(state, [sys.executable, str(GUARD), *_command(state), *options], stdin=theirs)
    except BaseException:
        stop_beside(name)
        raise
    finally:
        os.close(theirs)


def stop_beside(name: str, patience: float = 20.0) -> None:
    """Ends the service that `start_beside` started and waits until it no longer answers; none: nothing happens."""
    state = state_folder() / name
    if (end := _beside.pop(state, None)) is None:
        return
    os.close(end)
    over = time.monotonic() + patience
    while find_service(state) and time.monotonic() < over:
        time.sleep(0.1)


def _wait(process: subprocess.Popen[bytes], state: Path, timeout: float, progress: Progress) -> str | None:
    """Base URL of the service on `state` once it answers; None if `process` ended or the time is over."""
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < timeout:
        if url := find_service(state):
            return url
        if process.poll() not in (None, STATE_IN_USE):
            return None
        progress.update(0, None, f"Starting the local service … {seconds:.0f} s")
        time.sleep(0.2)
    return None


def _command(state: Path) -> list[str]:
    serve = [sys.executable, "-m", "localtune", "serve"]
    return [*serve, "--port", "0", "--idle-exit", "30", "--state", str(state)]


def _launch(command: Sequence[str], log: Path, stdin: int) -> subprocess.Popen[bytes]:
    """Detached: an interrupt or restart of the kernel must not reach a job that is training."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"}
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=stdin,
            stdout=out,
            stderr=out,
            start_new_session=True,  # without effect on Windows, where the flags do it
            creationflags=_WINDOWS_FLAGS,
        )


def _why(process: subprocess.Popen[bytes], log: Path, old: int, timeout: float) -> str:
    ended = process.poll()
    what = f"did not answer within {timeout:.0f} s" if ended is None else f"ended with exit status {ended}"
    with log.open("rb") as file:
        file.seek(old)
        tail = file.read().decode("utf-8", "replace").splitlines()[-15:]
    return "\n".join([f"The local service {what}. The end of {log}:", *tail, "Try: python3 start.py doctor"])
