"""`/models`: list, retrieve, delete."""

from __future__ import annotations

import shutil
from typing import Any

from fastapi import APIRouter, Request
from openai.types import Model, ModelDeleted

from localtune import catalog
from localtune.api.auth import Project
from localtune.api.errors import APIError

router = APIRouter()


@router.get("/models")
def list_models(request: Request, project: Project) -> dict[str, Any]:
    models = request.app.state.catalog.list(project)
    return {"object": "list", "data": [shown(model) for model in models]}


@router.get("/models/{name}")
def retrieve_model(request: Request, project: Project, name: str) -> dict[str, Any]:
    return shown(request.app.state.catalog.resolve(project, name))


@router.delete("/models/{name}")
def delete_model(request: Request, project: Project, name: str) -> dict[str, Any]:
    """Delete a fine-tuned model with its weights; its job and the job's other checkpoints stay."""
    state = request.app.state
    if state.catalog.has_base(name):
        raise APIError(403, "You have insufficient permissions for this operation. Missing scopes: api.delete")
    row = state.store.models.find(project, name)
    if row is None:
        raise APIError(404, f"The model '{name}' does not exist", param="model", code="model_not_found")
    if job := state.store.models.unfinished_job_from(project, name):
        raise APIError(409, f"The model '{name}' is the start of the unfinished job {job}.", param="model")
    folder = state.settings.state / row["folder"]
    if adapter := state.catalog.adapter_on(folder):
        raise APIError(409, f"The model '{name}' is the base of '{adapter}': delete that first.", param="model")
    state.store.models.delete(project, name)
    state.engine.unload(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return ModelDeleted(id=name, object="model", deleted=True).to_dict()


def shown(model: catalog.Model) -> dict[str, Any]:
    return Model(
        id=model.name, object="model", created=model.created, owned_by=model.owned_by,
        shutdown_date=model.shutdown_date,
    ).to_dict()
