"""What a finished job leaves to be read: its checkpoints, and the classification metrics that OpenAI's first API reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import openai
import pandas as pd
from openai.types.fine_tuning import FineTuningJob
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score

from helpers.classification import classify
from helpers.formatting import message_text
from helpers.scoring import NO_LABEL, accuracy, f_beta, weighted_f1

Row = Mapping[str, Any]


def checkpoints(client: openai.OpenAI, job: FineTuningJob) -> pd.DataFrame:
    """The models that a finished job has kept, one per epoch, the oldest first: index `epoch`, columns `step`, `model`.

    OpenAI keeps the last three epochs. Raises LookupError if there is none (the job did not succeed).
    """
    points = sorted(client.fine_tuning.jobs.checkpoints.list(job.id), key=lambda point: point.step_number)
    if not points:
        raise LookupError(f"{job.id} has no checkpoints; only a job that succeeded keeps some")
    n_epochs, last = int(job.hyperparameters.n_epochs), points[-1].step_number
    epochs = [round(point.step_number * n_epochs / last) for point in points]
    lines = {"step": [p.step_number for p in points], "model": [p.fine_tuned_model_checkpoint for p in points]}
    return pd.DataFrame(lines, index=pd.Index(epochs, name="epoch"))


def question_and_label(row: Row) -> tuple[Any, str]:
    """What a classifier is asked in a training row, and its label: prompt and completion, or a chat and its last message."""
    if "messages" in row:
        return row["messages"][:-1], message_text(row["messages"][-1]).strip()
    return row["prompt"], row["completion"].strip()


def binary_metrics(
    truth: Sequence[str], probability: Sequence[float], positive: str, betas: Iterable[float] = (1.0,)
) -> dict[str, float]:
    """The legacy columns of a classification into two classes, by the `probability` of the positive one.

    Positive is what has a probability above 0.5. NaN, no probability at all, is wrong whatever the label, and counts as
    0.5 for the two areas.
    """
    (negative,) = set(truth) - {positive}
    chances = np.asarray(probability, float)
    said = np.where(np.isnan(chances), NO_LABEL, np.where(chances > 0.5, positive, negative))
    happened, given, ranked = np.asarray(truth) == positive, said == positive, np.nan_to_num(chances, nan=0.5)
    found = {
        "accuracy": accuracy(truth, said),
        "precision": precision_score(happened, given, zero_division=0),
        "recall": recall_score(happened, given, zero_division=0),
        "auroc": roc_auc_score(happened, ranked),
        "auprc": average_precision_score(happened, ranked),
        **{f"f{float(beta)}": f_beta(positive, beta)(truth, said) for beta in betas},
    }
    return _named(found)


def multiclass_metrics(truth: Sequence[str], said: Sequence[str | None]) -> dict[str, float]:
    """The two legacy columns of a classification into any number of classes; None, no label, is wrong."""
    filled = [NO_LABEL if label is None or label != label else label for label in said]
    return _named({"accuracy": accuracy(truth, filled), "weighted_f1_score": weighted_f1(truth, filled)})


def classification_metrics(
    client: openai.OpenAI, model: str, rows: Iterable[Row], positive: str | None = None, betas: Iterable[float] = (1.0,)
) -> dict[str, float]:
    """Asks a model for the label of every row (one token) and measures the legacy columns; `scored`: rows with a label.

    With `positive` there must be two labels, and the columns are those of `binary_metrics`.
    """
    asked, truth = zip(*map(question_and_label, rows))
    labels = sorted(set(truth))
    if positive is not None and (len(labels) != 2 or positive not in labels):
        raise ValueError(f"a positive class needs two labels, one of them {positive!r}; there are {', '.join(labels)}")
    table = classify(client, model, asked, labels, legacy=isinstance(asked[0], str))
    if positive is None:
        found, scored = multiclass_metrics(truth, list(table["label"])), table["label"].notna().sum()
    else:
        found, scored = binary_metrics(truth, table[f"p({positive})"], positive, betas), table[f"p({positive})"].notna().sum()
    return {"scored": int(scored), **found}


def metrics_per_epoch(
    client: openai.OpenAI,
    job: FineTuningJob,
    rows: Sequence[Row],
    positive: str | None = None,
    betas: Iterable[float] = (1.0,),
) -> pd.DataFrame:
    """The classification columns of the legacy result file, measured anew: every checkpoint is asked for all `rows`.

    One line per kept epoch, with 0 for the model that the job started from.
    """
    models = {0: job.model, **checkpoints(client, job)["model"]}
    lines = {epoch: classification_metrics(client, model, rows, positive, betas) for epoch, model in models.items()}
    return pd.DataFrame(lines).T.rename_axis("epoch").astype({"scored": int})


def wandb_version() -> str | None:
    """Version of the package wandb, or None where it is not installed (it is optional: requirements-extras.txt)."""
    try:
        return metadata.version("wandb")
    except metadata.PackageNotFoundError:
        return None


def _named(found: Mapping[str, float]) -> dict[str, float]:
    return {f"classification/{name}": float(value) for name, value in found.items()}
