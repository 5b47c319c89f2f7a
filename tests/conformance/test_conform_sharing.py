"""Checkpoint permissions, and that tenants see nothing of each other without them."""

from __future__ import annotations

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.surface import covers
from tests.conformance.target import Target

ASK = [{"role": "user", "content": "What is 3 times 12?"}]


@pytest.fixture
def admin(target: Target) -> openai.OpenAI:
    if target.admin_key is None:
        pytest.skip("no --admin-key")
    return target.client(target.admin_key)


@pytest.mark.local
@covers("fine_tuning.checkpoints.permissions.create", "fine_tuned_model_checkpoint", "project_ids")
@covers("fine_tuning.checkpoints.permissions.list", "fine_tuned_model_checkpoint", "project_id")
@covers("fine_tuning.checkpoints.permissions.delete", "permission_id", "fine_tuned_model_checkpoint")
def test_a_shared_checkpoint_answers_until_the_permission_is_gone(
    target: Target, admin: openai.OpenAI, client: openai.OpenAI, trained: FineTuningJob
) -> None:
    other, permissions = target.client(target.other_key), admin.fine_tuning.checkpoints.permissions
    model = client.fine_tuning.jobs.checkpoints.list(trained.id).data[1].fine_tuned_model_checkpoint
    asked = {"model": model, "messages": ASK, "max_tokens": 2}
    with pytest.raises(openai.NotFoundError):
        other.chat.completions.create(**asked)
    (permission,) = permissions.create(model, project_ids=[target.other_project]).data
    assert permission.id.startswith("cp_") and permission.project_id == target.other_project
    assert permissions.create(model, project_ids=[target.other_project]).data == [permission]
    assert [one.id for one in permissions.list(model, project_id=target.other_project)] == [permission.id]
    assert permissions.list(model, project_id="proj_nobody").data == []
    assert other.chat.completions.create(**asked).model == model
    with pytest.raises(openai.NotFoundError):
        other.models.delete(model)
    with pytest.raises(openai.NotFoundError):
        other.fine_tuning.jobs.retrieve(trained.id)
    deleted = permissions.delete(permission.id, fine_tuned_model_checkpoint=model)
    assert (deleted.id, deleted.deleted) == (permission.id, True)
    with pytest.raises(openai.NotFoundError):
        other.chat.completions.create(**asked)
    with pytest.raises(openai.NotFoundError):
        permissions.delete(permission.id, fine_tuned_model_checkpoint=model)


@pytest.mark.local
@covers("fine_tuning.checkpoints.permissions.list", "after", "limit", "order")
def test_permissions_are_paged_both_ways(target: Target, admin: openai.OpenAI, trained: FineTuningJob) -> None:
    permissions, model = admin.fine_tuning.checkpoints.permissions, trained.fine_tuned_model
    own = target.client().files.with_raw_response.list().headers["openai-project"]
    made = permissions.create(model, project_ids=[target.other_project, own]).data
    ids = [permission.id for permission in made]
    assert [one.id for one in permissions.list(model, order="ascending")] == ids
    page = permissions.list(model, limit=1)
    assert [one.id for one in page.data] == ids[:0:-1] and page.has_more and page.last_id == ids[1]
    assert [one.id for one in permissions.list(model, after=ids[1])] == [ids[0]]
    for permission_id in ids:
        permissions.delete(permission_id, fine_tuned_model_checkpoint=model)


@covers("fine_tuning.checkpoints.permissions.create", "project_ids", "fine_tuned_model_checkpoint")
@covers("fine_tuning.checkpoints.permissions.list", "fine_tuned_model_checkpoint")
def test_sharing_needs_an_admin_key_a_model_and_a_project(
    client: openai.OpenAI, admin: openai.OpenAI, trained: FineTuningJob
) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="insufficient permissions"):
        client.fine_tuning.checkpoints.permissions.list(trained.fine_tuned_model)
    with pytest.raises(openai.AuthenticationError):
        admin.files.list()
    with pytest.raises(openai.NotFoundError):
        admin.fine_tuning.checkpoints.permissions.list("ft:unknown")
    with pytest.raises(openai.BadRequestError) as error:
        admin.fine_tuning.checkpoints.permissions.create(trained.fine_tuned_model, project_ids=["proj_x"])
    assert error.value.param == "project_ids"


@pytest.mark.local
@covers("wire", "authentication")
def test_another_tenant_finds_nothing(target: Target, trained: FineTuningJob) -> None:
    other = target.client(target.other_key)
    for ask in (
        lambda: other.files.retrieve(trained.training_file), lambda: other.fine_tuning.jobs.retrieve(trained.id),
        lambda: other.models.retrieve(trained.fine_tuned_model),
    ):
        with pytest.raises(openai.NotFoundError):
            ask()
    assert trained.id not in [job.id for job in other.fine_tuning.jobs.list()]
    assert trained.fine_tuned_model not in [model.id for model in other.models.list()]
    assert trained.training_file not in [file.id for file in other.files.list()]
