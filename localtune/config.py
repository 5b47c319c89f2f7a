"""Every setting of the service, typed and checked in one place."""

from __future__ import annotations

import ipaddress
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import psutil

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / "data"
MAX_UPLOAD_BYTES = 512 * 1024 * 1024


def default_state_dir() -> Path:
    """Folder of database, files and models: `LOCALTUNE_STATE`, else the user's data folder."""
    chosen = os.environ.get("LOCALTUNE_STATE")
    return Path(chosen or platformdirs.user_data_dir("localtune")).expanduser().resolve()


def default_threads() -> int:
    """One thread per physical core but one, which stays free for answers.

    Threads that share a core with anything else wait for each other at every step: two on two busy cores are many times
    slower than one. Hyper-threads only get in each other's way in matrix products.
    """
    return max(1, (psutil.cpu_count(logical=False) or os.cpu_count() or 1) - 1)


@dataclass(frozen=True)
class Settings:
    """How one service runs. Raises ValueError for values that make no sense."""

    state: Path = field(default_factory=default_state_dir)
    host: str = "127.0.0.1"
    port: int = 8123  # 0: any free port
    own_keys_only: bool = False  # refuse the built-in key `sk-local`
    idle_exit_minutes: float | None = None  # stop after so long without a request or a job
    max_running_jobs: int = 1
    threads: int = field(default_factory=default_threads)  # of one training job
    bases: Path = DATA / "base"  # one folder per base model
    worker: tuple[str, ...] = (sys.executable, "-m", "localtune.train", "--warm")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        if self.idle_exit_minutes is not None and self.idle_exit_minutes <= 0:
            raise ValueError(f"idle exit must be more than 0 minutes, not {self.idle_exit_minutes}")
        if self.max_running_jobs < 1 or self.threads < 1:
            raise ValueError("a service needs at least one running job and one thread")

    @property
    def builtin_key_allowed(self) -> bool:
        """The key everybody knows is for this machine alone."""
        return not self.own_keys_only and is_loopback(self.host)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
