"""Pretraining of the small base: one loop, resumable, every figure in a log.

Matrices are trained with Muon, the rest with AdamW; the learning rate rises, stays, and falls to zero over the last part.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from localtune.base.batches import Batch, batches
from localtune.base.corpus.mixture import stream
from localtune.base.muon import Muon
from localtune.model.llama import Llama, LlamaConfig, load_llama, save_llama
from localtune.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Plan:
    """What is trained and for how long: `steps` if given, else `minutes` of wall time."""

    seed: int = 1
    minutes: float = 82.0
    steps: int | None = None
    batch_tokens: int = 4_096
    peak_lr: float = 4e-3
    warmup: float = 0.01  # share of the whole
    decay: float = 0.5  # share of the whole; its documents are mixed for the end
    save_every: float = 60.0  # seconds
    config: LlamaConfig = field(default_factory=LlamaConfig)
    start: Path | None = None  # folder of a model to go on from; None: random weights
    natural_text: Path | None = None  # rows that `corpus.natural` reads


class Trainer:
    """Model, optimisers and position of one run; everything that has to survive an interruption."""

    def __init__(self, plan: Plan, tokenizer: Tokenizer) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.tokenizer = plan, tokenizer
        self.model = load_llama(plan.start) if plan.start else Llama(plan.config)
        matrices = [p for p in self.model.model.layers.parameters() if p.ndim == 2]
        others = [p for p in self.model.parameters() if not any(p is m for m in matrices)]
        self.optimisers = (
            Muon(matrices, lr=plan.peak_lr),
            torch.optim.AdamW(others, lr=plan.peak_lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        )
        self.step = self.tokens = 0
        self.seconds = 0.0

    @property
    def progress(self) -> float:
        """Share of the plan that is done, 0 to 1."""
        if self.plan.steps is not None:
            return self.step / self.plan.steps
        return self.seconds / (60 * self.plan.minutes)

    def train_step(self, batch: Batch) -> float:
        """One optimiser step; returns the loss in nats."""
        self.model.train()
        loss = batch_loss(self.model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(self.plan, self.progress)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += batch.ids.numel()
        return loss.item()

    def save(self, path: Path) -> None:
        """Write everything needed to go on; the old file stays until the new one is complete."""
        state = {
            "model": self.model.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step, "tokens": self.tokens, "seconds": self.seconds,
        }
        torch.save(state, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, stored in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(stored)
        self.step, self.tokens, self.seconds = state["step"], state["tokens"], state["seconds"]


def learning_rate(plan: Plan, progress: float) -> float:
    """Warm-up, plateau, linear decay to zero."""
    rising = min(1.0, (progress + 1e-4) / plan.warmup)
    falling = min(1.0, max(0.0, (1 - progress) / plan.decay))
    return plan.peak_lr * min(rising, falling)


def batch_loss(model: Llama, batch: Batch) -> Tensor:
    """Weighted mean cross-entropy in nats over the batch's learnt targets; other positions get no logits."""
    learnt = batch.weights > 0
    losses = F.cross_entropy(model.logits(model(batch.ids)[learnt]), batch.targets[learnt], reduction="none")
    return (losses * batch.weights[learnt]).sum() / batch.weights.sum()


@torch.inference_mode()
def held_out_loss(model: Llama, tokenizer: Tokenizer, seed: int, count: int = 12) -> float:
    """Mean loss on documents drawn with another seed than training's."""
    model.eval()
    fresh = batches(stream(seed), tokenizer, model.config.max_position_embeddings, 4_096, random.Random(seed))
    return sum(batch_loss(model, batch).item() for batch in islice(fresh, count)) / count


def pretrain(plan: Plan, tokenizer_folder: Path, output: Path, work: Path) -> Trainer:
    """Train by `plan`, resuming from `work` if a run was interrupted, and write a Hugging Face folder to `output`.

    `work/log.jsonl` gets a line every twenty steps; the weights are stored as float16.
    """
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_folder(tokenizer_folder)
    trainer = Trainer(plan, tokenizer)
    if (work / "resume.pt").exists():
        trainer.load(work / "resume.pt")
    for final in (False, True):
        run(trainer, training_batches(trainer, final), work, until=1.0 if final else 1.0 - plan.decay)
    trainer.save(work / "resume.pt")
    save_llama(trainer.model, output, tokenizer_folder, torch.float16)
    return trainer


def training_batches(trainer: Trainer, final: bool) -> Iterator[Batch]:
    """The stream of batches; a resumed run draws fresh documents instead of replaying the old ones."""
    plan = trainer.plan
    seed = plan.seed * 1_000_003 + trainer.step
    documents, context = stream(seed, final, plan.natural_text), trainer.model.config.max_position_embeddings
    return batches(documents, trainer.tokenizer, context, plan.batch_tokens, random.Random(seed))


def run(trainer: Trainer, source: Iterator[Batch], work: Path, until: float) -> None:
    """Step until this share of the plan is done."""
    saved, smooth = trainer.seconds, None
    while trainer.progress < until:
        started = time.monotonic()
        loss = trainer.train_step(next(source))
        trainer.seconds += time.monotonic() - started
        smooth = loss if smooth is None else 0.95 * smooth + 0.05 * loss
        if trainer.step % 20 == 0:
            log(work / "log.jsonl", trainer, smooth)
        if trainer.seconds - saved > trainer.plan.save_every:
            trainer.save(work / "resume.pt")
            saved = trainer.seconds


def log(path: Path, trainer: Trainer, loss: float) -> None:
    """Append one line of figures and show it."""
    line = {
        "step": trainer.step, "tokens": trainer.tokens, "seconds": round(trainer.seconds, 1), "loss": round(loss, 4),
        "tokens_per_second": round(trainer.tokens / trainer.seconds), "progress": round(trainer.progress, 4),
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)
