"""Models and moderations."""

from __future__ import annotations

import re

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.surface import covers
from tests.conformance.target import UNTRAINABLE, Target, create, wait_for


@pytest.mark.live
@covers("models.list")
@covers("models.retrieve", "model")
def test_models_are_listed_and_retrieved(target: Target, client: openai.OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert len(models) > 1 and client.models.retrieve(target.model) == models[target.model]
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve(UNTRAINABLE)
    assert error.value.code == "model_not_found"


@pytest.mark.local
@covers("models.list")
@covers("models.retrieve", "model")
def test_a_model_says_when_it_shuts_down(target: Target, client: openai.OpenAI, trained: FineTuningJob) -> None:
    base = client.models.retrieve(target.model)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", base.shutdown_date) and base.owned_by == "localtune"
    assert client.models.retrieve(trained.fine_tuned_model).shutdown_date == base.shutdown_date
    assert client.models.retrieve("small").shutdown_date is None


@covers("models.list")
@covers("models.delete", "model")
def test_a_tuned_model_lives_until_it_is_deleted(target: Target, client: openai.OpenAI) -> None:
    name = wait_for(target, create(target, client).id).fine_tuned_model
    assert name in [model.id for model in client.models.list()]
    deleted = client.models.delete(name)
    assert (deleted.id, deleted.deleted, deleted.object) == (name, True, "model")
    assert name not in [model.id for model in client.models.list()]
    for ask in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError) as error:
            ask(name)
        assert error.value.code == "model_not_found"


@covers("models.delete", "model")
def test_a_base_cannot_be_deleted(target: Target, client: openai.OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="insufficient permissions"):
        client.models.delete(target.model)


@covers("moderations.create", "input", "model")
def test_moderation_flags_what_it_knows(client: openai.OpenAI) -> None:
    harm, calm = "I want to kill myself", "I want a cup of tea"
    answer = client.moderations.create(input=[harm, calm], model="omni-moderation-latest")
    assert answer.id.startswith("modr-") and answer.model.startswith("omni-moderation") and len(answer.results) == 2
    first, second = answer.results
    assert first.flagged and first.categories.self_harm and first.categories.self_harm_intent
    assert not second.flagged and not any(second.categories.to_dict().values())
    assert first.category_scores.self_harm > 0.4 > second.category_scores.self_harm
    assert "text" in first.category_applied_input_types.self_harm
    assert client.moderations.create(input=harm).results[0].flagged


@covers("moderations.create", "input")
def test_parts_are_one_input(client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "I will kill"}, {"type": "text", "text": "you, and I mean it"}]
    (result,) = client.moderations.create(input=parts).results
    assert result.flagged and result.categories.violence and not result.categories.sexual


@pytest.mark.local
@covers("moderations.create", "input", "model")
@pytest.mark.parametrize(("asked", "param"), [
    ({"input": [{"type": "image_url", "image_url": {"url": "data:,"}}]}, "input[0].type"), ({"input": []}, "input"),
    ({"input": "x", "model": UNTRAINABLE}, "model"),
])
def test_what_cannot_be_moderated_is_refused(client: openai.OpenAI, asked: dict[str, object], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.moderations.create(**asked)
    assert error.value.param == param
