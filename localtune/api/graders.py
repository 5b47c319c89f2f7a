"""`/fine_tuning/alpha/graders`: validate a grader, and run it on one answer."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from openai.types.fine_tuning.alpha import GraderRunResponse
from starlette.concurrency import run_in_threadpool

from localtune.api.auth import Project
from localtune.api.generation import unless_gone
from localtune.api.grader_request import (
    LabelModel, Multi, RunGrader, ScoreModel, Single, ValidateGrader, check_formula, check_supported, parts,
)
from localtune.api.grading import Grade, Grading
from localtune.graders.templates import namespaces

router = APIRouter(prefix="/fine_tuning/alpha/graders")

FLAGS = (
    "formula_parse_error", "invalid_variable_error", "model_grader_parse_error", "model_grader_refusal_error",
    "model_grader_server_error", "other_error", "python_grader_runtime_error", "python_grader_server_error",
    "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error",
)
DETAILS = (
    "model_grader_server_error_details", "python_grader_runtime_error_details", "python_grader_server_error_type",
)


@router.post("/validate")
async def validate_grader(request: Request, project: Project, body: ValidateGrader) -> dict[str, Any]:
    """The grader as it was sent, if it could be run."""
    check_supported(body.grader)
    check_formula(body.grader)
    await run_in_threadpool(check_models, request, project, body.grader)
    return {"grader": (await request.json())["grader"]}


@router.post("/run")
async def run_grader(request: Request, project: Project, body: RunGrader) -> dict[str, Any]:
    check_supported(body.grader)
    await run_in_threadpool(check_models, request, project, body.grader)
    state, began = request.app.state, time.perf_counter()
    grading = Grading(state.engine, state.catalog, project, namespaces(body.model_sample, body.item))
    grade = await unless_gone(request, grading.grade(body.grader))
    return shown(body.grader, grade, time.perf_counter() - began)


def check_models(request: Request, project: str, grader: Single | Multi) -> None:
    """Raises APIError 404 for a model that the project does not have."""
    for _, part in parts(grader):
        if isinstance(part, (ScoreModel, LabelModel)):
            request.app.state.catalog.resolve(project, part.model)


def shown(grader: Single | Multi, grade: Grade, seconds: float) -> dict[str, Any]:
    errors = {**dict.fromkeys(FLAGS, False), **dict.fromkeys(DETAILS), **grade.errors}
    scores = grade.sub_rewards if isinstance(grader, Multi) else {grader.name: grade.reward}
    metadata = {
        "name": grader.name, "type": grader.type, "errors": errors, "execution_time": seconds, "scores": scores,
        "token_usage": sum(grade.tokens.values()) if grade.tokens else None,
        "sampled_model_name": next(iter(grade.tokens), None),
    }
    return GraderRunResponse.model_validate({
        "reward": grade.reward, "sub_rewards": grade.sub_rewards, "metadata": metadata,
        "model_grader_token_usage_per_model": grade.tokens,
    }).to_dict()
