"""What is known of one job: its state and every event of it, asked for piece by piece while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import openai
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

FINAL = ("succeeded", "failed", "cancelled")
RESTING = (*FINAL, "paused")  # states that no amount of waiting changes
MANY, FEW = 100, 20  # events on a page: of a job that is new to us, and between two looks
TRANSIENT = (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError)


@dataclass
class JobWatch:
    """A job as of the last `look`; `events` are all of its events, oldest first."""

    client: openai.OpenAI
    job_id: str
    job: FineTuningJob | None = None
    events: list[FineTuningJobEvent] = field(default_factory=list)

    def look(self) -> FineTuningJob:
        """Asks for the job and for the events since the last look. Raises the SDK's errors, and
        RuntimeError if somebody else answers at the address; nothing is lost then.
        """
        # The job first: once it says that it has ended, the events that follow are complete.
        job = self.client.fine_tuning.jobs.retrieve(self.job_id)
        if not isinstance(job, FineTuningJob):  # the SDK passes on what is not JSON
            raise RuntimeError(f"{self.client.base_url} is not a fine-tuning service: check the address, connect() again")
        self.events = self.events + self._new_events()
        self.job = job
        return job

    @property
    def steps(self) -> list[FineTuningJobEvent]:
        """The events that carry measurements."""
        return [event for event in self.events if event.type == "metrics" and isinstance(event.data, dict)]

    @property
    def messages(self) -> list[FineTuningJobEvent]:
        """The events that tell something else."""
        return [event for event in self.events if event.type != "metrics"]

    @property
    def progress(self) -> tuple[int, int | None]:
        """Steps done, and their total where it is known."""
        known: dict[str, Any] = {}
        for event in self.steps:
            known.update(cast("dict[str, Any]", event.data))
        return known.get("step", 0), known.get("total_steps")

    def _new_events(self) -> list[FineTuningJobEvent]:
        """Pages come newest first and each names the next one's start, so the first known event ends the search."""
        newest, page = (self.events[-1].id, FEW) if self.events else (None, MANY)
        new = []
        for event in self.client.fine_tuning.jobs.list_events(self.job_id, limit=page):
            if event.id == newest:
                break
            new.append(event)
        return new[::-1]


def outcome(job: FineTuningJob) -> str:
    """One line on a job that no longer moves."""
    if job.status == "succeeded":
        seconds = f" in {job.finished_at - job.created_at} s" if job.finished_at else ""
        return f"{job.id} succeeded{seconds}: {job.trained_tokens or 0:,} tokens trained → {job.fine_tuned_model}"
    if job.status == "failed":
        return f"{job.id} failed: {job.error.message if job.error else 'no reason given'}"
    status: str = job.status  # the SDK's list of states lacks "paused"
    hint = "; client.fine_tuning.jobs.resume(id) goes on with it" if status == "paused" else ""
    return f"{job.id} is {status}{hint}."
