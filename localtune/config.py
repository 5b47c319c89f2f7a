"""Every setting of the service, typed and checked in one place."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import psutil

from localtune.jobs.spec import Sharding

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / "data"
REHEARSAL = DATA / "base" / "rehearsal.jsonl"  # rows of the small base's corpus
MB = 1024 * 1024


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


LAUNCHERS = ("local", "torchrun", "ray")
POSITIVE = (
    "max_running_jobs", "threads", "processes", "hung_after_seconds", "silent_after_seconds", "retry_seconds", "busy_seconds",
    "wandb_seconds",
    "max_file_bytes", "max_line_bytes", "max_part_bytes", "max_parts", "upload_seconds", "max_body_bytes",
    "max_json_depth", "max_open_requests", "max_requests_per_minute", "max_unfinished_jobs",
    "max_state_bytes", "max_model_bytes",
)


@dataclass(frozen=True)
class Settings:
    """How one service runs. Raises ValueError for values that make no sense."""

    state: Path = field(default_factory=default_state_dir)
    host: str = "127.0.0.1"
    port: int = 8123  # 0: any free port
    own_keys_only: bool = False  # refuse the built-in key `sk-local`
    idle_exit_minutes: float | None = None  # stop after so long without a request or a job
    max_running_jobs: int = 1
    hung_after_seconds: float = 120.0  # a worker that neither reports nor computes for so long is started again
    silent_after_seconds: float = 1_800.0  # so is one that computes, but reports nothing for so long
    retry_seconds: float = 10.0  # until a job tries again after a full disk or a locked database
    busy_seconds: float = 10.0  # that a write waits for another process to leave the database
    wandb_seconds: float = 120.0  # for the Weights & Biases runs of one job, after its end
    max_file_bytes: int = 512 * MB
    max_line_bytes: int = 16 * MB  # of a training file
    max_part_bytes: int = 64 * MB  # of an upload in parts
    max_parts: int = 1_000  # of one upload
    upload_seconds: int = 3_600  # for which an upload in parts stays open
    max_body_bytes: int = 16 * MB  # of a request that is no upload
    max_json_depth: int = 64  # arrays and objects inside each other
    max_open_requests: int = 64  # of one key at once; more: 429
    max_requests_per_minute: int = 6_000  # of one key; more: 429
    max_unfinished_jobs: int = 100  # of one key; more: 429
    max_state_bytes: int | None = None  # of the whole state folder; more: no uploads and jobs
    min_free_bytes: int = 256 * MB  # that the state folder's disk keeps; less: no uploads and jobs
    max_model_bytes: int | None = None  # of open-weight models kept in memory for answers; None: as many as there is room for
    threads: int = field(default_factory=default_threads)  # of one training job; also of answers of open-weight models
    bases: Path = DATA / "base"  # one folder per built-in base model
    open_bases: Mapping[str, str] = field(default_factory=dict)  # of open weights: name → absolute folder or hub id
    launcher: str = "local"  # of training jobs: one of `LAUNCHERS`
    processes: int = 1  # that train one job together
    sharding: Sharding | None = None  # of open-weight models among them; None: each process holds all of a model
    ray_address: str | None = None  # of a cluster's dashboard; None: what RAY_ADDRESS says, else the one on this machine
    ray_gpus: float = 0  # that a job asks the cluster for; 0: it runs on the cluster's head
    worker: tuple[str, ...] = (sys.executable, "-m", "localtune.train", "--warm")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        if self.idle_exit_minutes is not None and self.idle_exit_minutes <= 0:
            raise ValueError(f"idle exit must be more than 0 minutes, not {self.idle_exit_minutes}")
        for name in POSITIVE:
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)}")
        if self.launcher not in LAUNCHERS:
            raise ValueError(f"there is no launcher {self.launcher}; there are {', '.join(LAUNCHERS)}")
        if self.processes > 1 and self.launcher == "local":
            raise ValueError("the launcher local trains with one process: add --launcher torchrun for more")
        if self.sharding and self.processes == 1:
            raise ValueError("--accelerate spreads a model over processes: add --launcher torchrun --processes 2, or more")
        if self.ray_gpus < 0:
            raise ValueError(f"a job cannot have {self.ray_gpus:g} GPUs")

    def check_host(self) -> None:
        """Raises ValueError when others could reach the service and there are no keys to tell them apart."""
        if not is_loopback(self.host) and not self.own_keys_only:
            raise ValueError(
                f"{self.host} can be reached from other machines: add --keys, and make a key for everybody with "
                "`python -m localtune keys add NAME`"
            )

    @property
    def builtin_key_allowed(self) -> bool:
        """The key everybody knows is for this machine alone."""
        return not self.own_keys_only and is_loopback(self.host)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
