"""Graders: what they say, what they refuse, and that none of them runs code."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.conformance.surface import covers
from tests.conformance.target import UNTRAINABLE, Target

CHECK = {"type": "string_check", "name": "check", "input": "{{ sample.output_text }}", "reference": "{{item.answer}}",
         "operation": "eq"}
ALIKE = {"type": "text_similarity", "name": "alike", "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
         "evaluation_metric": "fuzzy_match"}
ITEM = {"answer": "Paris", "list": [{"x": "deep"}]}
CODE = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}


def run(client: openai.OpenAI, grader: dict[str, Any], sample: str = "Paris", item: object = ITEM) -> Any:
    return client.fine_tuning.alpha.graders.run(grader=grader, model_sample=sample, item=item)


@covers("fine_tuning.alpha.graders.run", "grader", "grader.string_check", "model_sample", "item")
@pytest.mark.parametrize(("operation", "sample", "reward"), [
    ("eq", "Paris", 1), ("eq", "paris", 0), ("ne", "paris", 1), ("ne", "Paris", 0), ("like", "It is Paris.", 1),
    ("like", "it is paris.", 0), ("ilike", "it is paris.", 1), ("ilike", "it is Rome.", 0),
])
def test_string_checks(client: openai.OpenAI, operation: str, sample: str, reward: int) -> None:
    answer = run(client, {**CHECK, "operation": operation}, sample)
    assert answer.reward == reward
    assert (answer.metadata.name, answer.metadata.type, answer.metadata.scores) == ("check", "string_check", {"check": reward})
    assert not any(answer.metadata.errors.to_dict().values()) and answer.metadata.execution_time >= 0


@covers("fine_tuning.alpha.graders.run", "model_sample", "item")
def test_templates_reach_into_items_and_json_samples(client: openai.OpenAI) -> None:
    inside = {**CHECK, "input": "{{sample.output_json.a.1}}-{{item.list.0.x}}", "reference": "2-deep"}
    assert run(client, inside, '{"a": [1, 2]}').reward == 1
    no_json = run(client, inside, "no json")
    assert no_json.reward == 0 and no_json.metadata.errors.sample_parse_error
    unknown = run(client, {**CHECK, "reference": "{{item.nothing}}"})
    assert unknown.reward == 0 and unknown.metadata.errors.invalid_variable_error


@covers("fine_tuning.alpha.graders.run", "grader.text_similarity")
@pytest.mark.parametrize(("metric", "low", "high"), [
    ("fuzzy_match", 0.81, 0.82), ("bleu", 0.01, 0.8), ("gleu", 0.5, 0.5), ("meteor", 0.6, 0.7), ("rouge_1", 0.66, 0.67),
    ("rouge_2", 0.5, 0.5), ("rouge_3", 0, 0), ("rouge_4", 0, 0), ("rouge_5", 0, 0), ("rouge_l", 0.66, 0.67),
])
def test_similarities(client: openai.OpenAI, metric: str, low: float, high: float) -> None:
    grader = {**ALIKE, "evaluation_metric": metric}
    reward = run(client, grader, "the cat sat", {"answer": "the cat ran"}).reward
    assert low <= reward <= high
    long = "one two three four five six"
    assert run(client, grader, long, {"answer": long}).reward == pytest.approx(1, abs=0.01)
    assert run(client, grader, "alpha", {"answer": "omikron y z z z z"}).reward <= 0.2


@covers("fine_tuning.alpha.graders.run", "grader.multi")
def test_a_formula_combines_scores(client: openai.OpenAI) -> None:
    multi = {"type": "multi", "name": "both", "graders": {"a": CHECK, "b": {**CHECK, "operation": "ne"}},
             "calculate_output": "0.25 * a + max(b, 0.5) ^ 2"}
    answer = run(client, multi)
    assert answer.reward == pytest.approx(0.5) and answer.sub_rewards == {"a": 1, "b": 0}
    broken = run(client, {**multi, "calculate_output": "a / b"})
    assert broken.reward == 0 and broken.metadata.errors.formula_parse_error


@covers("fine_tuning.alpha.graders.run", "grader.score_model")
def test_a_model_scores_within_its_range_or_not_at_all(target: Target, client: openai.OpenAI) -> None:
    grader = {"type": "score_model", "name": "judge", "model": target.model, "range": [0, 100],
              "input": [{"role": "user", "content": "Give {{sample.output_text}} a number."}],
              "sampling_params": {"temperature": 0, "seed": 1, "max_completions_tokens": 8}}
    answer = run(client, grader)
    assert answer.metadata.errors.api_model_grader_parse_error or 0 <= answer.reward <= 100
    assert answer.metadata.sampled_model_name == target.model and answer.metadata.token_usage > 8
    assert answer.api_model_grader_token_usage_per_model == {target.model: answer.metadata.token_usage}
    assert run(client, grader).reward == answer.reward


@covers("fine_tuning.alpha.graders.run", "grader.label_model")
def test_a_model_chooses_exactly_one_label(target: Target, client: openai.OpenAI) -> None:
    def part(*passing: str) -> dict[str, Any]:
        return {"type": "label_model", "name": "l", "model": target.model, "labels": ["good", "bad"],
                "passing_labels": list(passing), "input": [{"role": "user", "content": "{{sample.output_text}}?"}]}

    graders = {"good": part("good"), "bad": part("bad"), "either": part("good", "bad")}
    multi = {"type": "multi", "name": "m", "graders": graders, "calculate_output": "good + bad"}
    answer = run(client, multi)
    assert answer.reward == 1 and answer.sub_rewards["either"] == 1


@covers("fine_tuning.alpha.graders.run", "grader.python")
@covers("fine_tuning.alpha.graders.validate", "grader")
def test_code_is_refused_and_never_executed(client: openai.OpenAI) -> None:
    hidden = {"type": "multi", "name": "m", "graders": {"a": CODE}, "calculate_output": "a"}
    for grader in (CODE, hidden):
        for ask in (client.fine_tuning.alpha.graders.validate, lambda grader: run(client, grader)):
            with pytest.raises(openai.BadRequestError, match="never executes code") as error:
                ask(grader=grader)
            assert error.value.param.endswith(".type")


@covers("fine_tuning.alpha.graders.validate", "grader")
def test_a_valid_grader_comes_back_as_it_was(client: openai.OpenAI) -> None:
    multi = {"type": "multi", "name": "m", "graders": CHECK, "calculate_output": "check * 2"}
    for grader in (CHECK, ALIKE, multi):
        assert client.fine_tuning.alpha.graders.validate(grader=grader).grader.to_dict() == grader


@covers("fine_tuning.alpha.graders.validate", "grader")
@covers("fine_tuning.alpha.graders.run", "grader")
@pytest.mark.parametrize(("grader", "message"), [
    ({"type": "guess", "name": "g"}, "No match for discriminator 'type'"), ({"name": "g"}, "Discriminator 'type' is missing"),
    ({**CHECK, "operation": "about"}, "unexpected value; permitted: 'eq', 'ne', 'like' or 'ilike'"),
    ({**ALIKE, "evaluation_metric": "cosine"}, "it needs an embedding model"),
    ({**CHECK, "extra": 1}, "invalid grader.extra, extra fields not permitted"),
    ({"type": "multi", "name": "m", "graders": {"a": CHECK}, "calculate_output": "a + b"}, "no grader is called 'b'"),
    (
        {"type": "multi", "name": "m", "graders": {"a": CHECK}, "calculate_output": "__import__('os').getcwd()"},
        "a formula cannot contain",
    ),
])
def test_graders_that_make_no_sense_are_refused(client: openai.OpenAI, grader: dict[str, Any], message: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.fine_tuning.alpha.graders.validate(grader=grader)
    assert message in error.value.body["message"]


@covers("fine_tuning.alpha.graders.run", "grader.score_model")
def test_a_grader_needs_a_model_that_is_there(client: openai.OpenAI) -> None:
    grader = {"type": "score_model", "name": "j", "model": UNTRAINABLE, "input": [{"role": "user", "content": "x"}]}
    with pytest.raises(openai.NotFoundError) as error:
        run(client, grader)
    assert error.value.code == "model_not_found"
