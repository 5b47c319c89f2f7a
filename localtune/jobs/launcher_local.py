"""One worker process on this machine: started ahead of time, spoken to through pipes, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import psutil

from localtune.config import PROJECT

log = logging.getLogger("localtune.jobs")

MAX_LINE = 1024 * 1024
LOG_BYTES = 64 * 1024
WORKING_SHARE = 0.001  # of a processor; a waiting process uses less
ENVIRONMENT = {
    # glibc hands freed pages back to the system after every step by default, which costs a third of the speed.
    # 32 MiB is the largest threshold it accepts; a larger value would be ignored.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_TOP_PAD_": str(64 << 20),
    # Threads that wait for each other by spinning keep the one they wait for off a busy processor: with two threads on
    # two busy cores, 19 steps took over a minute instead of 4 s.
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONIOENCODING": "utf-8",
}


class ProcessWorker:
    """A worker process. It ends by itself when its stdin closes, so also when this process is killed."""

    working_share = WORKING_SHARE

    def __init__(self, process: asyncio.subprocess.Process, hung_after: float, silent_after: float) -> None:
        self.process, self.hung_after, self.silent_after = process, hung_after, silent_after
        self.hung = ""  # why it was killed
        self.log = b""
        self._log_reader = asyncio.create_task(self._read_log())

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def begin(self, spec: Path) -> None:
        """Tell the waiting process what to train; raises ConnectionError when it is gone."""
        self.process.stdin.write(f"{spec}\n".encode())
        await self.process.stdin.drain()

    async def messages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """What the worker reports until it ends; lines that are there together come together."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        reader = asyncio.create_task(self._read_messages(queue))
        try:
            while (message := await self._next(queue)) is not None:
                batch = [message]
                while not queue.empty() and (message := queue.get_nowait()) is not None:
                    batch.append(message)
                yield batch
                if message is None:
                    break
        finally:
            reader.cancel()

    async def _next(self, queue: asyncio.Queue[dict[str, Any] | None]) -> dict[str, Any] | None:
        """The next message; None after the last one and when the worker had to be killed for its silence.

        Silence is counted in waits, not by a clock: a computer that was asleep for hours has not waited for hours.
        """
        silent = 0.0
        while not self.hung:
            used = self._processor_seconds()
            try:
                return await asyncio.wait_for(queue.get(), self.hung_after)
            except asyncio.TimeoutError:
                silent += self.hung_after
                self.hung = self._verdict(self._processor_seconds() - used, silent)
        self._end()
        return None

    def _verdict(self, used: float, silent: float) -> str:
        """Why a worker counts as hung that used so many seconds of processor in the last wait; "" when it does not."""
        if used < self.hung_after * self.working_share:
            return f"no message and no computing for {self.hung_after:g} s"
        return f"computing, but no message for {self.silent_after:g} s" if silent >= self.silent_after else ""

    def _processor_seconds(self) -> float:
        used = 0.0
        for process in self._working():
            with contextlib.suppress(psutil.Error):
                used += sum(process.cpu_times()[:2])
        return used

    def _working(self) -> Iterable[psutil.Process]:
        """The processes that compute."""
        with contextlib.suppress(psutil.NoSuchProcess):
            yield psutil.Process(self.process.pid)

    async def ended(self) -> int:
        """Exit status, once the process is gone and its log read."""
        status = await self.process.wait()
        await self._log_reader
        return status

    async def kill(self) -> None:
        """End it now: what it writes is written to a temporary name first, so nothing can be left half."""
        self._end()
        await self.ended()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _read_messages(self, queue: asyncio.Queue[dict[str, Any] | None]) -> None:
        try:
            async for line in self.process.stdout:
                queue.put_nowait(json.loads(line))
        except ValueError as error:
            log.error("worker %s wrote something that is no message: %s", self.process.pid, error)
            self._end()
        finally:
            queue.put_nowait(None)

    async def _read_log(self) -> None:
        while chunk := await self.process.stderr.read(4096):
            self.log = (self.log + chunk)[-LOG_BYTES:]


class LocalLauncher:
    """Starts workers as child processes and keeps one warm: imports alone take seconds."""

    def __init__(self, command: tuple[str, ...], hung_after: float, silent_after: float) -> None:
        self.command, self.hung_after, self.silent_after = command, hung_after, silent_after
        self._warm: ProcessWorker | None = None

    async def prepare(self) -> None:
        """Have a warm worker waiting."""
        if self._warm is None or not self._warm.alive:
            self._warm = await self._spawn()

    async def start(self, spec: Path) -> ProcessWorker:
        """A worker that trains what `spec` says."""
        worker, self._warm = self._warm, None
        if worker is None or not worker.alive:
            worker = await self._spawn()
        try:
            await worker.begin(spec)
        except BaseException:  # also when the caller is cancelled: nobody else knows this process
            await worker.kill()
            raise
        return worker

    async def close(self) -> None:
        if self._warm is not None:
            await self._warm.kill()

    async def _spawn(self) -> ProcessWorker:
        return ProcessWorker(await spawn(self.command), self.hung_after, self.silent_after)


async def spawn(command: Iterable[str]) -> asyncio.subprocess.Process:
    """Start a worker's program behind pipes, with lowered priority."""
    # A session of its own: Ctrl-C in the service's terminal is for the service to answer.
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {**os.environ, **ENVIRONMENT}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, env=environment, limit=MAX_LINE, **pipes, **apart
    )
    give_way(process.pid)
    return process


def give_way(pid: int) -> None:
    """Lower the worker's priority: training may take all processors, answering a chat may not wait for it."""
    try:
        process = psutil.Process(pid)
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 10)
    except psutil.Error:
        log.warning("could not lower the priority of worker %s", pid)
