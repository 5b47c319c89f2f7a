"""The monitor without a browser: a fake provider behind the SDK, outputs recorded, the kernel's loop played by asyncio."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from helpers import monitor, outputs
from helpers.errors import JobFailed
from helpers.monitor import JobMonitor
from helpers.watching import FEW, MANY, JobWatch

ROOT = Path(__file__).resolve().parents[2]
JOB = "ftjob-1"
PATIENCE = 300.0  # seconds until a test gives up waiting


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "in_notebook", lambda: True)
    monkeypatch.setattr(monitor, "REDRAW_SECONDS", 0)


@pytest.fixture
def running(provider) -> Any:
    """A provider with one running job that has three steps ahead of it."""
    provider.jobs.append(provider.job(JOB, "running"))
    provider.say("Created fine-tuning job")
    return provider


def step(provider, number: int) -> None:
    data = {"step": number, "total_steps": 3, "train_loss": 3 / number, "train_mean_token_accuracy": number / 3}
    provider.say(f"Step {number}/3", data)


def succeed(provider) -> None:
    provider.move("succeeded", fine_tuned_model="ft:x<y", finished_at=112, trained_tokens=4480)
    provider.say("The job has successfully completed")


def story(provider) -> list[Callable[[], httpx2.Response | None]]:
    """What happens before each look at the job."""
    return [lambda: None, *(lambda n=n: step(provider, n) for n in (1, 2, 3)), lambda: succeed(provider)]


def on_a_kernel(watching: JobMonitor, until: Callable[[], object]) -> None:
    """Displays a monitor in a cell, lets the cell return and leaves the loop free until something holds."""

    async def kernel() -> None:
        watching._ipython_display_()
        while not until():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(kernel(), PATIENCE))


def ended(watching: JobMonitor) -> bool:
    return watching._view is not None and watching._view.ended


def test_it_goes_on_after_the_cell_and_ends_by_itself(running, shown) -> None:
    running.script = story(running)
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: ended(watching))
    top, text, curves = shown.values()
    assert "succeeded in 12 s: 4,480 tokens trained → ft:x&lt;y" in top["text/html"] and "ft:x<y" in top["text/plain"]
    assert outputs.WIDGET not in top  # nothing is left that needs a kernel
    assert text["text/html"].count("<br>") == 1 and text["text/plain"].endswith("The job has successfully completed")
    assert "image/png" in curves and "step 3 · train_loss 1" in curves["text/plain"]
    watching._thread.join(PATIENCE)
    assert not watching._thread.is_alive()


def test_while_it_runs_the_outputs_are_readable_without_widgets(running, shown) -> None:
    running.script = [lambda: step(running, 1)]
    running.jobs[-1]["estimated_finish"] = 1
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: len(shown) == 3)
    watching.stop()
    assert "ftjob-1: running · step 1/3 · about 0 s left\n" in repr(watching)


def test_live_controls(running, shown) -> None:
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    running.script = [lambda: step(running, 2)]

    def looked() -> bool:
        return watching._view.bar.value == 2

    on_a_kernel(watching, looked)
    top, text, curves = shown.values()
    assert outputs.WIDGET in top and f'JobMonitor(client, "{JOB}")' in top["text/plain"]
    assert "running · step 2/3" in text["text/html"] and "Created fine-tuning job" in text["text/html"]
    assert watching._view.bar.max == 3 and watching._view.label.value == "running · step 2/3"
    assert "image/png" in curves
    watching.stop()


def test_a_finished_job_is_shown_at_once(running, shown) -> None:
    step(running, 3)
    succeed(running)
    watching = JobMonitor(running.client(), JOB)
    on_a_kernel(watching, lambda: True)
    assert "succeeded" in list(shown.values())[0]["text/html"] and "image/png" in list(shown.values())[2]
    assert watching.wait().status == "succeeded"
    assert len(running.requests) == 2


def test_wait_returns_the_finished_job(running) -> None:
    running.script = story(running)
    assert JobMonitor(running.client(), JOB, poll=0.01).wait().fine_tuned_model == "ft:x<y"
    assert not running.script


def test_a_failed_job_shows_its_cure_and_wait_raises(running, shown) -> None:
    error = {"code": "invalid_n_examples", "message": "Training file has 7 example(s).", "param": "training_file"}
    running.script = [lambda: running.move("failed", error=error)]
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: ended(watching))
    assert "Training file has 7 example(s). Add examples" in list(shown.values())[0]["text/plain"]
    with pytest.raises(JobFailed, match="7 example"):
        watching.wait()


def test_a_paused_job_is_watched_on_but_not_waited_for(running) -> None:
    running.script = [lambda: running.move("paused")]
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    assert watching.wait().status == "paused"
    running.script = [lambda: running.move("running"), lambda: succeed(running)]
    assert watching._over.wait(PATIENCE) and watching.job.status == "succeeded"


def test_it_says_who_is_missing_and_goes_on_when_they_are_back(running, shown) -> None:
    read = threading.Event()  # the service comes back once the line has been seen
    back = [lambda: step(running, 1) if read.wait(PATIENCE) else None, lambda: succeed(running)]
    running.script = [lambda: httpx2.Response(503), *back]
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    seen = []

    def watch() -> bool:
        seen.append([content["text/plain"] for content in shown.values()][1])
        read.set()
        return ended(watching)

    on_a_kernel(watching, watch)
    assert "✗ HTTP 503" in seen[0] and "Try later" in seen[0] and "\n" not in seen[0]
    assert "503" not in seen[-1] and "succeeded" in list(shown.values())[0]["text/plain"]


def test_nobody_answers(shown) -> None:
    client = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="sk-local")
    watching = JobMonitor(client, JOB, poll=0.01)
    on_a_kernel(watching, lambda: True)
    line = list(shown.values())[1]["text/html"]
    assert "✗ no connection" in line and "connect() again" in line
    with pytest.raises(openai.APIConnectionError):
        watching.wait(patience=2)
    watching.stop()


def test_a_stranger_on_the_port_is_reported(running) -> None:
    running.script = [lambda: httpx2.Response(200, text="<h1>It works!</h1>")] * 5
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    with pytest.raises(RuntimeError, match="not a fine-tuning service"):
        watching.wait()
    assert "connect() again" in repr(watching)
    watching.stop()


def test_an_unknown_job(running, shown) -> None:
    running.script = [lambda: running.error(404, "Could not find fine tune", "fine_tune_not_found")] * 1000
    watching = JobMonitor(running.client(), "ftjob-unknown", poll=0.01)
    on_a_kernel(watching, lambda: True)
    assert "No job with this id is visible to your key. Look at client.fine_tuning.jobs.list()" in repr(watching)
    with pytest.raises(openai.NotFoundError):
        watching.wait()
    watching.stop()
    assert watching.job is None


def test_stop_leaves_the_job_alone(running, shown) -> None:
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: True)
    watching.stop()
    watching._thread.join(PATIENCE)
    assert ended(watching) and not watching._thread.is_alive() and watching.wait().status == "running"
    assert all(request.startswith("GET") for request in running.requests)


def test_cancelling_takes_two_clicks(running, shown) -> None:
    cancelled = []
    handle = running.handle

    def with_cancel(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/cancel"):
            return handle(request)
        cancelled.append(request.url.path)
        running.move("cancelled")
        return httpx2.Response(200, json=running.jobs[-1])

    running.handle = with_cancel
    watching = JobMonitor(running.client(), JOB, poll=0.01)

    def clicked() -> bool:
        button = watching._view.button
        if not cancelled:
            button.click()
            assert not cancelled and button.description == "Click again to cancel"
            button.click()
        return ended(watching)

    on_a_kernel(watching, clicked)
    assert len(cancelled) == 1 and f"{JOB} is cancelled." in list(shown.values())[0]["text/plain"]


def test_a_click_is_forgotten_after_a_while(running, shown, monkeypatch) -> None:
    monkeypatch.setattr(monitor, "CONFIRM_SECONDS", -1)
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: True)
    for _ in range(3):
        watching._view.button.click()
    watching._show()
    assert watching._view.button.description == "Cancel job" and not any("cancel" in request for request in running.requests)
    watching.stop()


def test_a_refused_cancel_is_said(running, shown) -> None:
    watching = JobMonitor(running.client(), JOB, poll=0.01)
    on_a_kernel(watching, lambda: True)
    for _ in range(2):
        watching._view.button.click()
    watching._show()
    assert "✗ HTTP 400" in watching._view.label.value
    watching.stop()


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0 s"), (59, "59 s"), (61, "1 min"), (3700, "1 h 1 min")])
def test_time_left(running, monkeypatch, seconds: int, text: str) -> None:
    monkeypatch.setattr(monitor.time, "time", lambda: 1000.0)
    running.move("running", estimated_finish=1000 + seconds)
    watching = JobMonitor(running.client(), JOB)
    watching._look()
    assert repr(watching).startswith(f"{JOB}: running · about {text} left")


def test_a_script_that_watches_ends_when_it_ends() -> None:
    code = """
