"""What fine-tuning has to beat in a classification: the most frequent label, and a bag of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

STRENGTHS = [1.0, 10.0, 100.0]  # inverse regularisation, chosen by cross-validation on the training rows
FOLDS = 4


def majority(labels: Iterable[str]) -> str:
    """The most frequent label; of several the first in the alphabet."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def tf_idf_model(texts: Sequence[str], labels: Sequence[str]) -> GridSearchCV:
    """Logistic regression on TF-IDF of words and pairs of words, fitted: `predict` gives labels, `predict_proba` probabilities.

    Every label must occur at least four times, because the regularisation is chosen by four-fold cross-validation.
    """
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2_000))
    with threadpool_limits(1):  # more threads spin while they wait for each other: beside a training job eight times as slow
        return GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=FOLDS).fit(texts, labels)


def tf_idf(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Labels of `asked` by `tf_idf_model`, learnt from `texts` and `labels`."""
    return list(tf_idf_model(texts, labels).predict(asked))
