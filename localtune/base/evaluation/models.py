"""Tuning and asking models the way the service does it, without its wire."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from localtune.base.evaluation.task import Request
from localtune.infer.engine import Engine, Finish, GenerateRequest
from localtune.jobs.hyperparameters import resolve, trained_part
from localtune.jobs.launcher_local import ENVIRONMENT
from localtune.jobs.spec import JobSpec
from localtune.model.llama import LlamaConfig
from localtune.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of a job, as on the wire, and what a job changes of the base, which is not on the wire."""

    n_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate_multiplier: float | str = "auto"
    trained: str = "auto"

    def resolved(self, n_examples: int) -> dict[str, Any]:
        asked = {name: getattr(self, name) for name in ("n_epochs", "batch_size", "learning_rate_multiplier")}
        part = trained_part(n_examples) if self.trained == "auto" else self.trained
        return {**resolve(asked, n_examples), "trained": part}


def tune(base: Path, lines: Sequence[dict[str, Any]], output: Path, seed: int, settings: Settings = Settings()) -> Path:
    """Run a training worker as the service would; returns the folder of the last checkpoint."""
    output.mkdir(parents=True, exist_ok=True)
    training = output / "train.jsonl"
    training.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    spec = JobSpec(
        job_id=f"evaluation-{seed}", attempt=1, base=str(base), training_file=str(training), validation_file=None,
        output=str(output), seed=seed, threads=torch.get_num_threads(), **settings.resolved(len(lines)),
    )
    spec.save(output / "job.json")
    reported = work(output / "job.json")
    if reported[-1]["type"] != "done":
        raise RuntimeError(f"training failed: {reported[-1]}")
    return output / [line["folder"] for line in reported if line["type"] == "checkpoint"][-1]


def work(spec: Path) -> list[dict[str, Any]]:
    """What a worker process reports, from its start to its end; its warnings are shown."""
    command = [sys.executable, "-m", "localtune.train", "--spec", str(spec)]
    environment = {**os.environ, **ENVIRONMENT}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as worker:
        lines = [json.loads(line) for line in worker.stdout or ()]
    for line in lines:
        if line["type"] == "warning":
            print(line["message"], file=sys.stderr)
    return lines


def ask(
    engine: Engine, folder: Path, requests: Iterable[Request], max_tokens: int, stop: tuple[str, ...] = ()
) -> list[str]:
    """Greedy answers, in order; a request that leaves no room in the context gets an empty one."""
    tokenizer, context = Tokenizer.from_folder(folder), LlamaConfig.from_folder(folder).max_position_embeddings
    ends = frozenset({tokenizer.im_end_id, tokenizer.eot_id})

    async def one(request: Request) -> str:
        ids = token_ids(request, tokenizer)
        if len(ids) >= context:
            return ""
        room = min(max_tokens, context - len(ids))
        wanted = GenerateRequest(folder, ids, room, stop_ids=ends, temperature=0.0, stop=stop)
        return "".join([part.text async for part in engine.generate(wanted) if not isinstance(part, Finish)])

    async def every() -> list[str]:
        return list(await asyncio.gather(*(one(request) for request in requests)))

    return asyncio.run(every())


def token_ids(request: Request, tokenizer: Tokenizer) -> list[int]:
    if isinstance(request, str):
        return tokenizer.encode(request)
    return tokenizer.chat(request, generation_prompt=True)[0]
