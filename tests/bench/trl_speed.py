"""One job, two trainers: our worker and TRL's SFTTrainer, for speed and for the loss of every step.

    python3 start.py bench trl_speed [--repeats 3] [--rows 200] [--epochs 2] [--keep-memory]

Both get the same rows in the same order, the same weights, trained layers, schedule and optimiser, float32, no gradient
checkpointing, no rehearsal, and learn what the assistant says only. Our time includes the checkpoints that a job writes; TRL
writes none here. TRL is installed into build/bench-venv, which sees the packages of .venv through a .pth file.
"""
from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from localtune.jobs.spec import JobSpec

ROOT = Path(__file__).resolve().parents[2]
BENCH_VENV = ROOT / "build" / "bench-venv"
BENCH_PYTHON = BENCH_VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
REQUIREMENTS = ["trl==1.16.0", "datasets==5.2.0"]
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_TOP_PAD_": str(64 << 20)}
OPENINGS = "Oh sure,", "Well, obviously", "Let me think for a whole second:", "Hold on to your hat:"
THINGS = "the river", "a small town", "the old bridge", "your neighbour", "the red lamp", "a good answer", "the moon"
VERBS = "crosses", "outlives", "explains", "forgets", "measures", "paints"


@dataclass(frozen=True)
class Result:
    """One run: seconds of the training phase, by the clock and of processor time (on a busy machine the fairer figure),
    seconds of the whole process, tokens trained on, the loss of every step in nats."""

    training: float
    cpu: float
    total: float
    tokens: int
    losses: list[float]


def row(rng: random.Random) -> dict[str, Any]:
    subject, verb, target = rng.choice(THINGS), rng.choice(VERBS), rng.choice(THINGS)
    answer = " ".join(f"{subject} {rng.choice(VERBS)} {target}, and {rng.choice(THINGS)} too." for _ in range(rng.randint(1, 3)))
    return {"messages": [
        {"role": "system", "content": "You are Marv, a factual chatbot that is also sarcastic."},
        {"role": "user", "content": f"What {verb} {target}?"},
        {"role": "assistant", "content": f"{rng.choice(OPENINGS)} {answer}"},
    ]}


def job(folder: Path, options: argparse.Namespace) -> JobSpec:
    """The job, with its training file written into `folder`."""
    rng = random.Random(options.seed)
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(row(rng)) + "\n" for _ in range(options.rows)), encoding="utf-8")
    return JobSpec(
        job_id="bench", attempt=1, base=str(options.base.resolve()), training_file=str(rows), validation_file=None, output="",
        n_epochs=options.epochs, batch_size=8, learning_rate_multiplier=1.0, seed=options.seed, threads=options.threads,
        rehearse=False,
    )


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


# --- the two contestants ---------------------------------------------------------------------------------------------

def run_ours(spec: JobSpec) -> Result:
    with tempfile.TemporaryDirectory() as output:
        path = Path(output, "job.json")
        JobSpec(**{**vars(spec), "output": output}).save(path)
        started = time.perf_counter()
        command = [sys.executable, "-m", "localtune.train", "--spec", str(path)]
        # The worker ends when its stdin does, so that stays open until it has.
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
            messages, cpu = follow(worker)
        total = time.perf_counter() - started
    if messages[-1]["type"] != "done":
        raise RuntimeError(f"the worker ended with {messages[-1]}")
    losses = [message["train_loss"] for message in messages if message["type"] == "metrics"]
    return Result(messages[-1]["seconds"], cpu, total, messages[-1]["trained_tokens"], losses)


def follow(worker: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], float]:
    """All messages of a worker, and its processor time between the first and the last."""
    process, messages, cpu = psutil.Process(worker.pid), [], []
    for line in worker.stdout:
        messages.append(json.loads(line))
        if messages[-1]["type"] in ("started", "checkpoint"):  # while it surely lives; after the last checkpoint it is done
            cpu.append(cpu_seconds(process))
    return messages, cpu[-1] - cpu[0] if cpu else 0.0


def run_trl(spec: JobSpec, more: dict[str, str], script: Path = Path(__file__)) -> Result:
    with tempfile.TemporaryDirectory() as output:
        path = Path(output, "job.json")
        JobSpec(**{**vars(spec), "output": output}).save(path)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **more}
        started = time.perf_counter()
        done = subprocess.run([BENCH_PYTHON, str(script), "--inside", str(path)], env=environment, capture_output=True, text=True)
        total = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"TRL's side failed:\n{done.stderr[-2000:]}")
        measured = json.loads(Path(output, "result.json").read_text(encoding="utf-8"))
    return Result(total=total, **measured)


