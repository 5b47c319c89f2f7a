"""A live view of one training job that leaves the notebook free: left as a cell's last line, it goes on by itself.

    monitor = JobMonitor(client, job.id)
    monitor                # bar, events, curves and a button to cancel; the next cell can run at once
    job = monitor.wait()   # in a later cell, where the finished job is needed

A thread asks the service; whatever is seen changes on the kernel's main thread, between two cells or in `wait`, because
neither Matplotlib nor a cell's output is made for several threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import threading
import time

import ipywidgets
import openai
from matplotlib.figure import Figure
from openai.types.fine_tuning import FineTuningJob

from helpers import jobs, metrics, plots
from helpers.errors import JobFailed, explain, one_line
from helpers.outputs import Slot
from helpers.progress import in_notebook
from helpers.service import is_loopback
from helpers.watching import FINAL, RESTING, TRANSIENT, JobWatch, outcome

REQUEST_SECONDS = 10.0  # a service that hangs may not hold up the kernel's end
REDRAW_SECONDS = 1.0
CONFIRM_SECONDS = 5.0
SLOWEST_LOOKS = 10.0  # seconds between looks when nobody answers
EVENTS_SHOWN = 10
BAR_STYLES = {"succeeded": "success", "failed": "danger", "cancelled": "warning", "paused": "warning"}


class JobMonitor:
    """Watches the job `job_id` from its first display (or `wait`) until it has ended, in any state and from any kernel.

    After a restart of kernel or service, `JobMonitor(client, job_id)` shows the same again. While nobody answers, a line
    says so with the cure, and the monitor goes on looking. `poll` is seconds between looks: by default 0.5 on this
    machine, else 5.
    """

    def __init__(self, client: openai.OpenAI, job_id: str, poll: float | None = None) -> None:
        self.job_id = job_id
        self.poll = poll if poll is not None else 0.5 if is_loopback(str(client.base_url)) else 5.0
        self._client = client.with_options(timeout=REQUEST_SECONDS, max_retries=0)
        self._watch = JobWatch(self._client, job_id)
        self._error: Exception | None = None
        self._missed = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._view: _View | None = None

    @property
    def job(self) -> FineTuningJob | None:
        """The job as last seen; None until the service has answered once."""
        return self._watch.job

    def wait(self, patience: int = 30) -> FineTuningJob:
        """Blocks until the job has ended (or is paused) and returns it; what is displayed stays live meanwhile.

        Raises JobFailed for a failed job, and the SDK's error if there is no such job or `patience` looks in a row got
        no answer. An interrupt leaves job and monitor alone.
        """
        self._start()
        while not (self._over.wait(0.1) or self._resting()):
            self._show()
            if self._error and (self._missed > patience or not isinstance(self._error, TRANSIENT)):
                raise self._error
        self._show()
        if self.job is None:
            raise RuntimeError(f"{self.job_id} was never seen: the monitor was stopped before the service answered")
        if self.job.status == "failed":
            raise JobFailed(self.job, [event.message for event in self._watch.messages[-5:]])
        return self.job

    def stop(self) -> None:
        """Stops watching; the job goes on."""
        self._over.set()
        self._show()

    def __repr__(self) -> str:
        return "\n".join(_lines(self._watch, _headline(self._watch, self._error)))

    def _ipython_display_(self) -> None:
        self._start()
        if not in_notebook():
            print(self)
            return
        if self._view is None:
            self._view = _View(self)
        self._view.show()  # not in the constructor: from here on nothing the thread sees goes unshown
        self._view.display()

    def _start(self) -> None:
        if self._thread or self._over.is_set():
            return
        self._look()  # so that the cell's own output already says something
        # A daemon: when the kernel ends, it ends.
        self._thread = threading.Thread(target=self._keep_looking, name=f"watch {self.job_id}", daemon=True)
        self._thread.start()

    def _keep_looking(self) -> None:
        while not self._over.wait(min(self.poll * (1 + self._missed), max(self.poll, SLOWEST_LOOKS))):
            self._look()
            if self._view:
                self._view.wake()

    def _look(self) -> None:
        try:
            self._watch.look()
            self._error, self._missed = None, 0
        except Exception as error:  # also a stranger on the service's port, who answers in another format
            self._error, self._missed = error, self._missed + 1
        if self.job and self.job.status in FINAL and not self._error:
            self._over.set()

    def _resting(self) -> bool:
        return self.job is not None and self.job.status in RESTING and not self._error

    def _show(self) -> None:
        if self._view:
            self._view.show()


class _View:
    """What a cell shows of a monitor: controls, text, curves. Main thread only, but for `wake`."""

    def __init__(self, monitor: JobMonitor) -> None:
        self.monitor, self.watch = monitor, monitor._watch
        self.loop = asyncio.get_running_loop()
        self.bar = ipywidgets.IntProgress(min=0, max=1)
        self.label = ipywidgets.Label()
        self.button = ipywidgets.Button()
        self.button.on_click(self._clicked)
        self.controls = ipywidgets.HBox([self.bar, self.label, self.button])
        again = f'The controls need a kernel; JobMonitor(client, "{monitor.job_id}") brings them back.'
        self.top = Slot(again, f"<em>{html.escape(again)}</em>", self.controls)
        self.text = Slot("")
        self.curves = Slot("No step has been measured yet.")
        self.ended = False
        self._armed_until = self._drawn_at = 0.0
        self._drawn = 0
        self._refused = ""
        self._figure: Figure | None = None

    def display(self) -> None:
        for slot in (self.top, self.text, self.curves):
            slot.display()

    def wake(self) -> None:
        """From the thread that looks: show what is new as soon as the main thread is free."""
        with contextlib.suppress(RuntimeError):  # the kernel has ended
            self.loop.call_soon_threadsafe(self.show)

    def show(self) -> None:
        if self.ended:
            return
        self.ended = self.monitor._over.is_set()
        self._show_controls()
        if self.ended or time.monotonic() - self._drawn_at >= REDRAW_SECONDS:
            self._show_outputs()
        if self.ended:
            self._close_controls()

    def _show_controls(self) -> None:
        job, (done, total) = self.watch.job, self.watch.progress
        status = str(job.status) if job else ""
        self.bar.max, self.bar.value = total or 1, done if total else 0
        self.bar.bar_style = BAR_STYLES.get(status, "")
        self.label.value = self._refused or _state(self.watch, self.monitor._error)
        if not self.button.disabled and time.monotonic() > self._armed_until:
            self.button.description, self.button.button_style = "Cancel job", ""

    def _show_outputs(self) -> None:
        headline = "" if self.ended else _headline(self.watch, self.monitor._error)  # at the end it takes the controls' place
        lines = _lines(self.watch, headline)
        self.text.show("\n".join(lines), "<br>".join(map(html.escape, lines)))
        if len(self.watch.steps) > self._drawn:
            self._drawn = len(self.watch.steps)
            frame = metrics.events_frame(self.watch.steps)
            self._figure = plots.training_curves(frame, self.monitor.job_id, self._figure)
            last = " · ".join(f"{name} {value:.4g}" for name, value in metrics.final_metrics(frame).items())
            self.curves.draw(self._figure, f"Curves of {self.monitor.job_id}, last values: {last}")
        self._drawn_at = time.monotonic()

    def _close_controls(self) -> None:
        line = _headline(self.watch, self.monitor._error)
        self.top.show(line, f"<b>{html.escape(line)}</b>")
        for widget in (*self.controls.children, self.controls):
            widget.close()

    def _clicked(self, button: ipywidgets.Button) -> None:
        self._refused = ""
        if time.monotonic() > self._armed_until:
            self._armed_until = time.monotonic() + CONFIRM_SECONDS
            button.description, button.button_style = "Click again to cancel", "danger"
            return
        self._armed_until = 0.0
        try:
            jobs.cancel(self.monitor._client, self.monitor.job_id)
            button.description, button.disabled = "Cancelling …", True
        except openai.OpenAIError as error:
            self._refused = one_line(error)


def _headline(watch: JobWatch, error: Exception | None) -> str:
    job = watch.job
    if error or job is None or job.status not in RESTING:
        return f"{watch.job_id}: {_state(watch, error)}"
    cure = f" {explain(JobFailed(job, [])).next}" if job.status == "failed" else ""
    return outcome(job) + cure


def _state(watch: JobWatch, error: Exception | None) -> str:
    """What goes on now: what is wrong and the cure, or status, steps and time left."""
    job, (done, total) = watch.job, watch.progress
    if error or job is None:
        return one_line(error) if error else "not looked at yet"
    step = f"step {done}/{total}" if total else ""
    left = f"about {_duration(job.estimated_finish - time.time())} left" if job.estimated_finish else ""
    return " · ".join(filter(None, [str(job.status), step, left]))


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def _lines(watch: JobWatch, headline: str) -> list[str]:
    """The headline, if there is one, and the newest events with their seconds since the job was created."""
    start = watch.job.created_at if watch.job else 0
    events = [f"+{event.created_at - start} s  {event.message}" for event in watch.messages[-EVENTS_SHOWN:]]
    return [headline, *events] if headline else events
