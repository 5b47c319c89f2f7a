"""The service with the launcher torchrun: killed processes, cancelled jobs, a service that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localtune.store import Store
from tests.durability.killing import Life
from tests.service.harness import PATIENCE, chat_lines, messages_of, wait_for, wait_for_step
from tests.tiny import tiny_base
from tests.train.grouped import new_job, processes_of
from tests.train.jobs import make_spec, of_type, run_job

SHORT, LONG = 20, 400  # examples; a long job outlasts its test
OPTIONS = {"n_epochs": 12, "batch_size": 3, "learning_rate_multiplier": 4.0}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A running service whose jobs are trained by two processes."""
    folder = tmp_path_factory.mktemp("group")
    tiny_base(folder / "bases" / "small")
    life = Life(folder / "state", folder / "bases", {"launcher": "torchrun", "processes": 2})
    life.start()
    yield life
    life.stop()


def test_a_killed_process_costs_the_job_nothing(life: Life, tmp_path: Path) -> None:
    """A fresh group goes on from the last saved step, and the curve is the one of a single process that nobody disturbs."""
    job = new_job(life, SHORT, OPTIONS)
    wait_for_step(life.client, job, 15)
    before = processes_of(life.process.pid)
    before[-1].kill()
    assert wait_for(life.client, job).status == "succeeded"
    assert not psutil.wait_procs(before, timeout=PATIENCE)[1]
    what = "The training process stopped unexpectedly (killed, as systems do when memory runs out)"
    assert messages_of(life.client, job).count(f"{what}; the job continues from its last saved step") == 1
    rows = [json.loads(line) for line in chat_lines(SHORT).splitlines()]
    expected = of_type(run_job(replace(make_spec(tmp_path / "alone", rows), **OPTIONS)), "metrics")
    store = Store(life.state)
    curve = {row["step"]: row["train_loss"] for row in store.records.metrics("proj_local", job)}
    store.close()
    assert curve == pytest.approx({line["step"]: line["train_loss"] for line in expected}, abs=1e-4)


def test_neither_a_killed_service_nor_a_cancelled_job_leaves_a_process(life: Life) -> None:
    job = new_job(life, LONG, OPTIONS)
    wait_for_step(life.client, job, 3)
    running = processes_of(life.process.pid)
    life.process.kill()
    assert not psutil.wait_procs(running, timeout=PATIENCE)[1]
    assert life.ask(lambda client: client.fine_tuning.jobs.retrieve(job)).status == "running"  # asks the next service
    running = processes_of(life.process.pid)
    assert life.client.fine_tuning.jobs.cancel(job).status == "cancelled"
    assert not psutil.wait_procs(running, timeout=PATIENCE)[1]
    assert not (life.state / "jobs" / job).exists()
