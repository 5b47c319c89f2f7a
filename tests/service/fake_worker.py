"""A worker that speaks the real one's protocol and trains nothing; the first example's question says how it behaves.

`ok` (and anything else): all steps. `slow`: a step every 20 ms. `fail`: reports a failure. `crash`: dies at step 5,
every time. `crash-once`: dies at step 5 of the first attempt. `killed`: like `crash`, by SIGKILL. `rubbish`: prints a line
that is no message. `hang` and `hang-once`: like `crash`, but waiting instead of dying; `busy` and `busy-once`: computing
instead. `alive`: computes for five seconds at step 5 and says that it does. `unheard`: writes step 5 down, says nothing of
it, and waits. `wait-once`: waits at step 15 of the first attempt.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from localtune.jobs.journal import Journal
from localtune.jobs.spec import JobSpec

FOR_EVER = 3600  # seconds: longer than any test waits


def main() -> None:
    path = sys.stdin.readline().strip()
    if not path:
        return
    threading.Thread(target=leave_with_parent, daemon=True).start()
    train(JobSpec.load(Path(path)))


def leave_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def train(spec: JobSpec) -> None:
    examples = Path(spec.training_file).read_text(encoding="utf-8").splitlines()
    behaviour = json.loads(examples[0])["messages"][0]["content"]
    per_epoch = -(-len(examples) // spec.batch_size)
    total = per_epoch * spec.n_epochs
    resume = Path(spec.output, "resume.pt")
    done = int(resume.read_text(encoding="utf-8")) if resume.exists() else 0
    emit(type="started", total_steps=total, n_examples=len(examples), device="cpu", precision="float32",
         resumed_at_step=done)
    if behaviour == "fail":
        emit(type="failed", code="invalid_training_file", message="The job failed for a test.")
        sys.exit(1)
    if behaviour == "rubbish":
        print("this is no message", flush=True)
        time.sleep(FOR_EVER)
    Journal(Path(spec.output)).cut(done)
    for step in range(done + 1, total + 1):
        report(spec, step, total, per_epoch, heard=behaviour != "unheard" or step < 5 or spec.attempt > 1)
        if step == 5:
            strike(behaviour.removesuffix("-once"), once=behaviour.endswith("-once"), attempt=spec.attempt)
        if behaviour == "slow":
            time.sleep(0.02)
        if behaviour == "wait-once" and step == 15 and spec.attempt == 1:
            time.sleep(FOR_EVER)
        if step % per_epoch == 0:
            finish_epoch(spec, step, per_epoch, resume)
    emit(type="done", trained_tokens=10 * total, seconds=0.1)


def strike(behaviour: str, once: bool, attempt: int) -> None:
    """Step 5 of those that go wrong."""
    if attempt > 1 and (once or behaviour == "unheard"):
        return
    if behaviour in ("hang", "unheard"):
        time.sleep(FOR_EVER)
    if behaviour in ("busy", "alive"):
        compute(FOR_EVER if behaviour == "busy" else 5, aloud=behaviour == "alive")
    if behaviour == "crash":
        os._exit(9)
    if behaviour == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def compute(seconds: float, aloud: bool) -> None:
    began = beaten = time.monotonic()
    while time.monotonic() < began + seconds:
        if aloud and time.monotonic() > beaten + 0.2:
            beaten = time.monotonic()
            emit(type="alive")


def report(spec: JobSpec, step: int, total: int, per_epoch: int, heard: bool) -> None:
    losses = {"train_loss": 2 / step, "train_mean_token_accuracy": 1 - 1 / step}
    if spec.validation_file and step % 10 == 0:
        losses |= {"valid_loss": 3 / step, "valid_mean_token_accuracy": 0.5}
    if spec.validation_file and step % per_epoch == 0:
        losses |= {"full_valid_loss": 4 / step, "full_valid_mean_token_accuracy": 0.25}
    row = {"step": step, "total_steps": total, **losses}
    Journal(Path(spec.output)).add(row)
    if heard:
        emit(type="metrics", **row)


def finish_epoch(spec: JobSpec, step: int, per_epoch: int, resume: Path) -> None:
    epoch = step // per_epoch
    if epoch > spec.n_epochs - 3:
        folder = Path(spec.output, "checkpoints", f"step-{step}")
        folder.mkdir(parents=True, exist_ok=True)
        weights = Path(spec.base, "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(weights)
        emit(type="checkpoint", epoch=epoch, step=step, folder=f"checkpoints/step-{step}", metrics={"step": step})
    draft = resume.with_suffix(".tmp")
    draft.write_text(str(step), encoding="utf-8")
    os.replace(draft, resume)


def emit(**message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
