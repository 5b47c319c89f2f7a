"""The service with an Accelerate configuration: a killed process, a cancelled job, and files that it refuses at its start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localtune.store import Store
from tests.openweight.open_jobs import open_spec
from tests.openweight.served import ROOT, Served
from tests.openweight.tiny_open import tiny_open
from tests.service.harness import PATIENCE, chat_lines, messages_of, wait_for, wait_for_step
from tests.train.grouped import processes_of
from tests.train.jobs import of_type, run_job

FILE = """
distributed_type: FSDP
mixed_precision: 'no'
num_processes: 2
fsdp_config: {fsdp_version: 2, fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP, fsdp_reshard_after_forward: true}
"""
SHORT, LONG = 12, 400  # examples; a long job outlasts its test
OPTIONS = {"n_epochs": 5, "batch_size": 3, "learning_rate_multiplier": 50.0}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_open(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def service(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """As many processes as the file says."""
    folder = tmp_path_factory.mktemp("sharded")
    (folder / "two.yaml").write_text(FILE, encoding="utf-8")
    options = ("--launcher", "torchrun", "--accelerate", str(folder / "two.yaml"))
    served = Served(folder / "state", "--base", f"tiny={base}", *options)
    yield served
    served.stop()


def new_job(service: Served, count: int) -> str:
    file = service.client.files.create(file=("train.jsonl", chat_lines(count)), purpose="fine-tune")
    asked = {"model": "tiny", "training_file": file.id, "seed": 7, "extra_body": {"hyperparameters": OPTIONS}}
    return service.client.fine_tuning.jobs.create(**asked).id


def test_a_killed_process_costs_the_job_nothing(service: Served, base: Path, tmp_path: Path) -> None:
    """A fresh group goes on from the last saved step with its parts of the moments, too: the curve is that of one process."""
    job = new_job(service, SHORT)
    wait_for_step(service.client, job, 6)
    before = processes_of(service.process.pid)
    before[-1].kill()
    assert wait_for(service.client, job).status == "succeeded", messages_of(service.client, job)
    assert not psutil.wait_procs(before, timeout=PATIENCE)[1]
    told = messages_of(service.client, job)
    assert sum("the job continues from its last saved step" in message for message in told) == 1
    assert any(message.startswith("FSDP spreads the parameters over 2 processes") for message in told)
    rows = [json.loads(line) for line in chat_lines(SHORT).splitlines()]
    expected = of_type(run_job(replace(open_spec(tmp_path / "alone", base, rows), **OPTIONS)), "metrics")
    store = Store(service.state)
    curve = {row["step"]: row["train_loss"] for row in store.records.metrics("proj_local", job)}
    store.close()
    assert curve == pytest.approx({line["step"]: line["train_loss"] for line in expected}, abs=1e-4)


def test_a_cancelled_job_leaves_no_process(service: Served) -> None:
    job = new_job(service, LONG)
    wait_for_step(service.client, job, 3)
    running = processes_of(service.process.pid)
    assert service.client.fine_tuning.jobs.cancel(job).status == "cancelled"
    assert not psutil.wait_procs(running, timeout=PATIENCE)[1]


@pytest.mark.parametrize(("text", "options", "reason"), [
    ("distributed_type: DEEPSPEED\nnum_processes: 2\ndeepspeed_config: {zero_stage: 3}\n", (), "add --launcher torchrun"),
    ("distributed_type: MULTI_GPU\nnum_processes: 2\n", ("--launcher", "torchrun"), "leave --accelerate out"),
])
def test_a_file_that_cannot_be_followed_is_told_at_the_start(
    text: str, options: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "accelerate.yaml"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "localtune", "serve", "--state", str(tmp_path), "--accelerate", str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=PATIENCE)
    assert done.returncode == 2
    assert re.search(reason, done.stderr), done.stderr
