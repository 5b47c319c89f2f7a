"""The process around the application: lock, socket, service.json, signals, idle exit."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import uvicorn

from localtune import __version__
from localtune.config import Settings
from localtune.lock import StateLock
from localtune.openweight.bases import FILE, read_bases
from localtune.store import Store
from localtune.store.jobs import WAITING

FOLDER_IN_USE = 3  # exit status
GRACE_SECONDS = 5  # for answers in progress when the service stops


class Server(uvicorn.Server):
    """uvicorn, with a word when it is ready and an end when nobody needs it."""

    def __init__(self, config: uvicorn.Config, settings: Settings, store: Store, url: str) -> None:
        super().__init__(config)
        self.settings, self.store, self.url = settings, store, url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        announce(self.settings.state, self.url)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._idle()

    def _idle(self) -> bool:
        limit = self.settings.idle_exit_minutes
        if limit is None or self.config.app.state.activity.idle_seconds() < limit * 60:
            return False
        counts = self.store.jobs.counts()
        return not any(counts.get(status) for status in (*WAITING, "running"))


def serve(settings: Settings) -> int:
    """Run the service until a signal or idleness ends it; returns the exit status."""
    check_writable(settings.state)
    lock = StateLock(settings.state)
    if not lock.acquire():
        print(in_use(settings.state), file=sys.stderr)
        return FOLDER_IN_USE
    # Uploads pass through temporary files: on the state folder's disk, not in a /tmp that may be memory.
    temporary = settings.state / "tmp"
    temporary.mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary)
    store = Store(settings.state, settings.busy_seconds)
    try:
        run(settings, store)
    finally:
        (settings.state / "service.json").unlink(missing_ok=True)
        store.close()
        lock.release()
    return 0


def open_bases(state: Path, options: Iterable[str]) -> dict[str, str]:
    """The open-weight bases of `bases.json` and of `options`; raises ValueError."""
    options = list(options)
    if not options and not (state / FILE).exists():
        return {}
    from localtune.catalog import built_in_names  # loads FastAPI: not before it is needed

    return read_bases(state, options, built_in_names())


def check_writable(state: Path) -> None:
    """Raises OSError with place and cure; the database's own error would name neither."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state) as probe:
            probe.write(b"x")
        for path in state.glob("localtune.sqlite*"):
            path.open("rb+").close()
    except OSError as error:
        raise OSError(
            f"the state folder {state} cannot be written ({error.strerror}); choose another with --state"
        ) from error


def run(settings: Settings, store: Store) -> None:
    from localtune.api.app import create_app  # loads PyTorch: not before the folder is known to be free

    listener = listen(settings.host, settings.port)
    url = f"http://{shown_host(settings.host)}:{listener.getsockname()[1]}/v1"
    config = uvicorn.Config(
        create_app(settings, store), log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    # uvicorn stops in good order and then raises the signal again: by then it has done its work.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    Server(config, settings, store, url).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known before the first request; raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":  # on Windows the option would let two services share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def shown_host(host: str) -> str:
    """The host as it can stand in a URL that works on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def announce(state: Path, url: str) -> None:
    """Tell other processes (service.json) and the one that waits on stdout."""
    details = {"url": url, "pid": os.getpid(), "started_at": int(time.time()), "version": __version__}
    draft = state / "service.json.tmp"
    draft.write_text(json.dumps(details), encoding="utf-8")
    os.replace(draft, state / "service.json")
    print(f"ready {url}", flush=True)


def in_use(state: Path) -> str:
    try:
        service = json.loads((state / "service.json").read_text(encoding="utf-8"))
        by = f"the service at {service['url']} (pid {service['pid']})"
    except (OSError, ValueError, KeyError):  # it is just starting, or just stopping
        by = "another service"
    return f"state folder {state} is in use by {by}; stop it or choose another with --state"
