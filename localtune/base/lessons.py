"""Lessons before the mixture: one skill at a time, nearly alone, until its answers are right.

First exercises on random tokens (`recall`), which form the circuits that copy, look up and match; then pages of words.

A skill such as comparing appears suddenly, after some thousand answers in a row; spread over a mixture of fifty tasks it has
not appeared after twelve million tokens (docs/log.md). Once there, a small share keeps it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import torch

from localtune.base.batches import Batch, batches, collate, encode
from localtune.base.corpus import facts, personas
from localtune.base.corpus.document import Document
from localtune.base.corpus.mixture import in_shares, stream
from localtune.base.corpus.tasks.layout import Task
from localtune.base.corpus.tasks.verdicts import LESSONS, lesson
from localtune.base.pretrain import Plan, Trainer
from localtune.base.recall import EXERCISES, LONGEST, Exercises, fill
from localtune.model.llama import save_llama
from localtune.model.tokenizer import Tokenizer

TOKENS = 2_048  # small batches: what counts is the number of steps
EXERCISE_TOKENS = 4_096
LENGTHS = (64, 128, LONGEST, LONGEST)  # tokens of an exercise's row
MIXTURE = 0.3  # share of tokens beside an exercise, from the mixture
MASTERED = 0.93  # mean share of right answers at which a lesson ends early
LOOK_EVERY = 50  # steps
REHEARSED = {"facts": 0.12, "personas": 0.08, "before": 0.1}  # shares of text beside the lesson's own


def teach(plan: Plan, names: Sequence[str], tokenizer_folder: Path, output: Path) -> None:
    """Teach some lessons one after another, each for at most `plan.minutes`; the model is written to `output` after each.

    The learning rate is constant after a short warm-up: a run over the mixture follows, which lets it fall.
    """
    trainer = Trainer(plan, Tokenizer.from_folder(tokenizer_folder))
    for number, name in enumerate(names):
        source = exercise(trainer, name) if name in EXERCISES else pages(trainer, name, names[:number])
        # Random tokens would pull the embeddings away from what the words mean.
        trainer.model.model.embed_tokens.requires_grad_(name not in EXERCISES)
        trainer.seconds = 0.0
        for batch in source:
            started = time.monotonic()
            trainer.train_step(batch)
            trainer.seconds += time.monotonic() - started
            if trainer.step % LOOK_EVERY == 0 and done(trainer, name):
                break
        save_llama(trainer.model, output, tokenizer_folder, torch.float16)


def exercise(trainer: Trainer, name: str) -> Iterator[Batch]:
    """Batches of random tokens, with the mixture among them."""
    rng = random.Random(f"{trainer.plan.seed}/{name}")
    mixture = batches(stream(trainer.plan.seed, final=True), trainer.tokenizer,
        trainer.model.config.max_position_embeddings, EXERCISE_TOKENS, rng)
    sources = {"exercise": drills(Exercises(trainer.tokenizer, rng), EXERCISES[name]), "mixture": mixture}
    return in_shares(sources, {"exercise": 1 - MIXTURE, "mixture": MIXTURE}, lambda batch: batch.ids.numel())


def drills(exercises: Exercises, shares: Mapping[str, float]) -> Iterator[Batch]:
    """Endless batches of rows of one length, each row an exercise of `shares`."""
    rng, eot = exercises.rng, exercises.tokenizer.eot_id
    while True:
        length = rng.choice(LENGTHS)
        kinds = rng.choices(list(shares), list(shares.values()), k=EXERCISE_TOKENS // length)
        yield collate([fill(getattr(exercises, kind), length) for kind in kinds], eot)


def pages(trainer: Trainer, name: str, earlier: Sequence[str]) -> Iterator[Batch]:
    """Batches of a lesson's pages and what is rehearsed beside them."""
    seed = f"{trainer.plan.seed}/{name}"
    before = [task for lesson_before in earlier for task in LESSONS.get(lesson_before, ())]
    return batches(documents(LESSONS[name], before, seed), trainer.tokenizer,
        trainer.model.config.max_position_embeddings, TOKENS, random.Random(seed))


def done(trainer: Trainer, name: str) -> bool:
    """Show the share of right answers; True if that is enough, or the time is over."""
    if name in EXERCISES:
        right = {one: right_tokens(trainer, one) for one in EXERCISES[name]}
    else:
        right = {task.__name__: right_answers(trainer, task) for task in dict.fromkeys(LESSONS[name])}
    shown = {task: round(share, 2) for task, share in right.items()}
    print(name, f"step {trainer.step}, {trainer.seconds:.0f} s:", shown, flush=True)
    return sum(right.values()) / len(right) > MASTERED or trainer.progress >= 1


@torch.inference_mode()
def right_tokens(trainer: Trainer, kind: str, rows: int = 16) -> float:
    """Share of an exercise's learnt tokens that are the most likely ones, on rows that training does not see."""
    exercises = Exercises(trainer.tokenizer, random.Random(7))
    batch = collate([fill(getattr(exercises, kind), LONGEST) for _ in range(rows)], trainer.tokenizer.eot_id)
    learnt = batch.weights > 0
    likely = trainer.model.logits(trainer.model(batch.ids)[learnt]).argmax(-1)
    return (likely == batch.targets[learnt]).float().mean().item()


def documents(tasks: Sequence[Task], before: Sequence[Task], seed: str) -> Iterator[Document]:
    """The lesson's pages, with facts, personas and earlier lessons among them."""
    sources = {name: one.documents(random.Random(f"{seed}/{name}")) for name, one in (("facts", facts), ("personas", personas))}
    if before:
        sources["before"] = lesson(before, random.Random(f"{seed}/before"))
    wanted = {name: REHEARSED[name] for name in sources}
    sources["lesson"] = lesson(tasks, random.Random(seed))
    return in_shares(sources, {**wanted, "lesson": 1 - sum(wanted.values())})


@torch.inference_mode()
def right_answers(trainer: Trainer, task: Task, pages: int = 8) -> float:
    """Share of answers whose first token is the most likely one, on pages that training does not see."""
    right = asked = 0
    for document in islice(lesson((task,), random.Random(7)), pages):
        row = encode(document, trainer.tokenizer, trainer.model.config.max_position_embeddings, random.Random(0))
        likely = trainer.model.logits(trainer.model(torch.tensor([row.ids[:-1]]))[0]).argmax(-1).tolist()
        first = [n for n in range(1, len(row.ids)) if row.weights[n] and not row.weights[n - 1]]
        right, asked = right + sum(likely[n - 1] == row.ids[n] for n in first), asked + len(first)
    return right / asked
