"""Weights & Biases runs of jobs that asked for them, written after the job by `python -m localtune.jobs.wandb_run`.

That process is short, has a time limit and reads everything it needs from stdin; whatever goes wrong in it, the job has
already ended. Runs are offline unless the service's environment sets WANDB_MODE.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from localtune.config import PROJECT
from localtune.jobs.launcher_local import give_way
from localtune.store.queue import Event

log = logging.getLogger("localtune.jobs")

KEY = "wandb"  # of the one event that says what became of a job's runs
MISSING = (
    "Weights & Biases: the package wandb is not installed beside the service, so the settings are kept and no run is "
    "written. To get it: pip install -r requirements-extras.txt, then restart the service; the run is written then."
)
COMMAND = (sys.executable, "-m", "localtune.jobs.wandb_run")
SHOWN = ("id", "model", "fine_tuned_model", "status", "training_file", "validation_file", "seed", "suffix", "n_examples",
         "trained_tokens")
LONGEST_TAG = 64  # characters; wandb refuses longer ones


def installed() -> bool:
    """Whether the package is there. Asked of its metadata: a folder named wandb, which runs leave behind, is importable."""
    try:
        return bool(metadata.version("wandb"))
    except metadata.PackageNotFoundError:
        return False


def description(job: sqlite3.Row, metrics: Iterable[Mapping[str, Any]], state: Path) -> dict[str, Any]:
    """What the writing process has to know, as JSON can hold it.

    Name and tags are what OpenAI's API description promises: the job's id where no name was given, three tags of its own.
    """
    tags = ["openai/finetune", f"openai/{job['model']}", f"openai/{job['id']}"]
    asked = [one["wandb"] for one in json.loads(job["integrations"])]
    runs = [
        {
            "project": one["project"], "entity": one.get("entity"), "name": one.get("name") or job["id"],
            "id": f"{job['id']}-{number}" if number > 1 else job["id"],
            "tags": [tag[:LONGEST_TAG] for tag in dict.fromkeys([*tags, *one.get("tags", [])])],
        }
        for number, one in enumerate(asked, start=1)
    ]
    config = {**{name: job[name] for name in SHOWN}, "hyperparameters": json.loads(job["hyperparameters"])}
    return {"folder": str(state), "runs": runs, "config": config, "metrics": list(metrics)}


async def write(told: Mapping[str, Any], seconds: float, command: Iterable[str] = COMMAND) -> Event:
    """Has the runs of `told` written and returns the event that says where they are, or why they are not."""
    environment = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", **os.environ, "PYTHONIOENCODING": "utf-8"}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    try:  # a session of its own: Ctrl-C in the service's terminal is for the service to answer
        process = await asyncio.create_subprocess_exec(
            *command, cwd=PROJECT, env=environment, start_new_session=True, **pipes
        )
    except OSError as error:
        return failure(str(error))
    give_way(process.pid)
    try:
        return await asyncio.wait_for(_ended(process, told), seconds)
    except asyncio.TimeoutError:
        return failure(f"it took longer than {seconds:g} s")
    finally:  # also when the service stops; wandb's own process ends with its parent
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process, told: Mapping[str, Any]) -> Event:
    """Hands `told` over and waits for the end. stdin stays open until then: its end tells that the service is gone."""
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        await process.stdin.drain()
    except ConnectionError:
        pass  # it ended at once; stderr says why
    said, errors = (
        part.decode("utf-8", "replace") for part in await asyncio.gather(process.stdout.read(), process.stderr.read())
    )
    if await process.wait() == 0 and said:
        return Event(f"Weights & Biases: {said.splitlines()[-1]}", key=KEY)
    log.error("a Weights & Biases run could not be written\n%s", errors)
    return failure((errors.strip().splitlines() or ["no reason given"])[-1])


def failure(reason: str) -> Event:
    return Event(f"Weights & Biases: no run was written ({reason}); the job is not affected.", "warn", key=KEY)


# The writing process


def main() -> None:
    told = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=leave_with_parent, daemon=True).start()
    print("; ".join([write_run(run, told) for run in told["runs"]]))


def leave_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def write_run(asked: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Writes one run and tells where it is. What an earlier, interrupted attempt left of it goes first."""
    import wandb

    for remains in Path(told["folder"], "wandb").glob(f"*run-*-{asked['id']}"):
        shutil.rmtree(remains, ignore_errors=True)
    quiet = wandb.Settings(  # nothing about this machine: the run is about the job
        silent=True, console="off", disable_git=True, save_code=False,
        x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True, x_save_requirements=False,
    )
    run = wandb.init(
        **asked, dir=told["folder"], job_type="fine-tune", config=told["config"], settings=quiet, reinit="finish_previous"
    )
    for row in told["metrics"]:
        run.log({name: value for name, value in row.items() if name not in ("step", "total_steps")}, step=row["step"])
    run.summary.update({name: told["config"][name] for name in ("status", "fine_tuned_model")})
    where = place(run)
    run.finish(exit_code=0 if told["config"]["status"] == "succeeded" else 1)
    return where


def place(run: Any) -> str:
    """In words; paths are relative, because who reads a job's events need not know this machine."""
    if run.offline:
        folder = f"wandb/{Path(run.settings.sync_dir).name}"
        return f"run written to {folder} in the service's state folder, nothing was sent; to upload it: wandb sync {folder}"
    return f"run logged at {run.url}" if run.url else f"no run, because WANDB_MODE is {os.environ['WANDB_MODE']}"


if __name__ == "__main__":
    main()