import time, httpx2, openai
from helpers.monitor import JobMonitor
from tests.helpers.conftest import FakeProvider
provider = FakeProvider()
provider.jobs.append(provider.job("ftjob-1", "running"))
provider.script = [lambda: None, lambda: time.sleep(3600)]
monitor = JobMonitor(provider.client(), "ftjob-1", poll=0.01)
monitor._ipython_display_()
while provider.script: time.sleep(0.01)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=PATIENCE, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ftjob-1: running\n", "")


class Paged:
    """Events in pages with cursors, newest first, as the API sends them."""

    def __init__(self, provider) -> None:
        self.events, self.sent = provider.events, 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        limit, after = int(request.url.params["limit"]), request.url.params.get("after")
        newest = self.events[::-1]
        start = next((n + 1 for n, event in enumerate(newest) if event["id"] == after), 0)
        page = newest[start : start + limit]
        self.sent += len(page)
        return httpx2.Response(200, json={"object": "list", "data": page, "has_more": start + limit < len(newest)})


def test_only_new_events_are_asked_for(running) -> None:
    pages, handle = Paged(running), running.handle
    running.handle = lambda request: pages(request) if request.url.path.endswith("/events") else handle(request)
    watch = JobWatch(running.client(), JOB)
    for number in range(2 * MANY + 50):
        running.say(f"event {number}")
    watch.look()
    assert len(watch.events) == pages.sent == 2 * MANY + 51
    for number in range(FEW + 1):  # more than a page of them
        running.say(f"later {number}")
    watch.look()
    assert pages.sent == 2 * MANY + 51 + 2 * FEW
    assert [event.id for event in watch.events] == [event["id"] for event in running.events]
