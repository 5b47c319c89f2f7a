"""A group of workers on this machine: torchrun starts one process per GPU, or as many as one likes on processors.

torchrun's own restarts stay off. A fresh group from the last saved state recovers more often (docs/decisions.md), and that
is what the supervisor makes of any crash.
"""

from __future__ import annotations

import contextlib
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path

import psutil

from localtune.jobs.launcher_local import ProcessWorker, spawn

SIGKILL = 9
WORKING_SHARE = 0.01  # of a processor, for each process: gloo alone uses a third of that while it waits


def torchrun(processes: int) -> tuple[str, ...]:
    """The command that starts the worker so often, without the worker's own options."""
    places = ("--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes))
    return (sys.executable, "-m", "torch.distributed.run", *places, "-m", "localtune.train")


class GroupWorker(ProcessWorker):
    """torchrun and its processes. They share its pipes: they end when stdin closes, and stdout is open until the last ends."""

    def __init__(self, size: int, process: Process, hung_after: float, silent_after: float) -> None:
        super().__init__(process, hung_after, silent_after)
        self.size, self._ranks = size, frozenset[psutil.Process]()
        self.working_share = size * WORKING_SHARE

    async def ended(self) -> int:
        """torchrun's exit status, or that of a process which the system killed: what torchrun says of it tells the cause."""
        status = await super().ended()
        return -SIGKILL if status and f"Signal {SIGKILL}".encode() in self.log else status

    def _working(self) -> Iterable[psutil.Process]:
        """torchrun itself only until they are there: it looks after them ten times a second, also when they hang."""
        if len(self._ranks) < self.size:
            self._look()
        return self._ranks or super()._working()

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._ranks |= frozenset(psutil.Process(self.process.pid).children(recursive=True))

    def _end(self) -> None:
        """Its processes have sessions of their own, so no signal reaches them all."""
        if self.alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self.process.pid).suspend()  # starts no further process
            self._look()
        for rank in self._ranks:
            with contextlib.suppress(psutil.NoSuchProcess):
                rank.kill()
        self.process.stdin.close()
        super()._end()


class TorchrunLauncher:
    """Starts a fresh group for every attempt."""

    def __init__(self, processes: int, hung_after: float, silent_after: float) -> None:
        self.processes, self.hung_after, self.silent_after = processes, hung_after, silent_after

    async def prepare(self) -> None:
        """Nothing: torchrun takes the whole command line at once."""

    async def start(self, spec: Path) -> GroupWorker:
        process = await spawn((*torchrun(self.processes), "--spec", str(spec)))
        return GroupWorker(self.processes, process, self.hung_after, self.silent_after)

    async def close(self) -> None:
        """Nothing waits."""
