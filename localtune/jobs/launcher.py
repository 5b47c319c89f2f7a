"""Where workers run. Whatever the launcher, a job is one specification and one worker program; see `localtune.train`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

from localtune.config import Settings


class Worker(Protocol):
    """One attempt at a job, on its way."""

    hung: str  # why it had to be ended; "" unless it had to be
    log: bytes  # the end of what it wrote beside its messages

    def messages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """What the worker reports until it ends; messages that are there together come together."""

    async def ended(self) -> int:
        """Exit status, once it is gone and its log read."""

    async def kill(self) -> None:
        """End it now, with every process it has; nothing of it is left afterwards."""


class Launcher(Protocol):
    async def prepare(self) -> None:
        """Whatever makes the next start quicker."""

    async def start(self, spec: Path) -> Worker:
        """A worker that trains what `spec` says; raises JobError when there can be none."""

    async def close(self) -> None:
        """End what `prepare` began."""


def launcher_of(settings: Settings) -> Launcher:
    """The launcher that the settings name; raises ValueError when something is missing for it."""
    patience = settings.hung_after_seconds, settings.silent_after_seconds
    if settings.launcher == "torchrun":
        from localtune.jobs.launcher_torchrun import TorchrunLauncher

        return TorchrunLauncher(settings.processes, *patience)
    if settings.launcher == "ray":
        from localtune.jobs.launcher_ray import RayLauncher

        return RayLauncher(settings.ray_address, settings.ray_gpus, settings.processes, settings.silent_after_seconds)
    from localtune.jobs.launcher_local import LocalLauncher

    return LocalLauncher(settings.worker, *patience)
