"""The document's reasoning job at full size: 10 epochs, batch 3, multiplier 0.3, with a validation file, through the wire.

    python3 start.py bench ar_lsat [--data FOLDER] [--rows N] [--epochs 10] [--multiplier 0.3] [--seed 1] [--out FILE]

FOLDER holds the three public files of AR-LSAT (default: `AR_LSAT_DIR`; without either, the course's own logic games). A service
of its own is started on a temporary state folder. Printed: loss and accuracy of every epoch, then the base and the last three
checkpoints on the test split, beside chance, the most frequent letter and a bag of words.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pandas as pd
import psutil
from openai.types.fine_tuning import FineTuningJob

from helpers import ar_lsat, baselines, evaluate, jobs, metrics
from tools.service import service, service_process

MODEL = "small"
FULL = ["full_valid_loss", "full_valid_mean_token_accuracy"]
Figures = dict[str, Any]


@contextmanager
def peak_memory(state: Path) -> Iterator[list[float]]:
    """A list whose one entry grows to the most megabytes that the service and its workers held together."""
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            root = service_process(state)
            group = [root, *root.children(recursive=True)] if root else []
            peak[0] = max(peak[0], sum(resident(process) for process in group))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def resident(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def train(client: openai.OpenAI, data: ar_lsat.Questions, options: argparse.Namespace) -> FineTuningJob:
    """The finished job."""
    chosen = ar_lsat.whole_games(data.train, options.rows or len(data.train))
    files = [jobs.upload(client, ar_lsat.chat_examples(frame), name)
             for frame, name in ((chosen, "train.jsonl"), (data.validation, "validation.jsonl"))]
    settings = {"n_epochs": options.epochs, "batch_size": 3, "learning_rate_multiplier": options.multiplier}
    job = jobs.create_or_reuse(client, MODEL, *(file.id for file in files), hyperparameters=settings, seed=options.seed)
    return jobs.follow(client, job.id, poll=2.0)


def by_epoch(client: openai.OpenAI, job: FineTuningJob) -> pd.DataFrame:
    """Mean training loss of each epoch, and what the whole validation file gave at its end."""
    steps = metrics.job_metrics(client, job.id)
    epoch = (steps.index - 1) * int(job.hyperparameters.n_epochs) // len(steps) + 1
    means = steps.groupby(epoch)[["train_loss"]].mean()
    return means.join(steps.groupby(epoch)[FULL].last()).rename_axis("epoch")


def judged(client: openai.OpenAI, model: str, test: pd.DataFrame) -> Figures:
    """How many answers are one letter, and how many are the right one; a service that does not answer counts as unscored."""
    questions = [ar_lsat.question_text(row) for row in test.to_dict("records")]
    answers = evaluate.ask(client, model, questions, system=ar_lsat.INSTRUCTION, temperature=0, max_tokens=8)
    texts = [answer.text for answer in answers]
    letters = [text if text is None else ar_lsat.letter(text) or "" for text in texts]
    return {
        "one letter": metrics.rate(None if found is None else found != "" for found in letters),
        "right": metrics.rate(None if found is None else found == right for found, right in zip(letters, test["answer"])),
    }


def simple(data: ar_lsat.Questions, rows: int) -> Figures:
    """The most frequent letter, and a bag of words, learnt from the same questions."""
    chosen = ar_lsat.whole_games(data.train, rows or len(data.train))
    texts = {name: [ar_lsat.question_text(row) for row in frame.to_dict("records")]
             for name, frame in (("train", chosen), ("test", data.test))}
    most = [baselines.majority(chosen["answer"])] * len(data.test)
    bag = baselines.tf_idf(texts["train"], list(chosen["answer"]), texts["test"])
    return {name: {"right": metrics.rate(a == b for a, b in zip(given, data.test["answer"]))}
            for name, given in (("most frequent letter", most), ("TF-IDF", bag))}


def measure(state: Path, options: argparse.Namespace) -> Figures:
    """Everything, as one dictionary; printed on the way."""
    data = ar_lsat.load(options.data)
    with service(state) as url, peak_memory(state) as peak:
        client = openai.OpenAI(base_url=url, api_key="sk-local", http_client=openai.DefaultHttpxClient(trust_env=False))
        started = time.monotonic()
        job = train(client, data, options)
        seconds = time.monotonic() - started
        epochs = by_epoch(client, job)
        print(epochs.round(3).to_string())
        checkpoints = {f"step {point.step_number}": point.fine_tuned_model_checkpoint
                       for point in reversed(client.fine_tuning.jobs.checkpoints.list(job.id).data)}
        found = {name: judged(client, model, data.test) for name, model in {"base": MODEL, **checkpoints}.items()}
    found |= simple(data, options.rows)
    for name, figures in found.items():
        for what, value in figures.items():
            print(f"{name:21} {what:11} {value}")
    chance = (1 / data.test["options"].map(len)).mean()
    print(f"chance {chance:.2f} · {job.trained_tokens:,} tokens in {seconds:.0f} s · service: at most {peak[0]:.0f} MB")
    rates = {name: {what: str(value) for what, value in figures.items()} for name, figures in found.items()}
    return {"source": data.source, "options": {key: str(value) for key, value in vars(options).items()},
            "trained_tokens": job.trained_tokens, "seconds": round(seconds), "peak_megabytes": round(peak[0]),
            "epochs": epochs.round(4).reset_index().to_dict("records"), "chance": chance, "test": rates}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public files")
    parser.add_argument("--rows", type=int, default=0, help="training questions, in whole games (default: all)")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--multiplier", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        figures = measure(Path(folder), options)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