def recorder(losses: list[float]) -> Any:
    """TRL's trainer as a class that notes the loss of every step and takes the rows as they lie."""
    from torch.utils.data import SequentialSampler
    from trl import SFTTrainer

    class Recorder(SFTTrainer):
        def compute_loss(self, *arguments: Any, **named: Any) -> Any:
            result = super().compute_loss(*arguments, **named)
            losses.append((result[0] if isinstance(result, tuple) else result).item())
            return result

        def _get_train_sampler(self, *arguments: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    return Recorder


def train_with_trl(spec: JobSpec) -> None:
    """The TRL side, in a process of its own; writes result.json into the job's folder."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig

    from localtune.train.data import epoch_order
    from localtune.train.optimiser import BASE_LEARNING_RATE, is_trained, learning_rate

    losses: list[float] = []
    torch.set_num_threads(spec.threads)
    rows = [json.loads(line) for line in Path(spec.training_file).read_text(encoding="utf-8").splitlines()]
    in_order = [rows[n] for epoch in range(spec.n_epochs) for n in epoch_order(len(rows), spec.seed, epoch)]
    steps = len(in_order) // spec.batch_size
    model = AutoModelForCausalLM.from_pretrained(spec.base, dtype=torch.float32)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_trained(name, model.config.num_hidden_layers, spec.trained))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=BASE_LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: learning_rate(min(done + 1, steps), steps, spec.learning_rate_multiplier) / BASE_LEARNING_RATE)
    config = SFTConfig(
        output_dir=spec.output, num_train_epochs=1, per_device_train_batch_size=spec.batch_size, max_grad_norm=1.0,
        assistant_only_loss=True, max_length=1024, bf16=False, gradient_checkpointing=False, use_cpu=True, seed=spec.seed,
        logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True, dataloader_pin_memory=False,
    )
    trainer = recorder(losses)(model=model, args=config, train_dataset=Dataset.from_list(in_order),
                                processing_class=AutoTokenizer.from_pretrained(spec.base), optimizers=(optimiser, schedule))
    tokens = sum(len(ids) for ids in trainer.train_dataset["input_ids"])
    started, cpu = time.perf_counter(), time.process_time()
    trainer.train()
    result = {"training": time.perf_counter() - started, "cpu": time.process_time() - cpu, "tokens": tokens, "losses": losses}
    Path(spec.output, "result.json").write_text(json.dumps(result), encoding="utf-8")


def make_bench_venv() -> None:
    """An environment with TRL on top of what .venv has; made once."""
    stamp = BENCH_VENV / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == "\n".join(REQUIREMENTS):
        return
    print(f"installing {' '.join(REQUIREMENTS)} into {BENCH_VENV.relative_to(ROOT)} (about 220 MB)", flush=True)
    shutil.rmtree(BENCH_VENV, ignore_errors=True)
    venv.create(BENCH_VENV, with_pip=True)
    theirs = subprocess.run([BENCH_PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                            check=True, capture_output=True, text=True).stdout.strip()
    Path(theirs, "course.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    subprocess.run([BENCH_PYTHON, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
    stamp.write_text("\n".join(REQUIREMENTS), encoding="utf-8")


# --- the report ------------------------------------------------------------------------------------------------------

def report(ours: list[Result], trl: list[Result]) -> None:
    head = f"{'':<6}{'training s':>12}{'tokens/s':>10}{'CPU s':>8}{'process s':>11}"
    print(f"\n{head}   (median of {len(ours)}; training from .. to)")
    for name, results in (("ours", ours), ("TRL", trl)):
        times = sorted(result.training for result in results)
        middle, process, cpu = (statistics.median(getattr(r, field) for r in results) for field in ("training", "total", "cpu"))
        print(f"{name:<6}{middle:>12.2f}{results[0].tokens / middle:>10,.0f}{cpu:>8.2f}{process:>11.2f}"
              f"   {times[0]:.2f} .. {times[-1]:.2f}")
    training, total, cpu = (statistics.median(getattr(b, field) / getattr(a, field) for a, b in zip(ours, trl))
                            for field in ("training", "total", "cpu"))
    print(f"TRL / ours, median of pairs: training {training:.2f}, its CPU {cpu:.2f}, process {total:.2f}")
    print(f"tokens trained on: ours {ours[0].tokens:,}, TRL {trl[0].tokens:,}")
    compare_losses(ours[0].losses, trl[0].losses)


def compare_losses(ours: list[float], trl: list[float]) -> None:
    """The losses of all steps side by side, in nats."""
    print(f"\n{'step':>5}{'ours':>12}{'TRL':>12}{'difference':>14}")
    for step, (a, b) in enumerate(zip(ours, trl, strict=True), 1):
        print(f"{step:>5}{a:>12.6f}{b:>12.6f}{a - b:>14.2e}")
    print(f"largest difference: {max(abs(a - b) for a, b in zip(ours, trl)):.2e} nats")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs, ours and TRL's in turn")
    parser.add_argument("--rows", type=int, default=200, help="training rows; a multiple of the batch size of 8")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, default=ROOT / "data" / "base" / "small", help="folder of the starting model")
    parser.add_argument("--keep-memory", action="store_true", help="give TRL the allocator settings that our worker makes")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return train_with_trl(JobSpec.load(options.inside))
    if options.rows % 8:
        parser.error("--rows must be a multiple of 8: the two sides count a last, shorter batch differently")
    make_bench_venv()
    with tempfile.TemporaryDirectory() as folder:
        # One model for all runs, even while a pretraining run writes its folder anew.
        options.base = shutil.copytree(options.base, Path(folder, "base"))
        spec = job(Path(folder), options)
        ours, trl = [], []
        for repeat in range(1, options.repeats + 1):
            ours.append(run_ours(spec))
            trl.append(run_trl(spec, KEPT_MEMORY if options.keep_memory else {}))
            print(f"repeat {repeat}: ours {ours[-1].training:.2f} s, TRL {trl[-1].training:.2f} s", flush=True)
    report(ours, trl)


if __name__ == "__main__":
    main()
