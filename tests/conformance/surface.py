"""The API's surface as the official SDK has it: every operation, its address, what it answers and its parameters.

Parameters are read from the SDK's own signatures, so a new SDK with a new parameter makes the fidelity table incomplete
until a test or a deviation says what happens to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from openai.types import Completion, FileDeleted, FileObject, Model, ModelDeleted, ModerationCreateResponse, Upload
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse
from openai.types.fine_tuning.checkpoints import PermissionCreateResponse, PermissionDeleteResponse
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.uploads import UploadPart

SENT_WITH_ANY_CALL = {"extra_headers", "extra_query", "extra_body", "timeout"}


@dataclass(frozen=True)
class Operation:
    """`inside`: parameters within parameters that deserve a row of their own, as `outer.inner`."""

    method: str
    path: str
    returns: Any  # a type of the SDK; bytes for a file's content
    page: bool = False
    chunk: Any = None  # type of a streamed part
    inside: tuple[str, ...] = ()


JOB = "/fine_tuning/jobs/{id}"
PERMISSIONS = "/fine_tuning/checkpoints/{checkpoint}/permissions"
HYPERPARAMETERS = tuple(f"hyperparameters.{name}" for name in ("n_epochs", "batch_size", "learning_rate_multiplier"))
OPERATIONS = {
    "files.create": Operation("POST", "/files", FileObject),
    "files.list": Operation("GET", "/files", FileObject, page=True),
    "files.retrieve": Operation("GET", "/files/{id}", FileObject),
    "files.delete": Operation("DELETE", "/files/{id}", FileDeleted),
    "files.content": Operation("GET", "/files/{id}/content", bytes),
    "uploads.create": Operation("POST", "/uploads", Upload),
    "uploads.parts.create": Operation("POST", "/uploads/{id}/parts", UploadPart),
    "uploads.complete": Operation("POST", "/uploads/{id}/complete", Upload),
    "uploads.cancel": Operation("POST", "/uploads/{id}/cancel", Upload),
    "fine_tuning.jobs.create": Operation(
        "POST", "/fine_tuning/jobs", FineTuningJob,
        inside=("method.supervised", "method.dpo", "method.reinforcement", *HYPERPARAMETERS),
    ),
    "fine_tuning.jobs.list": Operation("GET", "/fine_tuning/jobs", FineTuningJob, page=True),
    "fine_tuning.jobs.retrieve": Operation("GET", JOB, FineTuningJob),
    "fine_tuning.jobs.cancel": Operation("POST", f"{JOB}/cancel", FineTuningJob),
    "fine_tuning.jobs.pause": Operation("POST", f"{JOB}/pause", FineTuningJob),
    "fine_tuning.jobs.resume": Operation("POST", f"{JOB}/resume", FineTuningJob),
    "fine_tuning.jobs.list_events": Operation("GET", f"{JOB}/events", FineTuningJobEvent, page=True),
    "fine_tuning.jobs.checkpoints.list": Operation("GET", f"{JOB}/checkpoints", FineTuningJobCheckpoint, page=True),
    "fine_tuning.checkpoints.permissions.create": Operation("POST", PERMISSIONS, PermissionCreateResponse, page=True),
    "fine_tuning.checkpoints.permissions.list": Operation("GET", PERMISSIONS, PermissionCreateResponse, page=True),
    "fine_tuning.checkpoints.permissions.delete": Operation("DELETE", PERMISSIONS + "/{id}", PermissionDeleteResponse),
    "fine_tuning.alpha.graders.validate": Operation(
        "POST", "/fine_tuning/alpha/graders/validate", GraderValidateResponse,
    ),
    "fine_tuning.alpha.graders.run": Operation(
        "POST", "/fine_tuning/alpha/graders/run", GraderRunResponse,
        inside=tuple(f"grader.{kind}" for kind in (
            "string_check", "text_similarity", "score_model", "label_model", "multi", "python",
        )),
    ),
    "models.list": Operation("GET", "/models", Model, page=True),
    "models.retrieve": Operation("GET", "/models/{id}", Model),
    "models.delete": Operation("DELETE", "/models/{id}", ModelDeleted),
    "chat.completions.create": Operation("POST", "/chat/completions", ChatCompletion, chunk=ChatCompletionChunk),
    "completions.create": Operation("POST", "/completions", Completion, chunk=Completion),
    "moderations.create": Operation("POST", "/moderations", ModerationCreateResponse),
}
# What every request shares, and no signature shows.
WIRE = {
    "authentication": "a bearer key, or 401 with the API's words",
    "error envelope": "`message`, `type`, `param`, `code`, whatever goes wrong",
    "unknown fields": "refused, never ignored",
    "wrong types and bounds": "`invalid {param}: {value}, {reason}`",
    "unknown addresses and methods": "404 and 405 with the envelope",
    "request ids": "`x-request-id`, on errors too",
    "openai headers": "`openai-version`, `openai-organization`, `openai-project`, `openai-processing-ms`",
    "retries": "`x-should-retry: false` where trying again is senseless",
    "rate limits": "429 with `retry-after` and `rate_limit_exceeded`",
    "SDK shapes": "every answer passes the SDK's strict validation",
    "Node SDK": "file, job, events, checkpoints, answer, stream and errors through the official JavaScript SDK",
    "curl": "the same by plain HTTP",
}


def parameters(name: str) -> tuple[str, ...]:
    """Parameters of an operation, from the SDK's signature, then those inside of them."""
    call: Any = openai.OpenAI(api_key="none")
    for part in name.split("."):
        call = getattr(call, part)
    outer = [parameter for parameter in inspect.signature(call).parameters if parameter not in SENT_WITH_ANY_CALL]
    return (*outer, *OPERATIONS[name].inside)


def covers(operation: str, *names: str) -> Callable[[Any], Any]:
    """Mark a test as evidence for an operation and the parameters it varies; may be given several times."""
    return pytest.mark.covers(operation, names)
