"""What becomes of jobs whose worker fails, dies, is cancelled, or whose service stops."""

from __future__ import annotations

import os
import time

import openai
import psutil
import pytest

from localtune.jobs import messages
from localtune.store import Store
from tests.service.harness import PATIENCE, Service, chat_lines, create, messages_of, upload, wait_for, wait_for_step

STEPS = [f"Step {step}/100:" for step in range(1, 101)]


def steps_of(client: openai.OpenAI, job_id: str) -> list[str]:
    return [message.split(" training")[0] for message in messages_of(client, job_id) if message.startswith("Step ")]


def test_failure_is_the_workers_own_words(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client, "fail").id)
    assert job.status == "failed" and job.fine_tuned_model is None and job.result_files == []
    assert (job.error.code, job.error.message) == ("invalid_training_file", "The job failed for a test.")
    event = client.fine_tuning.jobs.list_events(job.id, limit=1).data[0]
    assert (event.level, event.message) == ("error", "The job failed for a test.")


def test_a_dead_worker_gets_a_second_chance(client: openai.OpenAI) -> None:
    job = wait_for(client, create(client, "crash-once").id)
    assert job.status == "succeeded"
    assert steps_of(client, job.id) == STEPS
    warnings = [event for event in client.fine_tuning.jobs.list_events(job.id, limit=1000) if event.level == "warn"]
    assert [event.message for event in warnings] == [
        "The training process stopped unexpectedly (exit status 9); the job continues from its last saved step"
    ]


