"""The training loop of one job: steps, metrics, checkpoints, and going on after an interruption."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from localtune.jobs.journal import Journal
from localtune.jobs.spec import JobSpec
from localtune.train.data import Batch, Dataset, Example, collate, epoch_order, load_dataset, unusable
from localtune.train.durable import write_folder, write_state
from localtune.train.errors import JobError
from localtune.train.group import Group
from localtune.train.heartbeat import Heartbeat
from localtune.train.objective import evaluate, loss_and_hits
from localtune.train.optimiser import AdamW, learning_rate
from localtune.train.rehearsal import WEIGHT, Rehearsal
from localtune.train.shards import gathered, put
from localtune.train.subject import Weights, subject_of

KEPT_EPOCHS = 3
VALIDATE_EVERY = 10  # steps
SAVE_EVERY = 5.0  # seconds; bounds what a crash in a long epoch costs
SAVE_SHARE = 0.05  # of a job's time: large models are saved less often

Message = dict[str, Any]
Moments = Mapping[str, list[Tensor]]
Emit = Callable[[Message], None]


class Job:
    """One fine-tuning job. Everything random is a function of seed and step, so the position is just the step.

    Of a group, every process runs it; the one that leads writes and reports for all.
    """

    def __init__(self, spec: JobSpec, emit: Emit, group: Group = Group()) -> None:
        torch.set_num_threads(max(1, spec.threads // group.neighbours))
        self.group = group
        self.spec, self.emit = spec, emit if group.leads else nothing
        self.beat = Heartbeat(self.emit)
        self.output = Path(spec.output)
        self.journal = Journal(self.output)
        self.subject = subject_of(spec, self.beat)
        self.model, self.tokenizer = self.subject.model, self.subject.tokenizer
        self.warnings = list(self.subject.warnings)
        self.training = self.load("training file", spec.training_file)
        if not self.training.examples:
            raise unusable("training file", "no example has an assistant message or completion to learn from")
        self.changing = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self.optimiser = AdamW(self.changing.values())
        self.validation = self.load("validation file", spec.validation_file).examples if spec.validation_file else ()
        self.steps_per_epoch = math.ceil(len(self.training.examples) / spec.batch_size)
        self.total_steps = self.steps_per_epoch * spec.n_epochs
        self.rehearsal = Rehearsal(
            self.subject.rehearsed, self.tokenizer, self.subject.context, spec.seed, self.total_steps * spec.batch_size
        )
        self.step, self.seconds = 0, 0.0
        self.checkpoints: list[Message] = []

    def load(self, name: str, path: str) -> Dataset:
        """Read a file and note what had to be cut or left out of it."""
        dataset = load_dataset(name, Path(path), self.tokenizer, self.subject.context, self.beat)
        self.warnings += [dataset.warning] if dataset.warning else []
        return dataset

    def run(self) -> None:
        """Train from the last saved state to the end; raises JobError when numbers stop being finite."""
        self.resume()
        self.announce()
        self.started = time.monotonic() - self.seconds
        self.save_at = self.seconds + SAVE_EVERY
        while self.step < self.total_steps:
            self.record(self.train_step())
        trained_tokens = self.training.n_tokens * self.spec.n_epochs
        self.emit({"type": "done", "trained_tokens": trained_tokens, "seconds": round(self.seconds, 3)})

    def record(self, metrics: Message) -> None:
        """Report a step, and keep model and state when it is time."""
        if self.group.leads:
            self.report({"step": self.step, "total_steps": self.total_steps, **metrics})
        self.seconds = time.monotonic() - self.started
        if self.epoch_ends or self.group.agree(self.seconds > self.save_at):
            self.keep(metrics)
            spent = time.monotonic() - self.started - self.seconds
            self.save_at = self.seconds + max(SAVE_EVERY, spent / SAVE_SHARE)

    def keep(self, metrics: Message) -> None:
        """Put together what the processes hold; the one that leads writes it."""
        leads = self.group.leads
        weights = dict(zip(self.changing, gathered((p.detach() for p in self.changing.values()), leads)))
        moments = self.optimiser.state_dict(leads)
        if leads and self.epoch_ends:
            self.checkpoint(metrics, weights)
        if leads:
            self.save(weights, moments)

    def report(self, metrics: Message) -> None:
        """Write down, then tell: whoever should hear it may just be gone."""
        self.journal.add(metrics)
        self.emit({"type": "metrics", **metrics})

    @property
    def epoch_ends(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def announce(self) -> None:
        """Say what is about to run, and what of the files will not be used."""
        self.emit({
            "type": "started", "total_steps": self.total_steps, "n_examples": len(self.training.examples),
            "device": self.subject.device, "precision": self.subject.precision, "trained": self.subject.trained,
            "resumed_at_step": self.step, "checkpoints": list(self.checkpoints),
        })
        for note in self.subject.notes:
            self.emit({"type": "note", "message": note})
        for warning in self.warnings:
            self.emit({"type": "warning", "message": warning})

    def train_step(self) -> Message:
        """One optimiser step; returns the metrics of it."""
        batch, share = self.batch(self.step)
        self.step += 1
        loss, hits = loss_and_hits(self.model, batch)
        loss = loss * share
        mean, accuracy = self.group.sum(loss.item(), hits.item() / len(batch.targets) * share)
        self.require_finite("loss", mean)
        loss.backward()
        self.rehearse(self.rehearsal.beside(self.step - 1, self.spec.batch_size))
        self.group.sum_gradients(self.changing.values())
        rate = learning_rate(self.step, self.total_steps, self.spec.learning_rate_multiplier, self.subject.peak_rate)
        self.require_finite("gradient", self.optimiser.step(rate))
        return {"train_loss": mean, "train_mean_token_accuracy": accuracy, **self.validate()}

    def rehearse(self, rows: Sequence[Example]) -> None:
        """Add the gradient of this process's part of some rows of the corpus; no metric counts them."""
        if own := self.group.part(rows):
            loss, _ = loss_and_hits(self.model, collate(own, self.tokenizer.eot_id))
            (loss * WEIGHT * share_of(own, rows)).backward()

    def batch(self, step: int) -> tuple[Batch, float]:
        """This process's part of the batch that comes after `step` steps, and its share of the learnt tokens.

        Where nothing is left for this process, an example of another one's with a share of 0.
        """
        epoch, index = divmod(step, self.steps_per_epoch)
        order = epoch_order(len(self.training.examples), self.spec.seed, epoch)
        numbers = order[index * self.spec.batch_size : (index + 1) * self.spec.batch_size]
        chosen = [self.training.examples[n] for n in numbers]
        own = self.group.part(chosen)
        return collate(own or chosen[:1], self.tokenizer.eot_id), share_of(own, chosen)

    def require_finite(self, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise JobError(
                "training_diverged",
                f"Training diverged: the {name} became {value} at step {self.step} of {self.total_steps}. "
                f"Try a learning_rate_multiplier below {self.spec.learning_rate_multiplier:g}.",
            )

    def validate(self) -> Message:
        """Validation metrics due at this step: a drawn batch every tenth step, everything at an epoch's end."""
        metrics: Message = {}
        if self.validation and self.step % VALIDATE_EVERY == 0:
            drawn = epoch_order(len(self.validation), self.spec.seed, self.step)[: self.spec.batch_size]
            result = evaluate(self.model, [self.validation[n] for n in drawn], self.tokenizer.eot_id, self.group)
            metrics |= zip(("valid_loss", "valid_mean_token_accuracy"), result)
        if self.validation and self.epoch_ends:
            result = evaluate(self.model, self.validation, self.tokenizer.eot_id, self.group, self.beat)
            metrics |= zip(("full_valid_loss", "full_valid_mean_token_accuracy"), result)
        return metrics

    def checkpoint(self, metrics: Message, weights: Weights) -> None:
        """Keep the model of this epoch if it is one of the last three."""
        epoch = self.step // self.steps_per_epoch
        if epoch <= self.spec.n_epochs - KEPT_EPOCHS:
            return
        folder = f"checkpoints/step-{self.step}"
        write_folder(self.output / folder, partial(self.subject.save, weights))
        kept = {"epoch": epoch, "step": self.step, "folder": folder, "metrics": metrics}
        self.checkpoints.append(kept)
        self.emit({"type": "checkpoint", **kept})

    def save(self, weights: Weights, moments: Moments) -> None:
        """Write `resume.pt`: of the weights those that change, and none for a finished job, whose last checkpoint has them."""
        state: Message = {"step": self.step, "seconds": self.seconds, "checkpoints": self.checkpoints}
        if self.step < self.total_steps:
            state |= {"model": weights, "optimiser": moments}
        self.journal.sync()
        write_state(self.output / "resume.pt", state)

    def resume(self) -> None:
        """Go back to the state of `resume.pt`, if an earlier attempt left one."""
        path = self.output / "resume.pt"
        # Mapped and not read: of a model that is spread over processes, each takes only its part out of it.
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True) if path.exists() else {}
        self.step, self.seconds = state.get("step", 0), state.get("seconds", 0.0)
        self.checkpoints = state.get("checkpoints", [])
        if self.group.leads:
            self.journal.cut(self.step)
        if 0 < self.step < self.total_steps:
            with torch.no_grad():
                for name, parameter in self.changing.items():
                    put(state["model"][name], parameter)
            self.optimiser.load_state_dict(state["optimiser"])


def share_of(own: Sequence[Example], together: Sequence[Example]) -> float:
    """Which part of the learnt tokens is one's own."""
    return sum(len(example.learnt) for example in own) / sum(len(example.learnt) for example in together)


def nothing(_message: Message) -> None:
    """What a process says that does not lead."""
