"""Asking a model for one token that is a label, with its probability; baselines, learning curves and costs of doing so."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openai
import pandas as pd
from openai.types.fine_tuning import FineTuningJob

from helpers import tokens
from helpers.errors import JobFailed
from helpers.evaluate import Answer, Messages, complete, logprobs
from helpers.jobs import create_or_reuse, upload
from helpers.progress import Progress
from helpers.service import is_loopback
from helpers.watching import RESTING, JobWatch, outcome

MOST_LABELS = {"chat": 20, "completion": 5}  # most likely first tokens that a provider tells
TOGETHER = 16  # prompts in one request: asking for one token each, the request would cost more than the answer
Example = tuple[str, str]  # a text and its label


def label_of(token: str | None, labels: Iterable[str]) -> str | None:
    """The label that a first token stands for: the same word, else the only label that begins with it, else None.

    White space around the token and capital letters make no difference.
    """
    word = (token or "").strip().casefold()
    same = [label for label in labels if label.casefold() == word]
    begun = same or [label for label in labels if word and label.casefold().startswith(word)]
    return begun[0] if len(begun) == 1 else None


def label_probabilities(top: Mapping[str, float], labels: Sequence[str]) -> dict[str, float]:
    """Log-probabilities of first tokens → probability of each label, among the labels that were found (they sum to 1).

    Several tokens can be one label (`yes`, ` Yes`): they are added. All NaN if no label is among the tokens.
    """
    found = dict.fromkeys(labels, 0.0)
    for token, logprob in top.items():
        if (label := label_of(token, labels)) is not None:
            found[label] += math.exp(logprob)
    mass = sum(found.values())
    return {label: value / mass if mass else math.nan for label, value in found.items()}


def tail_bound(top: Mapping[str, float]) -> float:
    """The most that a token outside `top` can have: no more than the least likely of them, nor than all of them leave."""
    probabilities = [math.exp(logprob) for logprob in top.values()]
    return max(0.0, min([*probabilities, 1 - sum(probabilities)]))


def label_table(answers: Iterable[Answer], labels: Sequence[str]) -> pd.DataFrame:
    """Answers of one token each → one line per answer.

    `token` is what was written, `label` what it stands for (None: no label, or no answer); `p(label)` for each label is
    its probability among the labels found, `labels` the probability that those have together, `tail` the most that a
    label which was not found can have.
    """
    rows = []
    for answer in answers:
        chances = label_probabilities(answer.top, labels)
        mass = sum((math.exp(value) for token, value in answer.top.items() if label_of(token, labels)), 0.0)
        columns = {f"p({label})": value for label, value in chances.items()}
        label = label_of(answer.text, labels)
        rows.append({"token": answer.text, "label": label, **columns, "labels": mass, "tail": tail_bound(answer.top)})
    return pd.DataFrame(rows, columns=["token", "label", *(f"p({label})" for label in labels), "labels", "tail"])


def classify(
    client: openai.OpenAI,
    model: str,
    asked: Iterable[Messages | str],
    labels: Sequence[str],
    *,
    legacy: bool = False,
    system: str | None = None,
    concurrency: int = 8,
) -> pd.DataFrame:
    """Asks for one token per row, the most likely one, and reads it as a label; see `label_table` for the columns.

    `asked` are chats or a user's texts, with `legacy` prompts for the completions endpoint as they are. A request that
    failed is a row without label; its reason stands in the progress line.
    """
    if legacy and system:
        raise ValueError("the completions endpoint has no system message: put it into the prompts")
    if legacy:
        settings = {"max_tokens": 1, "temperature": 0, "logprobs": MOST_LABELS["completion"]}
        return label_table(complete(client, model, asked, concurrency, TOGETHER, **settings), labels)
    answers = logprobs(client, model, asked, MOST_LABELS["chat"], concurrency, system)
    return label_table(answers, labels)


def balanced(table: pd.DataFrame, label: str, per_label: int, seed: int = 0) -> pd.DataFrame:
    """`per_label` rows of each value of the column `label`, drawn at random and mixed.

    Raises ValueError if a label has fewer rows.
    """
    counts = table[label].value_counts()
    if short := [f"{name} ({n})" for name, n in counts.items() if n < per_label]:
        raise ValueError(f"{per_label} rows per label were asked for; there are fewer of {', '.join(short)}")
    return table.groupby(label).sample(per_label, random_state=seed).sample(frac=1, random_state=seed)


def few_shot_chats(shots: Iterable[Example], texts: Iterable[str]) -> list[list[dict[str, str]]]:
    """Chats in which solved examples come first, as turns of user and assistant, and then the text that is asked."""
    turns = [{"role": role, "content": text} for shot in shots for role, text in zip(("user", "assistant"), shot)]
    return [[*turns, {"role": "user", "content": text}] for text in texts]


def few_shot_prompts(shots: Iterable[Example], prompts: Iterable[str], between: str = "\n\n") -> list[str]:
    """Prompts for the completions endpoint with solved examples in front, each a prompt, a space and its label."""
    solved = "".join(f"{prompt} {label}{between}" for prompt, label in shots)
    return [solved + prompt for prompt in prompts]


def doubled(total: int, times: int) -> list[int]:
    """Sizes that double up to `total`: doubled(500, 2) → [125, 250, 500]."""
    return [total >> n for n in range(times, -1, -1)]


def learning_curve(
    client: openai.OpenAI,
    model: str,
    rows: Sequence[Mapping[str, Any]],
    sizes: Iterable[int],
    name: str = "curve",
    *,
    seed: int = 1,
    **settings: Any,
) -> pd.DataFrame:
    """One model for each size, trained on that many first rows: put them in random order, the labels evenly, before.

    `rows` are training examples (chat or prompt/completion); `settings` go to `jobs.create_or_reuse` (hyperparameters,
    suffix, yes …), so jobs that are there already are used again. Returns one line per size: job, model, tokens,
    seconds (with the time spent in the queue). Raises ValueError if there are too few rows, what `wait` raises.
    """
    sizes = sorted(sizes)
    if not sizes or sizes[-1] > len(rows):
        raise ValueError(f"a curve up to {sizes[-1] if sizes else 0} examples was asked for; there are {len(rows)}")
    files = {size: upload(client, rows[:size], f"{name}-{size}.jsonl") for size in sizes}
    jobs = {size: create_or_reuse(client, model, file.id, seed=seed, **settings) for size, file in files.items()}
    done = [_curve_line(size, wait(client, job.id, f"{size} examples")) for size, job in jobs.items()]
    return pd.DataFrame(done).set_index("examples")


def wait(client: openai.OpenAI, job_id: str, label: str) -> FineTuningJob:
    """Waits for a job behind a plain bar: for several in a row, where `jobs.follow` would draw a curve for each.

    Raises JobFailed for a job that failed, RuntimeError for one that was cancelled or paused.
    """
    watch, progress = JobWatch(client, job_id), Progress(label)
    pause = 0.5 if is_loopback(str(client.base_url)) else 5.0
    while (job := watch.look()).status not in RESTING:
        progress.update(*watch.progress, label)
        time.sleep(pause)
    progress.close(f"{label}: {outcome(job)}")
    if job.status == "failed":
        raise JobFailed(job, [event.message for event in watch.messages[-5:]])
    if job.status != "succeeded":
        raise RuntimeError(outcome(job))
    return job


def cost_per_thousand(asked: Mapping[str, Iterable[Messages | str]], models: Iterable[str], written: float = 1) -> pd.DataFrame:
    """US dollars for 1,000 classifications by models fine-tuned from each of `models`, for each way of asking.

    `asked` are prompts or chats by the name of the way (short, few-shot …); `written` is the number of tokens of an
    answer. One line per way and model: `tokens_in` (mean of the requests), `usd_per_1000` (NaN where no price is known).
    """
    ways, lines = {name: list(items) for name, items in asked.items()}, {}
    for name, model in itertools.product(ways, models):
        read = sum(_tokens_in(item, model) for item in ways[name]) / len(ways[name])
        usd = 1000 * tokens.usage_cost(model, read, written)
        lines[name, model] = {"tokens_in": round(read, 1), "usd_per_1000": round(usd, 4)}
    return pd.DataFrame(lines).T.rename_axis(["asked", "model"])


def _tokens_in(item: Messages | str, model: str) -> int:
    return tokens.count(item, model) if isinstance(item, str) else tokens.count_chat(item, model)


def _curve_line(size: int, job: FineTuningJob) -> dict[str, Any]:
    seconds = job.finished_at - job.created_at if job.finished_at else None
    return {"examples": size, "job": job.id, "model": job.fine_tuned_model, "tokens": job.trained_tokens, "seconds": seconds}
