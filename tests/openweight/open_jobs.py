"""Small jobs on tiny open-weight models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from localtune.jobs.spec import JobSpec
from tests.train.jobs import chat, write_rows

ROWS = [chat(f"What is {n} times {n}?", f"It is {n * n}, as everyone knows.") for n in range(10)]


def open_spec(folder: Path, base: Path, rows: Iterable[dict[str, Any]] = ROWS, **changes: Any) -> JobSpec:
    """A LoRA job on `base`: ten rows, four epochs, batches of three."""
    output = folder / "out"
    output.mkdir(parents=True)
    spec = JobSpec(
        job_id="ftjob-1", attempt=1, base=str(base), adaptation="lora",
        training_file=write_rows(folder / "train.jsonl", rows), validation_file=None, output=str(output),
        n_epochs=4, batch_size=3, learning_rate_multiplier=50.0, seed=7, threads=1,
    )
    return replace(spec, **changes)


def last_model(spec: JobSpec) -> Path:
    return Path(spec.output) / "checkpoints" / "step-16"


def digest(folder: Path) -> str:
    """SHA-256 of the weights in a folder."""
    [path] = folder.glob("*.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def greedy(model: Any, tokenizer: Any, question: str, count: int = 12) -> list[int]:
    """What the model answers to a question, as ids, always taking the likeliest token."""
    messages = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        answer = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=count, do_sample=False)
    return answer[0, prompt.shape[1] :].tolist()
