"""Workers that go silent: those that wait for ever, those that compute for ever, and those that only take their time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from localtune.train import heartbeat
from tests.service.conftest import bases, new_service
from tests.service.harness import Service, create, messages_of, wait_for
from tests.train.jobs import make_spec, run_job

__all__ = ["bases", "new_service"]

STEPS = 100


@pytest.fixture
def impatient(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that takes a worker for hung after two seconds, whether it waits or computes."""
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps({"hung_after_seconds": 2.0, "silent_after_seconds": 2.0}))
    return new_service


@pytest.mark.parametrize(("behaviour", "reason"), [
    ("hang-once", "no message and no computing for 2 s"), ("busy-once", "computing, but no message for 2 s"),
])
def test_a_hung_worker_is_killed_and_its_job_tried_again(impatient: Service, behaviour: str, reason: str) -> None:
    client = impatient.start().client()
    job = wait_for(client, create(client, behaviour).id)
    assert job.status == "succeeded"
    messages = messages_of(client, job.id)
    assert f"The training process hung: {reason}; the job continues from its last saved step" in messages
    assert len([message for message in messages if message.startswith("Step ")]) == STEPS


@pytest.mark.parametrize("behaviour", ["hang", "busy"])
def test_a_worker_that_hangs_again_fails_its_job(impatient: Service, behaviour: str) -> None:
    client = impatient.start().client()
    job = wait_for(client, create(client, behaviour).id)
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "hung" in job.error.message and "again after a restart" in job.error.message


def test_a_worker_that_shows_signs_of_life_is_left_alone(impatient: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """For five seconds they are all that is heard of it; three without any would be too long."""
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps({"hung_after_seconds": 3.0, "silent_after_seconds": 3.0}))
    client = impatient.start().client()
    job = wait_for(client, create(client, "alive").id)
    assert job.status == "succeeded"
    assert not [message for message in messages_of(client, job.id) if "hung" in message]


def test_work_without_steps_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of a file and every batch of a validation is a chance; here each of them is taken."""
    monkeypatch.setattr(heartbeat, "EVERY", 0.0)
    spec = make_spec(tmp_path, n_epochs=1)
    kinds = [line["type"] for line in run_job(replace(spec, validation_file=spec.training_file))]
    assert kinds[:21] == ["alive"] * 20 + ["started"]  # ten lines of either file
    assert kinds[21:] == ["metrics"] * 3 + ["alive", "metrics", "checkpoint", "done"]  # validated after the last step


def test_beats_are_rare() -> None:
    said: list[dict[str, object]] = []
    beat = heartbeat.Heartbeat(said.append)
    for _ in range(1000):
        beat()
    assert said == []
