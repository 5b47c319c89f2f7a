"""The life of every job: checked, queued, trained in a worker process, recorded.

Runs as tasks in the service's event loop. The job row says what is true: every write is refused by the store once the
row has moved on (cancelled, paused, a newer attempt), so a late worker can never change it.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from localtune.api.errors import APIError
from localtune.blobs import Blobs
from localtune.catalog import Catalog
from localtune.config import Settings
from localtune.jobs import hyperparameters, messages, results, wandb_run
from localtune.jobs.journal import Journal
from localtune.jobs.launcher import Worker, launcher_of
from localtune.jobs.spec import ADAPTATION, ADAPTATIONS, JobSpec
from localtune.jobs.validate import InvalidFile, check_same, validate
from localtune.store import Store
from localtune.store.queue import Event, Result
from localtune.store.trouble import is_passing
from localtune.train.errors import JobError

log = logging.getLogger("localtune.jobs")

MAX_CRASHES = 1  # survived, per job
KILLED = -9  # exit status after SIGKILL


class Supervisor:
    def __init__(self, settings: Settings, store: Store, blobs: Blobs, catalog: Catalog) -> None:
        self.settings, self.store, self.blobs, self.catalog = settings, store, blobs, catalog
        self.launcher = launcher_of(settings)
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._to_validate, self._to_train, self._to_report = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def start(self) -> None:
        """Go on where the last service stopped; returns at once."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._clean_up)
        self._tasks = [
            asyncio.create_task(self._repeat(self._validate_all, self._to_validate)),
            asyncio.create_task(self._repeat(self._train_all, self._to_train)),
            asyncio.create_task(self._repeat(self._report_all, self._to_report)),
        ]
        for job in await asyncio.to_thread(self.store.queue.interrupted):
            reason = Event("The service was restarted; the job continues from its last saved step", "warn")
            self._launch(await asyncio.to_thread(self.store.queue.again, job, reason, False))

    async def stop(self) -> None:
        """End every worker; running jobs stay `running` in the store and go on with the next service."""
        tasks = [*self._tasks, *self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.launcher.close()

    def wake(self) -> None:
        """Look for work; from any thread."""
        for event in (self._to_validate, self._to_train):
            self._loop.call_soon_threadsafe(event.set)

    def halt(self, job_id: str) -> None:
        """End the job's worker, after its row says that it is cancelled or paused; from any thread."""
        self._loop.call_soon_threadsafe(self._halt, job_id)

    def _halt(self, job_id: str) -> None:
        if run := self._runs.get(job_id):
            run.cancel()

    async def _repeat(self, work: Callable[[], Awaitable[None]], event: asyncio.Event) -> None:
        """Do `work` now and whenever `event` is set. A failure (a full disk, say) is no reason to stop for good."""
        while True:
            event.clear()
            try:
                await work()
            except Exception:
                log.exception("the supervisor will try again in %s s", self.settings.retry_seconds)
                await asyncio.sleep(self.settings.retry_seconds)
                event.set()
            await event.wait()

    # Validation

    async def _validate_all(self) -> None:
        for job in await asyncio.to_thread(self.store.queue.to_validate):
            await asyncio.to_thread(self._validate, job)
            self._to_train.set()

    def _validate(self, job: sqlite3.Row) -> None:
        files = f"Validating training file: {job['training_file']}"
        if job["validation_file"]:
            files += f" and validation file: {job['validation_file']}"
        self.store.queue.note(job, [Event(files, key=files)])
        try:
            self.store.queue.validated(job, self._count_examples(job))
        except InvalidFile as error:
            self.store.queue.fail(job, error.code, error.message, error.param)
        except Exception as error:
            if is_passing(error):  # no fault of the files
                raise
            log.exception("%s could not be validated", job["id"])
            self.store.queue.fail(job, "server_error", "The files could not be read; see the service's log.", None)
        self._finished(job)

    def _count_examples(self, job: sqlite3.Row) -> int:
        longest = self.settings.max_line_bytes
        training = validate(self.blobs.path(job["training_blob"]), "training", job["training_file"], longest)
        if job["validation_file"]:
            path = self.blobs.path(job["validation_blob"])
            check_same(training, validate(path, "validation", job["validation_file"], longest))
        return training.n_examples

    # Training

    async def _train_all(self) -> None:
        while len(self._runs) < self.settings.max_running_jobs:
            job = await asyncio.to_thread(self.store.queue.claim, resolved)
            if job is None:
                break
            if before := self._runs.get(job["id"]):  # paused and resumed before its worker was gone
                await asyncio.wait([before])
            self._launch(job)
        if not self._runs:  # beside a running job, a worker's imports would only take its processor
            await self.launcher.prepare()

    def _launch(self, job: sqlite3.Row | None) -> None:
        if job is not None:
            self._runs[job["id"]] = asyncio.create_task(self._run(job))

    async def _run(self, job: sqlite3.Row) -> None:
        try:
            await self._attempts(job)
        except asyncio.CancelledError:
            pass  # cancelled, paused, or the service stops: the row says which
        try:
            await asyncio.to_thread(self._finished, job)
        finally:
            del self._runs[job["id"]]
            self._to_train.set()
            self._to_report.set()

    async def _attempts(self, job: sqlite3.Row) -> None:
        following: sqlite3.Row | None = job
        try:
            while following is not None:
                job, following = following, await self._attempt_with_disk(following)
        except APIError as error:
            await asyncio.to_thread(self.store.queue.fail, job, error.code or "server_error", error.message, "model")
        except JobError as error:  # of the launcher
            await asyncio.to_thread(self.store.queue.fail, job, error.code, str(error), None)
        except Exception:
            log.exception("%s could not be trained", job["id"])
            message = "The job could not be run; see the service's log."
            await asyncio.to_thread(self.store.queue.fail, job, "server_error", message, None)

    async def _attempt_with_disk(self, job: sqlite3.Row) -> sqlite3.Row | None:
        """A full disk or a locked database is no fault of the job: wait, and go on from its last saved step."""
        try:
            return await self._attempt(job)
        except (OSError, sqlite3.OperationalError) as error:
            if not is_passing(error):
                raise
            log.error("%s waits %s s: %s", job["id"], self.settings.retry_seconds, error)
            await asyncio.sleep(self.settings.retry_seconds)
            return job

    async def _attempt(self, job: sqlite3.Row) -> sqlite3.Row | None:
        """One worker's run; returns the next attempt's row if there has to be one."""
        if await asyncio.to_thread(self._catch_up, job) is None:
            return None  # cancelled between claim and start
        worker = await self.launcher.start(await asyncio.to_thread(self._write_spec, job))
        try:
            last = await self._follow(job, worker)
            status = await worker.ended()
        finally:
            await worker.kill()
        if last["type"] == "done":
            await asyncio.to_thread(self._succeed, job, last["trained_tokens"])
        elif last["type"] == "failed":
            await asyncio.to_thread(self.store.queue.fail, job, last["code"], last["message"], last.get("param"))
        else:
            return await asyncio.to_thread(self._crashed, job, worker, status)
        return None

    def _catch_up(self, job: sqlite3.Row) -> sqlite3.Row | None:
        """Record what earlier attempts wrote down and an earlier service did not hear; None if the job is not ours."""
        written = Journal(self._folder(job["id"])).rows()
        return self.store.queue.note(job, [messages.metrics_event(row) for row in written])

    def _write_spec(self, job: sqlite3.Row) -> Path:
        output = self._folder(job["id"])
        output.mkdir(parents=True, exist_ok=True)
        model = self.catalog.resolve(job["project"], job["model"])
        asked = json.loads(job["metadata"] or "{}").get(ADAPTATION, ADAPTATIONS[0])
        spec = JobSpec(
            job_id=job["id"], attempt=job["attempt"], base=str(model.folder),
            adaptation=asked if model.open_weight else None,
            sharding=self.settings.sharding if model.open_weight else None,
            training_file=str(self.blobs.path(job["training_blob"])),
            validation_file=str(self.blobs.path(job["validation_blob"])) if job["validation_blob"] else None,
            output=str(output), seed=job["seed"], threads=self.settings.threads,
            trained=hyperparameters.trained_part(job["n_examples"]),
            **json.loads(job["hyperparameters"]),
        )
        spec.save(output / "job.json")
        return output / "job.json"

    async def _follow(self, job: sqlite3.Row, worker: Worker) -> Mapping[str, Any]:
        """Record what the worker reports; returns its last message, or the one that says why it failed."""
        last: Mapping[str, Any] = {"type": "nothing"}
        clock = messages.Clock()
        async for batch in worker.messages():
            last, estimate = last if last["type"] == "failed" else outcome(batch), clock.estimate(batch)
            if events := messages.events(batch):
                await asyncio.to_thread(self.store.queue.note, job, events, estimated_finish=estimate)
        return last

    def _succeed(self, job: sqlite3.Row, trained_tokens: int) -> None:
        metrics = self.store.records.metrics(job["project"], job["id"])
        organisation = self.store.keys.organisation(job["project"])
        models = results.new_models(job, self._folder(job["id"]), organisation, metrics)
        if not models:
            raise FileNotFoundError(f"{job['id']} is done but has no checkpoint")

        def record(sha256: str, size: int) -> bool:
            return self.store.queue.succeed(job, Result(models, trained_tokens, sha256, size))

        self.blobs.keep(io.BytesIO(results.metrics_csv(metrics)), record)

    def _crashed(self, job: sqlite3.Row, worker: Worker, status: int) -> sqlite3.Row | None:
        log.error("worker of %s ended with status %s\n%s", job["id"], status, worker.log.decode("utf-8", "replace"))
        cause = "killed, as systems do when memory runs out" if status == KILLED else f"exit status {status}"
        what = f"The training process stopped unexpectedly ({cause})"
        if worker.hung:
            what = f"The training process hung: {worker.hung}"
        if job["crashes"] < MAX_CRASHES:
            reason = Event(f"{what}; the job continues from its last saved step", "warn")
            return self.store.queue.again(job, reason, crashed=True)
        self.store.queue.fail(job, "server_error", f"{what} again after a restart. The service's log says more.", None)
        return None

    # Weights & Biases

    async def _report_all(self) -> None:
        """The runs of ended jobs that asked for one and have none: also those that an earlier service could not write."""
        if not wandb_run.installed():
            return
        for job in await asyncio.to_thread(self.store.queue.unreported, wandb_run.KEY):
            metrics = await asyncio.to_thread(self.store.records.metrics, job["project"], job["id"])
            told = wandb_run.description(job, metrics, self.settings.state)
            event = await wandb_run.write(told, self.settings.wandb_seconds)
            await asyncio.to_thread(self.store.queue.remark, job, event)

    # What jobs leave behind

    def _folder(self, job_id: str) -> Path:
        return self.settings.state / "jobs" / job_id

    def _finished(self, job: sqlite3.Row) -> None:
        row = self.store.jobs.find(job["project"], job["id"])
        if self._folder(job["id"]).is_dir():
            results.tidy(self._folder(job["id"]), row["status"] if row else None)
        self.blobs.sweep(self.store.files.blobs_in_use)

    def _clean_up(self) -> None:
        """Finish the tidying that a killed service left."""
        statuses = self.store.queue.statuses()
        for folder in (self.settings.state / "jobs").glob("ftjob-*"):
            results.tidy(folder, statuses.get(folder.name))
        self.blobs.sweep(self.store.files.blobs_in_use)


def outcome(batch: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The last message, or the first that says why the worker failed: another of its processes may have spoken after that."""
    return next((message for message in batch if message["type"] == "failed"), batch[-1])


def resolved(job: sqlite3.Row) -> dict[str, Any]:
    return hyperparameters.resolve(json.loads(job["hyperparameters"]), job["n_examples"])
