"""`/fine_tuning/jobs`: create, list, retrieve, cancel, pause, resume, events, checkpoints."""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any

from fastapi import APIRouter, Request
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.job_request import MAX_PAIRS, MAX_SEED, CreateJob
from localtune.api.lists import After, Limit, listing, listing_with_ends
from localtune.api.schema import invalid
from localtune.api.file_form import FINE_TUNE
from localtune.catalog import Model

router = APIRouter(prefix="/fine_tuning/jobs")


@router.post("")
def create_job(request: Request, project: Project, body: CreateJob) -> dict[str, Any]:
    state = request.app.state
    state.limits.check_disk()
    body.check_supported()
    hyperparameters = body.asked()
    model = state.catalog.fine_tunable(project, body.model)
    adaptation = body.adaptation(model)
    training = usable_file(request, project, "training_file", body.training_file)
    validation = body.validation_file and usable_file(request, project, "validation_file", body.validation_file)
    columns = {
        "project": project, "key_id": request.state.key_id, "model": body.model, "suffix": body.suffix,
        "training_file": training["id"], "training_blob": training["sha256"],
        "validation_file": validation["id"] if validation else None,
        "validation_blob": validation["sha256"] if validation else None,
        "seed": secrets.randbelow(MAX_SEED + 1) if body.seed is None else body.seed,
        "hyperparameters": hyperparameters, "metadata": body.metadata,
        "integrations": body.stored_integrations(),
    }
    with state.limits.room_for_a_job(request.state.key_id):
        job = state.store.jobs.create(columns, honest_event(model, adaptation), body.notes())
    state.supervisor.wake()
    return shown(request, job)


def usable_file(request: Request, project: str, param: str, file_id: str) -> sqlite3.Row:
    row = request.app.state.store.files.find(project, file_id)
    if row is None:
        raise APIError(400, f"invalid {param}: {file_id}", param=param)
    if row["purpose"] != FINE_TUNE:
        raise invalid(param, file_id, f"its purpose is '{row['purpose']}' but must be '{FINE_TUNE}'")
    return row


def honest_event(model: Model, adaptation: str | None) -> str:
    """Whoever reads the job's events learns first what really is trained."""
    if adaptation is not None:
        size = f" ({model.parameters:,} parameters)" if model.parameters and model.name == model.base else ""
        start = "" if model.name == model.base else f", starting from '{model.name}'"
        return f"localtune trains the open-weight model '{model.base}'{size} on this machine by '{adaptation}'{start}."
    how = "starts from" if model.name.startswith("ft:") else "is an alias of"
    return (
        f"localtune trains its own small model: '{model.name}' {how} '{model.base}' "
        f"({model.parameters:,} parameters) on this machine; a job changes the upper half of its layers, "
        "from 100 examples on all of them, and rehearses a row of what it knows with every four of yours."
    )


@router.get("")
def list_jobs(request: Request, project: Project, after: After = None, limit: Limit = 20) -> dict[str, Any]:
    query = request.query_params
    wanted = {key[9:-1]: value for key, value in query.items() if key.startswith("metadata[") and key.endswith("]")}
    if len(wanted) > MAX_PAIRS:
        raise invalid("metadata", f"{len(wanted)} pairs", f"ensure this value has at most {MAX_PAIRS} items")
    without = query.get("metadata") == "null"
    page = request.app.state.store.jobs.page(project, wanted, without, after, limit)
    return listing([shown(request, row) for row in page.rows], page.has_more)


@router.get("/{job_id}")
def retrieve_job(request: Request, project: Project, job_id: str) -> dict[str, Any]:
    return shown(request, find(request, project, job_id))


@router.post("/{job_id}/cancel")
def cancel_job(request: Request, project: Project, job_id: str) -> dict[str, Any]:
    find(request, project, job_id)
    if not request.app.state.store.jobs.cancel(project, job_id):
        raise APIError(400, "Job has already completed")
    request.app.state.supervisor.halt(job_id)
    return shown(request, find(request, project, job_id))


@router.post("/{job_id}/pause")
def pause_job(request: Request, project: Project, job_id: str) -> dict[str, Any]:
    job = find(request, project, job_id)
    if not request.app.state.store.jobs.pause(project, job_id):
        raise APIError(400, f"Only a queued or running job can be paused; this one is {job['status']}.")
    request.app.state.supervisor.halt(job_id)
    return shown(request, find(request, project, job_id))


@router.post("/{job_id}/resume")
def resume_job(request: Request, project: Project, job_id: str) -> dict[str, Any]:
    job = find(request, project, job_id)
    if not request.app.state.store.jobs.resume(project, job_id):
        raise APIError(400, f"Only a paused job can be resumed; this one is {job['status']}.")
    request.app.state.supervisor.wake()
    return shown(request, find(request, project, job_id))


@router.get("/{job_id}/events")
def list_events(
    request: Request, project: Project, job_id: str, after: After = None, limit: Limit = 20
) -> dict[str, Any]:
    find(request, project, job_id)
    page = request.app.state.store.records.events(project, job_id, after, limit)
    return listing([shown_event(row) for row in page.rows], page.has_more)


@router.get("/{job_id}/checkpoints")
def list_checkpoints(
    request: Request, project: Project, job_id: str, after: After = None, limit: Limit = 10
) -> dict[str, Any]:
    find(request, project, job_id)
    page = request.app.state.store.records.checkpoints(project, job_id, after, limit)
    return listing_with_ends([shown_checkpoint(row) for row in page.rows], page.has_more, none=None)


def find(request: Request, project: str, job_id: str) -> sqlite3.Row:
    row = request.app.state.store.jobs.find(project, job_id)
    if row is None:
        message = f"Could not find fine tune: {job_id}"
        raise APIError(404, message, param="fine_tune_id", code="fine_tune_not_found")
    return row


def shown(request: Request, row: sqlite3.Row) -> dict[str, Any]:
    hyperparameters = json.loads(row["hyperparameters"])
    same = ("id", "created_at", "finished_at", "estimated_finish", "model", "fine_tuned_model", "seed",
            "training_file", "validation_file", "trained_tokens")
    # `paused` is a status of the API, but not of the SDK's type: `construct` lets it through.
    return FineTuningJob.construct(
        **{name: row[name] for name in same},
        object="fine_tuning.job", status=row["status"],
        organization_id=f"org-{request.app.state.store.keys.organisation(row['project'])}",
        hyperparameters=hyperparameters,
        method={"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        result_files=[row["result_file"]] if row["result_file"] else [],
        error=json.loads(row["error"]) if row["error"] else None,
        metadata=json.loads(row["metadata"]) if row["metadata"] else None,
        integrations=json.loads(row["integrations"] or "[]"), user_provided_suffix=row["suffix"],
    ).to_dict()


def shown_event(row: sqlite3.Row) -> dict[str, Any]:
    same = ("id", "created_at", "level", "message", "type")
    return FineTuningJobEvent(
        **{name: row[name] for name in same}, object="fine_tuning.job.event", data=json.loads(row["data"])
    ).to_dict()


def shown_checkpoint(row: sqlite3.Row) -> dict[str, Any]:
    metrics = {key: value for key, value in json.loads(row["metrics"]).items() if key != "total_steps"}
    return FineTuningJobCheckpoint(
        id=row["id"], created_at=row["created_at"], fine_tuned_model_checkpoint=row["model"],
        fine_tuning_job_id=row["job_id"], metrics=metrics, object="fine_tuning.job.checkpoint", step_number=row["step"],
    ).to_dict()
