"""The service with the launcher ray, on a cluster of this machine's own; skipped where Ray is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from localtune.config import Settings
from localtune.jobs.launcher import launcher_of
from localtune.store import Store
from tests.durability.killing import Life
from tests.service.harness import PATIENCE, chat_lines, messages_of, wait_for, wait_for_step
from tests.tiny import tiny_base
from tests.train.grouped import new_job
from tests.train.jobs import make_spec, of_type, run_job

CLUSTER = """
import ray, sys
made = ray.init(
    num_cpus=1, include_dashboard=True, object_store_memory=80 << 20, log_to_driver=False, _temp_dir=sys.argv[1],
    _node_ip_address="127.0.0.1",
)
print("http://" + made.dashboard_url, flush=True)
sys.stdin.read()  # the cluster ends with it
"""
LONG = 3_000  # examples: such a job outlasts its test
OPTIONS = {"n_epochs": 4, "batch_size": 3, "learning_rate_multiplier": 4.0}

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None,
    reason="NOT TESTED: ray is not installed; pip install -r requirements-extras.txt runs this test",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray cluster on this machine; the address of its dashboard."""
    with pytest.MonkeyPatch.context() as patch, short_folder() as folder:
        patch.setenv("RAY_AUTH_MODE", "token")  # for the cluster, the service and this process
        patch.setenv("RAY_AUTH_TOKEN", uuid.uuid4().hex)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        process, address = started(folder)
        yield address
        parts = psutil.Process(process.pid).children(recursive=True)
        process.communicate(timeout=PATIENCE)
        assert not psutil.wait_procs(parts, timeout=PATIENCE)[1]


def short_folder() -> tempfile.TemporaryDirectory[str]:
    """Sockets lie in it, whose paths may not be long."""
    return tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)


def started(folder: str) -> tuple[subprocess.Popen[str], str]:
    """Ray gives itself half a minute to start, which a machine under load may not keep."""
    for _ in range(3):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, "-c", CLUSTER, folder], **pipes)
        if line := next((line for line in iter(process.stdout.readline, "") if line.startswith("http://")), None):
            return process, line.strip()
        process.communicate()
    raise TimeoutError("no Ray cluster could be started")


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, cluster: str) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("cluster")
    tiny_base(folder / "bases" / "small")
    life = Life(folder / "state", folder / "bases", {"launcher": "ray", "ray_address": cluster})
    life.start()
    yield life
    life.stop()


def workers_of(job: str) -> list[psutil.Process]:
    """Processes of this machine that train a job, with the shells that Ray starts them in."""
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if any(f"{job}/job.json" in part for part in each.info["cmdline"] or ())]


def wait_for_workers(job: str) -> list[psutil.Process]:
    deadline = time.monotonic() + PATIENCE
    while not (found := workers_of(job)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@needs_ray
def test_a_job_on_a_cluster_is_the_job_of_this_machine(life: Life, cluster: str, tmp_path: Path) -> None:
    from ray.job_submission import JobStatus, JobSubmissionClient

    job = new_job(life, 12, OPTIONS)
    assert wait_for(life.client, job).status == "succeeded", messages_of(life.client, job)
    assert JobSubmissionClient(cluster).get_job_status(job) == JobStatus.SUCCEEDED
    rows = [json.loads(line) for line in chat_lines(12).splitlines()]
    expected = of_type(run_job(replace(make_spec(tmp_path, rows), **OPTIONS)), "metrics")
    store = Store(life.state)
    curve = {row["step"]: row["train_loss"] for row in store.records.metrics("proj_local", job)}
    store.close()
    assert curve == {line["step"]: line["train_loss"] for line in expected}


@needs_ray
def test_a_killed_worker_is_followed_by_another_and_cancelling_ends_that(life: Life, cluster: str) -> None:
    from ray.job_submission import JobStatus, JobSubmissionClient

    job = new_job(life, LONG, OPTIONS)
    wait_for_step(life.client, job, 3)
    first = workers_of(job)
    for worker in first:
        worker.kill()
    assert not psutil.wait_procs(first, timeout=PATIENCE)[1]
    second = wait_for_workers(job)
    assert any("continues from its last saved step" in message for message in messages_of(life.client, job))
    assert life.client.fine_tuning.jobs.cancel(job).status == "cancelled"
    assert not psutil.wait_procs(second, timeout=PATIENCE)[1]
    client = JobSubmissionClient(cluster)
    assert [client.get_job_status(name) for name in (job, f"{job}-2")] == [JobStatus.FAILED, JobStatus.STOPPED]


def test_without_ray_the_service_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localtune.jobs.launcher_ray.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="requirements-extras.txt"):
        launcher_of(Settings(state=tmp_path, launcher="ray"))
