"""One token as a label, its probability; metrics with intervals, calibration, learning curves and costs."""

from __future__ import annotations

import json
import math

import httpx2
import numpy as np
import pandas as pd
import pytest
from helpers import classification, scoring
from helpers.classification import (
    balanced, classify, cost_per_thousand, doubled, few_shot_chats, few_shot_prompts, label_of, label_probabilities,
    learning_curve, tail_bound,
)
from helpers.class_plots import confusion, learning_curves, reliability_diagram, roc_and_precision_recall
from helpers.errors import JobFailed
from helpers.scoring import (
    Interval, accuracy, best_threshold, calibration_error, f_beta, interval, mcnemar, reliability, signed, weighted_f1,
)
from sklearn.metrics import f1_score, fbeta_score, roc_auc_score

LABELS = ["yes", "no"]


def completion(token: str, top: dict[str, float], prompts: int = 1) -> httpx2.Response:
    scores = {"tokens": [token], "token_logprobs": [top[token]], "top_logprobs": [top]}
    choices = [{"index": n, "text": token, "finish_reason": "length", "logprobs": scores} for n in range(prompts)]
    return httpx2.Response(200, json={"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": choices})


def chat(token: str, top: dict[str, float]) -> httpx2.Response:
    entries = [{"token": name, "logprob": value, "bytes": None} for name, value in top.items()]
    content = [{"token": token, "logprob": top[token], "bytes": None, "top_logprobs": entries}]
    message = {"role": "assistant", "content": token, "refusal": None}
    choice = {"index": 0, "finish_reason": "length", "message": message, "logprobs": {"content": content, "refusal": None}}
    return httpx2.Response(200, json={"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


def logs(**probabilities: float) -> dict[str, float]:
    return {name.replace("_", " "): math.log(value) for name, value in probabilities.items()}


# --- labels and their probabilities ----------------------------------------------------------------------------------

@pytest.mark.parametrize("token, labels, label", [
    (" yes", LABELS, "yes"), ("Yes", LABELS, "yes"), ("N", LABELS, "no"), ("maybe", LABELS, None), (None, LABELS, None),
    (" ", LABELS, None), (" s", ["supported", "suspect"], None), (" supp", ["supported", "suspect"], "supported"),
    ("1", ["1", "12"], "1"), ("1", ["12", "13"], None), ("not", LABELS, None), ("a", ["a", "A"], None),
])
def test_a_token_is_read_as_the_one_label_it_can_mean(token, labels, label) -> None:
    assert label_of(token, labels) == label


def test_spellings_of_a_label_are_added_and_the_rest_is_left_out() -> None:
    found = label_probabilities(logs(_yes=0.4, Yes=0.2, _no=0.2, maybe=0.1), LABELS)
    assert found == pytest.approx({"yes": 0.75, "no": 0.25})


def test_a_label_that_was_not_found_has_none_and_no_label_at_all_is_nan() -> None:
    assert label_probabilities(logs(yes=0.4, maybe=0.1), LABELS) == {"yes": 1.0, "no": 0.0}
    assert all(math.isnan(value) for value in label_probabilities(logs(maybe=0.9), LABELS).values())


def test_what_is_not_among_the_top_tokens_is_bounded_by_the_least_of_them_and_by_what_is_left() -> None:
    assert tail_bound(logs(a=0.5, b=0.1)) == pytest.approx(0.1)
    assert tail_bound(logs(a=0.6, b=0.35)) == pytest.approx(0.05)
    assert tail_bound({}) == 1.0


def test_prompts_are_classified_by_the_completions_endpoint(provider) -> None:
    bodies = []
    provider.chat = lambda body: bodies.append(body) or completion(" yes", logs(_yes=0.6, _no=0.2, _maybe=0.1), 2)
    table = classify(provider.client(), "m", ["fine?", "good?"], LABELS, legacy=True)
    assert list(table["label"]) == ["yes", "yes"] and list(table["token"]) == [" yes", " yes"]
    assert table.loc[0, ["p(yes)", "p(no)", "labels", "tail"]].tolist() == pytest.approx([0.75, 0.25, 0.8, 0.1])
    assert [body["prompt"] for body in bodies] == [["fine?", "good?"]]
    assert bodies[0] | {"max_tokens": 1, "temperature": 0, "logprobs": 5} == bodies[0]


def test_chats_are_classified_with_a_system_message_and_failures_stay_as_rows_without_label(provider) -> None:
    def reply(body):
        text = body["messages"][-1]["content"]
        return provider.error(500, "busy") if text == "c" else chat("no" if text == "a" else "maybe", logs(no=0.5, maybe=0.5))

    provider.chat = reply
    table = classify(provider.client(), "m", ["a", "b", "c"], LABELS, system="yes or no")
    assert list(table["label"]) == ["no", None, None] and list(table["token"]) == ["no", "maybe", None]
    assert table.loc[0, "p(no)"] == 1.0 and math.isnan(table.loc[2, "p(no)"]) and table.loc[2, "tail"] == 1.0


def test_legacy_prompts_take_no_system_message(provider) -> None:
    with pytest.raises(ValueError, match="no system message"):
        classify(provider.client(), "m", ["a"], LABELS, legacy=True, system="s")


# --- examples in the prompt ------------------------------------------------------------------------------------------

def test_balanced_rows_are_the_same_for_a_seed_and_too_few_are_refused() -> None:
    table = pd.DataFrame({"text": list("abcdef"), "label": ["x", "x", "x", "x", "y", "y"]})
    drawn = balanced(table, "label", 2, seed=3)
    assert drawn["label"].value_counts().to_dict() == {"x": 2, "y": 2} and drawn.equals(balanced(table, "label", 2, seed=3))
    with pytest.raises(ValueError, match=r"y \(2\)"):
        balanced(table, "label", 3)


def test_solved_examples_come_before_the_question() -> None:
    shots = [("1+1?", "2"), ("1+2?", "3")]
    assert few_shot_prompts(shots, ["2+2?"]) == ["1+1? 2\n\n1+2? 3\n\n2+2?"]
    first, second = few_shot_chats(shots, ["2+2?", "3+3?"])
    assert [turn["role"] for turn in first] == ["user", "assistant"] * 2 + ["user"]
    assert first[1]["content"] == "2" and second[-1]["content"] == "3+3?" and len(second) == 5


# --- metrics ---------------------------------------------------------------------------------------------------------

TRUTH = ["yes", "yes", "yes", "no", "no", "no", "no", "no"]
GIVEN = ["yes", "yes", "no", "no", "no", "no", "yes", None]


def test_a_missing_answer_is_wrong() -> None:
    assert accuracy(TRUTH, GIVEN) == 5 / 8
    assert f_beta("yes", 2)(TRUTH, GIVEN) == pytest.approx(2 / 3)
    assert f_beta("no", 2)(TRUTH, GIVEN) == pytest.approx(5 * 0.75 * 0.6 / (4 * 0.75 + 0.6))
    assert weighted_f1(TRUTH, GIVEN) == pytest.approx((3 * 2 / 3 + 5 * 2 / 3) / 8)


def test_weighted_f1_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for classes in (1, 2, 20):
        truth, given = (rng.integers(classes, size=100).astype(str) for _ in range(2))
        given[:9] = "17 or so"  # a label that is no class
        assert weighted_f1(truth, given) == pytest.approx(f1_score(truth, given, average="weighted", zero_division=0))


def test_an_interval_holds_its_value_repeats_with_its_seed_and_shrinks_with_more_rows() -> None:
    found = interval(accuracy, TRUTH * 10, GIVEN * 10, samples=400)
    assert found.low < found.value == 5 / 8 < found.high and found.n == 80
    assert found == interval(accuracy, TRUTH * 10, GIVEN * 10, samples=400)
    assert found != interval(accuracy, TRUTH * 10, GIVEN * 10, samples=400, seed=1)
    more = interval(accuracy, TRUTH * 40, GIVEN * 40, samples=400)
    assert (more.high - more.low) / (found.high - found.low) == pytest.approx(0.5, abs=0.1)
    assert str(Interval(0.5, 0.4, 0.625, 8)) == "0.500 (95 %: 0.400–0.625, n = 8)"


def test_an_interval_of_a_score_leaves_out_draws_with_one_class() -> None:
    found = interval(roc_auc_score, [True, False, False], [0.9, 0.8, 0.1], samples=200)
    assert found.value == 1.0 and found.low == found.high == 1.0


@pytest.mark.parametrize("truth, given", [([], []), (["a"], ["a", "b"])])
def test_an_interval_needs_pairs(truth, given) -> None:
    with pytest.raises(ValueError, match="as many predictions"):
        interval(accuracy, truth, given)


@pytest.mark.parametrize("change, text", [(0.034, "+0.03"), (-0.127, "-0.13"), (-0.0033, "0.00"), (0.0033, "0.00"), (0.0, "0.00")])
def test_a_change_has_a_sign_unless_it_is_nothing(change: float, text: str) -> None:
    assert signed(change) == text


def test_mcnemar_counts_the_rows_on_which_one_is_right() -> None:
    truth = ["a"] * 12
    first, second = ["a"] * 8 + ["b"] * 4, [*"bbbbbb", "a", "a", "a", "b", "b", None]
    found = mcnemar(truth, first, second)
    assert (found.only_first, found.only_second, found.both, found.neither) == (6, 1, 2, 3)
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(truth, first, second, "greater").p_value == pytest.approx((1 + 7) / 2**7)
    assert mcnemar(truth, second, first).p_value == pytest.approx(found.p_value)
    assert mcnemar(truth, first, first).p_value == 1.0


# --- calibration and thresholds --------------------------------------------------------------------------------------

def test_points_of_a_reliability_diagram() -> None:
    points = reliability([True, False, True, True, True], [0.1, 0.15, 0.15, 1.0, math.nan], bins=5)
    assert points[["low", "high", "n"]].to_numpy().tolist() == [[0.0, 0.2, 3], [0.8, 1.0, 1]]
    assert points["predicted"].tolist() == pytest.approx([0.4 / 3, 1.0])
    assert points["observed"].tolist() == pytest.approx([2 / 3, 1])


def test_calibration_error_is_the_mean_gap() -> None:
    assert calibration_error([True, False, True, True], [0.6, 0.6, 0.9, 0.9], bins=5) == pytest.approx((2 * 0.1 + 2 * 0.1) / 4)
    assert calibration_error([True, False], [1.0, 0.0]) == 0 and math.isnan(calibration_error([True], [math.nan]))


def test_log_probabilities_are_no_probabilities() -> None:
    with pytest.raises(ValueError, match="log-probabilities"):
        reliability([True], [-0.2])


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_the_threshold_has_the_highest_f_beta_of_all(beta) -> None:
    rng = np.random.default_rng(4)
    happened = rng.random(60) < 0.4
    score = np.round(np.clip(0.3 * happened + rng.random(60) * 0.7, 0, 1), 2)
    all_of_them = {value: fbeta_score(happened, score >= value, beta=beta, zero_division=0) for value in np.unique(score)}
    found = best_threshold(happened, score, beta)
    assert found.f == pytest.approx(max(all_of_them.values())) and all_of_them[found.value] == pytest.approx(found.f)


def test_a_threshold_prefers_what_beta_prefers() -> None:
    happened, score = [True, False, True, False, True], [0.9, 0.8, 0.7, 0.6, 0.2]
    careful, thorough = best_threshold(happened, score, 0.3), best_threshold(happened, score, 3)
    assert (careful.value, careful.precision) == (0.9, 1.0) and (thorough.value, thorough.recall) == (0.2, 1.0)
    with pytest.raises(ValueError, match="no positive row"):
        best_threshold([False], [0.2])


# --- learning curves and costs ---------------------------------------------------------------------------------------

def test_sizes_double_up_to_the_whole() -> None:
    assert doubled(500, 2) == [125, 250, 500] and doubled(10, 0) == [10]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification.time, "sleep", lambda seconds: None)


def test_a_learning_curve_trains_one_model_per_size_and_uses_them_again(provider, local, at_once) -> None:
    rows = [{"prompt": f"{n}", "completion": " yes"} for n in range(40)]
    add = provider.add_job

    def add_and_finish(request):
        answer = add(request)
        number = len(provider.jobs)
        done = {"fine_tuned_model": f"ft:{number}", "trained_tokens": 10 * number, "finished_at": 100 + number}
        provider.models.add(f"ft:{number}")
        provider.move("succeeded", **done)
        return answer

    provider.add_job = add_and_finish
    curve = learning_curve(provider.client(), "m", rows, [40, 20, 10], hyperparameters={"n_epochs": 2})
    assert list(curve.index) == [10, 20, 40] and list(curve["model"]) == ["ft:1", "ft:2", "ft:3"]
    assert list(curve["tokens"]) == [10, 20, 30] and list(curve["seconds"]) == [1, 2, 3]
    sent = [[json.loads(line) for line in provider.contents[job["training_file"]].splitlines()] for job in provider.jobs]
    assert sent == [rows[:10], rows[:20], rows]
    assert {job["seed"] for job in provider.jobs} == {1}
    again = learning_curve(provider.client(), "m", rows, [40, 20, 10], hyperparameters={"n_epochs": 2})
    assert again.equals(curve) and len(provider.jobs) == 3


def test_a_curve_needs_its_rows_and_a_failed_job_is_told(provider, local, at_once) -> None:
    rows = [{"prompt": f"{n}", "completion": " yes"} for n in range(10)]
    with pytest.raises(ValueError, match="up to 20 .* there are 10"):
        learning_curve(provider.client(), "m", rows, [10, 20])
    error = {"code": "invalid_training_file", "message": "bad", "param": None}
    provider.script = [lambda: provider.move("failed", error=error)]
    with pytest.raises(JobFailed, match="invalid_training_file"):
        learning_curve(provider.client(), "m", rows, [10])


def test_a_cancelled_job_ends_the_wait(provider, local, at_once) -> None:
    provider.script = [lambda: provider.move("cancelled")]
    with pytest.raises(RuntimeError, match="is cancelled"):
        learning_curve(provider.client(), "m", [{"prompt": "a", "completion": " b"}], [1])


def test_cost_of_a_thousand_classifications_from_the_price_table() -> None:
    from helpers import tokens

    asked = {"short": ["Good?"], "few-shot": [few_shot_chats([("Bad?", "no")], ["Good?"])[0]]}
    table = cost_per_thousand(asked, ["gpt-3.5-turbo-0613", "tiny-limit"])
    short = table.loc[("short", "gpt-3.5-turbo-0613")]
    assert short["tokens_in"] == tokens.count("Good?", "gpt-3.5-turbo-0613")
    assert short["usd_per_1000"] == pytest.approx((short["tokens_in"] * 3 + 1 * 6) / 1000, abs=1e-4)
    assert table.loc[("few-shot", "gpt-3.5-turbo-0613"), "tokens_in"] > short["tokens_in"]
    assert math.isnan(table.loc[("short", "tiny-limit"), "usd_per_1000"])


# --- figures ---------------------------------------------------------------------------------------------------------

def test_a_confusion_matrix_counts_answers_that_are_no_label() -> None:
    axes = confusion(TRUTH, GIVEN, ["yes", "no"]).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["yes", "no", scoring.NO_LABEL]
    assert sorted(int(text.get_text()) for text in axes.texts) == [1, 1, 1, 2, 3]


def test_figures_show_what_they_are_given() -> None:
    series = {"tuned": ([True, False, True, False], [0.9, 0.2, 0.6, 0.7]), "base": ([True, False, True, False], [0.5] * 4)}
    roc, pr = roc_and_precision_recall(series).axes
    assert [text.get_text() for text in roc.get_legend().get_texts()] == ["luck: 0.500", "tuned: 0.750", "base: 0.500"]
    assert "luck: 0.500" in [text.get_text() for text in pr.get_legend().get_texts()]
    diagram = reliability_diagram(series).axes[0]
    assert [text.get_text() for text in diagram.get_legend().get_texts()] == ["perfect", "tuned", "base"]
    curve = {125: Interval(0.6, 0.5, 0.7, 100), 250: Interval(0.7, 0.6, 0.8, 100)}
    axes = learning_curves({"tuned": curve}, {"majority": 0.5}).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["125", "250"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["tuned", "majority: 0.50"]
