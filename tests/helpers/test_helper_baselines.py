"""Baselines learn from the training rows what can be learnt without a model, and nothing else."""

from __future__ import annotations

import pytest
from helpers.baselines import majority, tf_idf


@pytest.mark.parametrize("labels, most", [(["no", "yes", "no"], "no"), (["b", "a", "b", "a"], "a"), (["x"], "x")])
def test_the_most_frequent_label(labels: list[str], most: str) -> None:
    assert majority(labels) == most


def test_words_that_tell_are_found() -> None:
    texts = [f"{word} {n}" for n in range(6) for word in ("a fine day", "a bad day")]
    labels = ["good" if "fine" in text else "poor" for text in texts]
    assert tf_idf(texts, labels, ["how fine", "too bad"]) == ["good", "poor"]
