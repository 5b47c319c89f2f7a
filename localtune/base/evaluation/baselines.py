"""What a classification is worth: the most frequent label, and TF-IDF with logistic regression on the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from localtune.base.evaluation.rows import Row
from localtune.base.evaluation.task import Task

Predict = Callable[[Sequence[Row]], list[str]]
STRENGTHS = [1.0, 10.0, 100.0]  # inverse regularisation, chosen by cross-validation on the training rows
FOLDS = 4


def majority(task: Task, rows: Sequence[Row]) -> Predict:
    label = Counter(task.answer(row) for row in rows).most_common(1)[0][0]
    return lambda asked: [label] * len(asked)


def tf_idf(task: Task, rows: Sequence[Row]) -> Predict:
    """Logistic regression on TF-IDF of words and pairs of words."""
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2_000))
    search = GridSearchCV(model, {"logisticregression__C": STRENGTHS}, cv=FOLDS)
    with threadpool_limits(1):  # more threads spin while they wait for each other where anything else runs
        search.fit([task.prompt(row) for row in rows], [task.answer(row) for row in rows])
    return lambda asked: list(search.predict([task.prompt(row) for row in asked]))


BASELINES: dict[str, Callable[[Task, Sequence[Row]], Predict]] = {"majority": majority, "TF-IDF": tf_idf}
