"""The worker as a process: its door, its exits, and surviving SIGKILL."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from localtune.jobs.spec import JobSpec
from tests.train.jobs import hashes, make_spec, of_type

KILLS = 3
PATIENCE = 300  # seconds; importing PyTorch alone takes many on a machine under load


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "localtune.train", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, encoding="utf-8")


def start_job(spec: JobSpec) -> subprocess.Popen[str]:
    path = Path(spec.output) / "job.json"
    spec.save(path)
    return start("--spec", str(path))


def rest(worker: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """All lines until the worker ends by itself; stdin stays open until then."""
    lines = [json.loads(line) for line in worker.stdout]
    worker.wait(PATIENCE)
    close(worker)
    return lines


def close(worker: subprocess.Popen[str]) -> None:
    for pipe in (worker.stdin, worker.stdout, worker.stderr):
        pipe.close()


def kill_somewhere(spec: JobSpec, rng: random.Random) -> list[dict[str, Any]]:
    """Start, SIGKILL after some lines and a moment, return the lines that came."""
    worker = start_job(spec)
    lines = [json.loads(worker.stdout.readline()) for _ in range(rng.randint(2, 30))]
    time.sleep(rng.uniform(0, 0.02))
    worker.kill()
    worker.wait(PATIENCE)
    lines += [json.loads(line) for line in worker.stdout if line.endswith("\n")]
    close(worker)
    return lines


def test_killed_and_resumed_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, broken = (make_spec(tmp_path / name, n_epochs=15, batch_size=1) for name in ("whole", "broken"))
    expected = {line["step"]: line for line in of_type(rest(start_job(whole)), "metrics")}
    rng, seen = random.Random(3), {}
    attempts = [kill_somewhere(broken, rng) for _ in range(KILLS)] + [rest(start_job(broken))]
    for lines in attempts:
        resumed_at = lines[0]["resumed_at_step"]
        metrics = of_type(lines, "metrics")
        assert [line["step"] for line in metrics] == list(range(resumed_at + 1, resumed_at + 1 + len(metrics)))
        seen |= {line["step"]: line for line in metrics}
    assert attempts[-1][0]["resumed_at_step"] > 0
    assert attempts[-1][-1]["type"] == "done"
    assert seen == expected
    assert len(hashes(whole)) == 3
    assert hashes(broken) == hashes(whole)
    assert not list(Path(broken.output).rglob(".*.part"))


def test_finished_job_started_again_only_repeats_its_end(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    first, second = rest(start_job(spec)), rest(start_job(spec))
    assert [line["type"] for line in second] == ["started", "done"]
    assert second[0]["resumed_at_step"] == 16
    assert second[0]["checkpoints"] == [
        {key: value for key, value in line.items() if key != "type"} for line in of_type(first, "checkpoint")
    ]
    assert second[1] == first[-1]


def test_warm_worker_takes_one_path(tmp_path: Path) -> None:
    spec = make_spec(tmp_path / "ordner-ä")
    spec.save(tmp_path / "jöb.json")
    worker = start("--warm")
    worker.stdin.write(f"{tmp_path / 'jöb.json'}\n")
    worker.stdin.flush()
    assert rest(worker)[-1]["type"] == "done"
    assert worker.returncode == 0


def test_warm_worker_without_a_job_leaves_quietly() -> None:
    worker = start("--warm")
    assert worker.communicate(timeout=PATIENCE) == ("", "")
    assert worker.returncode == 0


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
def test_worker_leaves_when_told(end: str, tmp_path: Path) -> None:
    worker = start_job(make_spec(tmp_path, n_epochs=5000))
    lines = [json.loads(worker.stdout.readline()) for _ in range(30)]
    if end == "stdin":
        worker.stdin.close()
    else:
        worker.send_signal(signal.SIGTERM)
    lines += [json.loads(line) for line in worker.stdout]
    worker.wait(PATIENCE)
    assert worker.stderr.read() == ""
    assert not of_type(lines, "done")
    assert not list(tmp_path.rglob(".*.part"))
    close(worker)


def test_failure_is_a_line_and_a_traceback(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    (Path(spec.base) / "model.safetensors").unlink()
    worker = start_job(spec)
    lines = [json.loads(line) for line in worker.stdout]
    assert worker.wait(PATIENCE) == 1
    assert [(line["type"], line["code"]) for line in lines] == [("failed", "server_error")]
    assert "model.safetensors" in lines[0]["message"]
    assert "Traceback" in worker.stderr.read()
    close(worker)


def test_divergence_is_a_failed_line(tmp_path: Path) -> None:
    worker = start_job(make_spec(tmp_path, learning_rate_multiplier=1e30))
    assert rest(worker)[-1]["code"] == "training_diverged"
    assert worker.returncode == 1


def test_importing_the_worker_leaves_the_heavy_libraries_alone() -> None:
    heavy = "{'transformers', 'torch._dynamo', 'pandas', 'sklearn', 'fastapi'}"
    code = f"import sys, localtune.train.__main__; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
