"""Reading a finished job: its checkpoints by epoch, and the legacy classification columns."""

from __future__ import annotations

import base64
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import metrics, results
from sklearn.metrics import average_precision_score, f1_score, fbeta_score, precision_score, recall_score, roc_auc_score


def fake_job(n_epochs: int = 3) -> Any:
    return SimpleNamespace(id="ftjob-1", model="base", hyperparameters=SimpleNamespace(n_epochs=n_epochs))


def fake_client(*steps: int) -> Any:
    points = [SimpleNamespace(step_number=step, fine_tuned_model_checkpoint=f"model-{step}") for step in steps]
    listed = SimpleNamespace(checkpoints=SimpleNamespace(list=lambda job_id: points))
    return SimpleNamespace(fine_tuning=SimpleNamespace(jobs=listed))


def test_checkpoints_come_by_epoch_the_oldest_first() -> None:
    table = results.checkpoints(fake_client(30, 20, 10), fake_job())
    assert dict(table["model"]) == {1: "model-10", 2: "model-20", 3: "model-30"}
    assert list(table["step"]) == [10, 20, 30] and table.index.name == "epoch"


def test_of_ten_epochs_the_last_three_are_kept() -> None:
    assert list(results.checkpoints(fake_client(100, 90, 80), fake_job(10)).index) == [8, 9, 10]


def test_a_job_without_checkpoints_is_named() -> None:
    with pytest.raises(LookupError, match="ftjob-1"):
        results.checkpoints(fake_client(), fake_job())


def test_a_row_is_asked_as_it_was_trained() -> None:
    assert results.question_and_label({"prompt": "a ->", "completion": " yes"}) == ("a ->", "yes")
    user, answer = {"role": "user", "content": "a"}, {"role": "assistant", "content": "yes"}
    assert results.question_and_label({"messages": [user, answer]}) == ([user], "yes")


def test_binary_metrics_are_scikit_learn_s_at_one_half() -> None:
    rng = np.random.default_rng(1)
    happened = rng.random(200) < 0.4
    chances = np.clip(rng.normal(0.35 + 0.3 * happened, 0.25), 0, 1)
    truth = np.where(happened, "yes", "no")
    found = results.binary_metrics(list(truth), list(chances), "yes", betas=(1, 2, 0.5))
    said = chances > 0.5
    assert found == pytest.approx({
        "classification/accuracy": float(np.mean(happened == said)),
        "classification/precision": precision_score(happened, said),
        "classification/recall": recall_score(happened, said),
        "classification/auroc": roc_auc_score(happened, chances),
        "classification/auprc": average_precision_score(happened, chances),
        "classification/f1.0": f1_score(happened, said),
        "classification/f2.0": fbeta_score(happened, said, beta=2),
        "classification/f0.5": fbeta_score(happened, said, beta=0.5),
    })


def test_the_threshold_itself_is_not_positive_and_a_missing_probability_is_wrong() -> None:
    found = results.binary_metrics(["yes", "no", "yes", "no"], [0.5, 0.5, math.nan, math.nan], "yes")
    assert found["classification/accuracy"] == 0.25  # the one `no` at the threshold
    assert found["classification/recall"] == 0 and found["classification/auroc"] == 0.5


def test_multiclass_metrics_count_no_label_as_wrong() -> None:
    truth, said = ["a", "a", "b", "c"], ["a", None, "b", math.nan]
    found = results.multiclass_metrics(truth, said)
    assert found["classification/accuracy"] == 0.5
    # F1 of a: 2/3 (weight 2), of b: 1, of c: 0
    assert found["classification/weighted_f1_score"] == pytest.approx((2 * 2 / 3 + 1 + 0) / 4)


def test_every_epoch_is_asked_with_the_base_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_of = []

    def classify(client: Any, model: str, asked: Any, labels: list[str], legacy: bool) -> pd.DataFrame:
        asked_of.append((model, tuple(asked), legacy))
        sure = 0.9 if model == "model-30" else 0.2
        chances = [math.nan if model == "base" else sure if "good" in text else 1 - sure for text in asked]
        return pd.DataFrame({"label": labels[0], "p(neg)": [1 - p for p in chances], "p(pos)": chances})

    monkeypatch.setattr(results, "classify", classify)
    rows = [{"prompt": "good ->", "completion": " pos"}, {"prompt": "bad ->", "completion": " neg"}]
    table = results.metrics_per_epoch(fake_client(30, 20, 10), fake_job(), rows, positive="pos", betas=(2,))
    assert [model for model, *_ in asked_of] == ["base", "model-10", "model-20", "model-30"]
    assert asked_of[0][1:] == (("good ->", "bad ->"), True)
    assert list(table["classification/accuracy"]) == [0, 0, 0, 1] and list(table["scored"]) == [0, 2, 2, 2]
    assert list(table.columns) == [
        "scored", *(f"classification/{name}" for name in ("accuracy", "precision", "recall", "auroc", "auprc", "f2.0"))
    ]


def test_many_classes_have_the_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    said = pd.DataFrame({"label": ["a", "b", None]})
    monkeypatch.setattr(results, "classify", lambda *given, **more: said)
    rows = [{"prompt": label, "completion": f" {label}"} for label in "abc"]
    found = results.classification_metrics(None, "model", rows)
    assert found["scored"] == 2 and found["classification/accuracy"] == pytest.approx(2 / 3)
    assert set(found) == {"scored", "classification/accuracy", "classification/weighted_f1_score"}


@pytest.mark.parametrize("positive, labels", [("pos", "abc"), ("x", "ab")])
def test_a_positive_class_needs_two_labels(positive: str, labels: str) -> None:
    rows = [{"prompt": label, "completion": f" {label}"} for label in labels]
    with pytest.raises(ValueError, match="two labels"):
        results.classification_metrics(None, "model", rows, positive)


def test_a_result_file_is_the_same_in_base64_and_as_plain_text() -> None:
    plain = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.5,,\n2,1.5,0.75,1.25,0.5\n"
    frame = metrics.result_frame(plain)
    assert frame.equals(metrics.result_frame(base64.b64encode(plain)))
    assert frame["train_mean_token_accuracy"].to_dict() == {1: 0.5, 2: 0.75}
    assert math.isnan(frame["valid_loss"][1]) and frame["valid_loss"][2] == 1.25


def test_wandb_is_looked_for_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise results.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(results.metadata, "version", lambda name: f"{name} 1")
    assert results.wandb_version() == "wandb 1"
    monkeypatch.setattr(results.metadata, "version", missing)
    assert results.wandb_version() is None
