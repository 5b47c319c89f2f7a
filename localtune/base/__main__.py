"""`python -m localtune.base corpus|tokenizer|lessons|pretrain|rehearsal|evaluate`: what made the shipped weights."""

from __future__ import annotations

import argparse
import json
import os
import random
from itertools import islice
from pathlib import Path

from localtune.base.corpus.mixture import SOURCES, stream
from localtune.base.corpus.rehearsal import rows
from localtune.base.corpus.tasks.verdicts import LESSONS
from localtune.base.evaluation.options import add_options
from localtune.base.recall import EXERCISES
from localtune.config import DATA, REHEARSAL


def parser() -> argparse.ArgumentParser:
    """The command line; with which options the shipped weights were made stands in their model card."""
    main = argparse.ArgumentParser(prog="python -m localtune.base", description=__doc__)
    jobs = main.add_subparsers(dest="job", required=True)
    tokenizer = jobs.add_parser("tokenizer", help="learn the 4,096-token byte-level BPE from the corpus")
    pretrain = jobs.add_parser("pretrain", help="train the base; an interrupted run goes on")
    lessons = jobs.add_parser("lessons", help="teach a model comparing and sorting, one skill at a time, before `pretrain`")
    corpus = jobs.add_parser("corpus", help="show documents of the corpus")
    corpus.add_argument("source", nargs="?", choices=sorted(SOURCES), help="one generator (default: the mixture)")
    corpus.add_argument("--count", type=int, default=3, help="documents")
    rehearsal = jobs.add_parser("rehearsal", help="write the rows of the corpus that fine-tuning jobs rehearse")
    rehearsal.add_argument("--count", type=int, default=2_000, help="rows")
    rehearsal.add_argument("--output", type=Path, default=REHEARSAL)
    evaluate = jobs.add_parser("evaluate", help="held-out figures of the base and of models tuned from it")
    for job in (corpus, tokenizer, lessons, pretrain, rehearsal):
        job.add_argument("--seed", type=int, default=1)
    tokenizer.add_argument("--documents", type=int, default=60_000, help="documents to learn from")
    lessons.add_argument("--minutes", type=float, default=8.0, help="the most that one lesson takes")
    lessons.add_argument("--lr", type=float, default=2e-3, help="learning rate")
    pretrain.add_argument("--lr", type=float, default=4e-3, help="highest learning rate")
    pretrain.add_argument("--decay", type=float, default=0.5, help="share of the run over which it falls to zero")
    every = (*EXERCISES, *LESSONS)
    lessons.add_argument("--only", nargs="+", choices=every, default=every, help="lessons (default: all)")
    pretrain.add_argument("--minutes", type=float, default=82.0, help="wall time of training")
    pretrain.add_argument("--steps", type=int, help="fixed number of steps instead of minutes")
    for job in (lessons, pretrain):
        job.add_argument("--threads", type=int, help="processor threads (default: all)")
        job.add_argument("--start", type=Path, help="folder of a model to go on from (default: random weights)")
    pretrain.add_argument("--natural", type=Path, help="JSON lines {source, task, prompt, completion}, mixed in")
    pretrain.add_argument("--work", type=Path, default=Path("build/pretrain"), help="resume file and log")
    add_options(evaluate)
    for job in (tokenizer, lessons, pretrain, evaluate):
        job.add_argument("--base", type=Path, default=DATA / "base" / "small", help="folder of the model")
    return main


def show(source: str | None, count: int, seed: int) -> None:
    """Print documents as the model reads them, without the chat template's marks."""
    documents = SOURCES[source][0](random.Random(seed)) if source else stream(seed)
    for document in islice(documents, count):
        chat = (f"[{message['role']}] {message['content']}\n" for message in document.messages)
        rest = "".join(document.parts[len(document.messages):])
        print(*chat, rest, sep="", end=f"\n{'-' * 40}\n")


def main() -> None:
    """Imports happen here so that `--help` answers at once."""
    given = parser().parse_args()
    if given.job == "corpus":
        show(given.source, given.count, given.seed)
    elif given.job == "tokenizer":
        from localtune.base.vocabulary import write_tokenizer

        write_tokenizer(given.base, given.seed, given.documents)
    elif given.job == "rehearsal":
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(given.seed, given.count)]
        given.output.write_text("".join(lines), encoding="utf-8", newline="\n")
    elif given.job in ("lessons", "pretrain"):
        # Threads that spin while they wait lose most of the speed as soon as they share a core with anything else.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch

        from localtune.base.lessons import teach
        from localtune.base.pretrain import Plan, pretrain

        torch.set_num_threads(given.threads or torch.get_num_threads())
        if given.job == "lessons":
            plan = Plan(given.seed, given.minutes, peak_lr=given.lr, decay=0.01, start=given.start)
            teach(plan, given.only, given.base, given.base)
        else:
            plan = Plan(given.seed, given.minutes, given.steps, peak_lr=given.lr, decay=given.decay, start=given.start,
                natural_text=given.natural)
            pretrain(plan, given.base, given.base, given.work)
    else:
        from localtune.base.evaluation.command import evaluate

        evaluate(given)


if __name__ == "__main__":
    main()