@pytest.mark.parametrize("behaviour", ["crash", "rubbish"])
def test_but_no_third(client: openai.OpenAI, behaviour: str) -> None:
    job = wait_for(client, create(client, behaviour).id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "stopped unexpectedly" in job.error.message


def test_cancel_while_running_ends_the_worker(new_service: Service) -> None:
    client = new_service.start().client()
    job = create(client, "wait-once")
    wait_for_step(client, job.id, 3)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    done = wait_for(client, create(client).id)
    assert done.status == "succeeded"  # the place is free again
    assert client.fine_tuning.jobs.retrieve(job.id).finished_at is not None
    assert messages_of(client, job.id)[-1] == "The job has been cancelled"
    assert not (new_service.state / "jobs" / job.id).exists()


def test_cancel_before_it_runs_and_never_twice(client: openai.OpenAI) -> None:
    running = create(client, "wait-once")
    waiting = create(client)
    assert client.fine_tuning.jobs.cancel(waiting.id).status == "cancelled"
    client.fine_tuning.jobs.cancel(running.id)
    for job in (waiting, running):
        with pytest.raises(openai.BadRequestError, match="Job has already completed"):
            client.fine_tuning.jobs.cancel(job.id)
    assert steps_of(client, waiting.id) == []


def test_pause_and_resume(service: Service) -> None:
    client = service.client(strict=False)  # the SDK's strict type does not know `paused`
    job = create(client, "wait-once")
    wait_for_step(client, job.id, 15)
    assert client.fine_tuning.jobs.pause(job.id).status == "paused"
    assert wait_for(client, create(client).id).status == "succeeded"
    assert client.fine_tuning.jobs.retrieve(job.id).status == "paused"
    assert client.fine_tuning.jobs.resume(job.id).status == "queued"
    assert wait_for(client, job.id).status == "succeeded"
    assert steps_of(client, job.id) == STEPS
    with pytest.raises(openai.BadRequestError, match="can be paused"):
        client.fine_tuning.jobs.pause(job.id)


def test_one_key_cannot_keep_another_waiting(new_service: Service) -> None:
    new_service.start()
    other_key = Store(new_service.state).keys.add("other")
    mine, other = new_service.client(), new_service.client(other_key)
    many = [create(mine, "slow", hyperparameters={"n_epochs": epochs}) for epochs in (3, 20, 20, 20)]
    single = create(other)
    finished = wait_for(other, single.id).finished_at
    assert finished is not None
    assert any(mine.fine_tuning.jobs.retrieve(job.id).finished_at is None for job in many)
    with pytest.raises(openai.NotFoundError):
        mine.fine_tuning.jobs.retrieve(single.id)
    with pytest.raises(openai.NotFoundError):
        mine.files.retrieve(single.training_file)


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_stopped_service_goes_on_with_its_jobs(new_service: Service, how: str) -> None:
    client = new_service.start().client()
    running, waiting = create(client, "wait-once"), create(client)
    wait_for_step(client, running.id, 15)
    workers = psutil.Process(new_service.process.pid).children()
    getattr(new_service.process, how)()
    assert new_service.process.wait(PATIENCE) == (0 if how == "terminate" else -9)
    gone, alive = psutil.wait_procs(workers, timeout=PATIENCE)
    assert gone and not alive  # no orphan, not even after SIGKILL
    client = new_service.start().client()
    assert wait_for(client, running.id).status == "succeeded"
    assert wait_for(client, waiting.id).status == "succeeded"
    steps = steps_of(client, running.id)
    assert len(steps) == len(set(steps)) and steps[-1] == STEPS[-1]
    assert "The service was restarted; the job continues from its last saved step" in messages_of(client, running.id)


def test_one_service_per_state_folder(new_service: Service) -> None:
    first = new_service.start()
    second = Service(new_service.state, new_service.bases)
    with pytest.raises(AssertionError):
        second.start()
    assert second.process.wait(PATIENCE) == 3
    assert first.client().models.list().data
    assert (new_service.state / "service.json").exists()
    assert first.stop() == 0
    assert not (new_service.state / "service.json").exists()


def test_an_idle_service_stops_by_itself(new_service: Service) -> None:
    client = new_service.start("0.05").client()  # three seconds: shorter than the job, long enough to ask for one
    job = create(client, "slow", hyperparameters={"n_epochs": 20})
    assert new_service.process.wait(PATIENCE) == 0
    assert Store(new_service.state).queue.statuses() == {job.id: "succeeded"}


def test_estimated_finish_is_told_while_running(client: openai.OpenAI) -> None:
    job = create(client, "wait-once")
    estimated = wait_for(client, job.id, lambda job: job.estimated_finish is not None)
    assert estimated.status == "running" and estimated.estimated_finish >= job.created_at
    client.fine_tuning.jobs.cancel(job.id)
    assert wait_for(client, job.id).estimated_finish is None


@pytest.mark.parametrize("together", [True, False])
def test_the_end_is_estimated_from_the_first_steps_on(monkeypatch: pytest.MonkeyPatch, together: bool) -> None:
    now = [100.0]
    monkeypatch.setattr(messages.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(messages.time, "time", lambda: now[0])
    clock = messages.Clock()
    started = {"type": "started", "resumed_at_step": 10}
    steps = [{"type": "metrics", "step": step, "total_steps": 30} for step in (11, 12)]
    now[0] += 5
    if together:  # nothing tells loading from training: seven seconds for two steps
        now[0] += 2
        assert clock.estimate([started, *steps]) == 107 + 18 * 7 / 2
    else:
        assert clock.estimate([started]) is None
        now[0] += 2
        assert clock.estimate(steps) == 107 + 18 * 2 / 2


@pytest.mark.skipif(os.name == "nt", reason="priorities have other names there")
def test_workers_give_way(service: Service) -> None:
    client = service.client()
    job = create(client, "wait-once")
    wait_for_step(client, job.id, 1)
    deadline = time.monotonic() + PATIENCE
    while {child.nice() for child in psutil.Process(service.process.pid).children()} != {10}:  # one may just be starting
        assert time.monotonic() < deadline
        time.sleep(0.03)
    client.fine_tuning.jobs.cancel(job.id)


def test_validation_files_are_checked_too(client: openai.OpenAI) -> None:
    bad = upload(client, b'{"prompt": "a", "completion": "b"}\n')
    job = wait_for(client, create(client, validation_file=bad).id)
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


def test_too_few_examples(client: openai.OpenAI) -> None:
    job = client.fine_tuning.jobs.create(model="davinci", training_file=upload(client, chat_lines(3)))
    job = wait_for(client, job.id)
    assert job.status == "failed"
    assert job.error.model_dump() == {
        "code": "invalid_n_examples", "param": "training_file",
        "message": "Training file has 3 example(s), but must have at least 10 examples",
    }
