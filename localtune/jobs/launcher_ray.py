"""Jobs on a Ray cluster: every attempt is a Ray job, and its messages come back through a file in the job's folder.

The state folder and this project lie on storage that all machines see under the same path. Ray is imported when the first
job starts; a service that uses another launcher never needs it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from localtune.config import PROJECT
from localtune.jobs.launcher_local import ENVIRONMENT, LOG_BYTES
from localtune.jobs.launcher_torchrun import torchrun
from localtune.jobs.spec import JobSpec
from localtune.train.errors import JobError

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

log = logging.getLogger("localtune.jobs")

T = TypeVar("T")
POLL = 0.5  # seconds between two looks
NO_ANSWER = (OSError, RuntimeError)  # how Ray's client says that the cluster did not answer, or not with what was asked
UNKNOWN = 1  # exit status of a Ray job that has none


class RayWorker:
    """One Ray job."""

    def __init__(self, client: JobSubmissionClient, name: str, file: Path, silent_after: float) -> None:
        self.client, self.name, self.silent_after = client, name, silent_after
        self.file, self.position = file, 0
        self.hung, self.log = "", b""

    async def messages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """What the worker writes into its file, until the Ray job has ended and everything is read."""
        silent = 0.0
        while not self.hung:
            status = await self._ask(self.client.get_job_status)
            if batch := await asyncio.to_thread(self._new_messages):
                silent = 0.0
                yield batch
            elif status is not None and status.is_terminal():
                return
            else:
                await asyncio.sleep(POLL)
                silent += POLL if status != "PENDING" else 0.0  # a busy cluster may let it wait for days
                self.hung = f"no message for {self.silent_after:g} s" if silent >= self.silent_after else ""
        await self.kill()

    async def ended(self) -> int:
        details = await self._ask(self.client.get_job_info)
        self.log = (await self._ask(self.client.get_job_logs) or "").encode()[-LOG_BYTES:]
        return UNKNOWN if details is None or details.driver_exit_code is None else details.driver_exit_code

    async def kill(self) -> None:
        """Stop the Ray job and wait for its end. Where the cluster does not answer, the worker leaves on its own, once its
        specification is gone or another attempt's."""
        await self._ask(self.client.stop_job)
        while (status := await self._ask(self.client.get_job_status)) is not None and not status.is_terminal():
            await asyncio.sleep(POLL)

    async def _ask(self, question: Callable[[str], T]) -> T | None:
        """None when the cluster does not answer: it may do so again."""
        try:
            return await asyncio.to_thread(question, self.name)
        except NO_ANSWER as error:
            log.warning("no word of %s from the Ray cluster: %s", self.name, error)
            return None

    def _new_messages(self) -> list[dict[str, Any]]:
        """The whole lines that were not read before."""
        if not self.file.exists():
            return []
        with self.file.open("rb") as file:
            file.seek(self.position)
            whole, end, _ = file.read().rpartition(b"\n")
        self.position += len(whole) + len(end)
        return [json.loads(line) for line in whole.splitlines()]


class RayLauncher:
    """Submits jobs to the cluster at `address` (None: what RAY_ADDRESS says, else the one on this machine)."""

    def __init__(self, address: str | None, gpus: float, processes: int, silent_after: float) -> None:
        if find_spec("ray") is None:
            raise ValueError("the launcher ray needs the package ray: pip install -r requirements-extras.txt")
        self.address, self.gpus, self.processes, self.silent_after = address, gpus, processes, silent_after

    async def prepare(self) -> None:
        """Nothing: the cluster starts what it needs."""

    async def start(self, spec: Path) -> RayWorker:
        try:
            return await asyncio.to_thread(self._submit, spec)
        except NO_ANSWER as error:
            raise JobError("cluster_unavailable", (
                f"The Ray cluster at {self.address or 'its usual address'} did not take the job ({error}). See that it runs "
                "and that --ray-address leads to its dashboard, and create the job again."
            )) from error

    async def close(self) -> None:
        """Nothing waits."""

    def _submit(self, spec: Path) -> RayWorker:
        from ray.job_submission import JobSubmissionClient

        client, job_id = JobSubmissionClient(self.address), JobSpec.load(spec).job_id
        name = next_name(client, job_id)
        file = spec.with_name(f"messages-{name}.jsonl")
        worker = torchrun(self.processes) if self.processes > 1 else (sys.executable, "-m", "localtune.train")
        client.submit_job(
            entrypoint=shlex.join([*worker, "--spec", str(spec), "--messages", str(file)]), submission_id=name,
            runtime_env={"env_vars": {**ENVIRONMENT, "PYTHONPATH": str(PROJECT)}}, entrypoint_num_gpus=self.gpus or None,
        )
        return RayWorker(client, name, file, self.silent_after)


def next_name(client: JobSubmissionClient, job_id: str) -> str:
    """The job's id; Ray takes each name once, so later attempts are ID-2, ID-3 and so on. Earlier ones have ended then."""
    earlier = [job for job in client.list_jobs() if (job.submission_id or "").startswith(job_id)]
    for job in earlier:
        if not job.status.is_terminal():
            client.stop_job(job.submission_id)
        while not client.get_job_status(job.submission_id).is_terminal():
            time.sleep(POLL)
    return f"{job_id}-{len(earlier) + 1}" if earlier else job_id
