"""An error of the API → what happened, why, and what to do next, without a traceback.

    with explained():
        client.files.create(file=open("broken.jsonl", "rb"), purpose="fine-tune")
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import openai


class JobFailed(RuntimeError):
    """A training job ended as `failed`. `job.error` has code, message and param; `events` the last messages."""

    def __init__(self, job: Any, events: list[str]) -> None:
        self.job, self.events = job, events
        error = job.error
        self.code, self.param = getattr(error, "code", None), getattr(error, "param", None)
        lines = [f"{job.id} failed: {self.code}: {getattr(error, 'message', 'no reason given')}"]
        super().__init__("\n".join(lines + [f"  · {event}" for event in events]))


@dataclass(frozen=True)
class Explanation:
    """`what` the server said, `why` that happens, what to do `next`; `label` is status and code."""

    label: str
    what: str
    why: str
    next: str

    def __str__(self) -> str:
        parts = [("What happened", self.what), ("Why", self.why), ("What next", self.next)]
        body = [_wrapped(f"{head}: {text}") for head, text in parts]
        return "\n".join([f"✗ {self.label}", *body])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


# Code of the error → (why, what next). Codes are shared by HTTP errors and by the `error` of a failed job.
BY_CODE: dict[str, tuple[str, str]] = {
    "training_not_available": (
        "OpenAI is closing self-serve fine-tuning; organisations without recent use may not start jobs any more. "
        "Uploads still work, so the refusal comes only here.",
        "Work locally (unset COURSE_MODE), or move to another provider with the same API: data/providers.csv.",
    ),
    "invalid_api_key": ("The server does not know this key.", "Check OPENAI_API_KEY; locally it is sk-local."),
    "insufficient_quota": (
        "The account has no credit left. It looks like a rate limit (429), but waiting does not help.",
        "Add credit with the provider, or work locally for free.",
    ),
    "rate_limit_exceeded": (
        "Too many requests or tokens in a short time. The SDK has already waited and tried again.",
        "Lower `concurrency`, shorten the prompts, or wait for the time the message names.",
    ),
    "daily_rate_limit_exceeded": (
        "Too many training jobs at once or today.",
        "Wait for a running job, or cancel one you do not need.",
    ),
    "exceeded_quota": ("The account's plan or budget does not allow this job.", "Check the plan and billing page."),
    "model_not_available": (
        "The name is misspelt, retired, or belongs to a model that cannot be fine-tuned.",
        "Choose a model with fine_tunable = yes in data/models.csv.",
    ),
    "model_not_found": (
        "The model was deleted, belongs to another account, or is not ready yet.",
        "Look at client.models.list(); a tuned model exists only after its job has succeeded.",
    ),
    "fine_tune_not_found": ("No job with this id is visible to your key.", "Look at client.fine_tuning.jobs.list()."),
    "context_length_exceeded": (
        "Prompt plus answer are longer than the model can hold.",
        "Shorten the messages or max_tokens; count with helpers.tokens.count_chat.",
    ),
    "invalid_n_examples": (
        "The file has fewer than the 10 examples the API demands.",
        "Add examples: 10 is the minimum, 50 to 100 good ones are a sensible start.",
    ),
    "invalid_training_file": (
        "The training file was accepted as an upload, but its examples do not have the form the job needs.",
        "Run helpers.validation.validate on the file: it lists every line at once. Then upload the corrected file.",
    ),
    "invalid_file_format": (
        "An example has a key too many or too few, or the file is of another kind (chat, completion, preference).",
        "Run helpers.validation.validate on the file and compare with the method of the job.",
    ),
    "unsafe_file": ("Too many examples were flagged as harmful.", "Remove them; client.moderations.create finds them."),
}
BY_CODE["invalid_validation_file"] = BY_CODE["invalid_training_file"]

NO_FILE = ("No file with this id is visible to your key, or its purpose is not fine-tune.", "Upload it again.")
BY_PARAM: dict[str, tuple[str, str]] = {
    "training_file": NO_FILE,
    "validation_file": NO_FILE,
    "purpose": ("The purpose is spelt differently.", 'Use purpose="fine-tune".'),
    "suffix": ("A suffix has at most 64 characters.", "Choose a shorter one: it becomes part of the model's name."),
    "n_epochs": ('Epochs are "auto" or a whole number from 1 to 50.', "Leave it out to get auto."),
    "batch_size": ('The batch size is "auto" or a whole number from 1 to 256.', "Leave it out to get auto."),
    "learning_rate_multiplier": ('The multiplier is "auto" or a number above 0.', "Leave it out to get auto."),
    "id": ("No such object is visible to your key: deleted, or another project's.", "List what there is."),
}

BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("The request itself is wrong; the same request will fail again.", "Correct what the message names."),
    401: ("The key is missing, mistyped or revoked.", "Check OPENAI_API_KEY; the local service takes sk-local."),
    403: ("The key is valid, but the account may not do this.", "Ask the account's owner, or use another provider."),
    404: ("There is nothing with this name for your key.", "Check the id: list the objects and copy it."),
    409: ("Somebody else changed the object at the same time.", "Look at its present state and try again."),
    413: ("The file is larger than the server takes.", "Split it, or upload it in parts."),
    422: ("The server understood the form, not the content.", "Correct what the message names."),
    429: ("Too many requests in a short time.", "Wait a little; lower `concurrency`."),
}
SERVER_FAULT = ("The fault is the server's; the SDK has already tried again.", "Try later. Locally: see service.log.")


def explain(error: BaseException) -> Explanation:
    """Explains an exception of the SDK or of `follow`; other exceptions raise TypeError: they are bugs, not answers."""
    if isinstance(error, JobFailed):
        reason = error.job.error
        why, then = _reason(error.code, error.param, 400)
        return Explanation(f"job failed · {error.code}", getattr(reason, "message", str(error)), why, then)
    if isinstance(error, openai.APIStatusError):
        code, param = error.code, error.param
        why, then = _reason(code, param, error.status_code)
        return Explanation(f"HTTP {error.status_code} · {code or param or error.type}", _message(error), why, then)
    if isinstance(error, openai.APITimeoutError):
        return Explanation("no answer in time", str(error), "The server is busy or unreachable.", "Try again.")
    if isinstance(error, openai.APIConnectionError):
        why = "Nobody answers at this address: the service has ended, or the network is down."
        what = f"{error} {error.__cause__ or ''}".strip()
        return Explanation("no connection", what, why, "Run the cell with connect() again.")
    if isinstance(error, openai.OpenAIError):
        return Explanation(type(error).__name__, str(error), "The SDK refused the call itself.", "Correct the call.")
    raise TypeError(f"not an error of the API: {error!r}") from error


def one_line(error: Exception) -> str:
    """An error and its cure on one line; one that is not the API's says what it is."""
    try:
        explanation = explain(error)
    except TypeError:
        return f"✗ {type(error).__name__}: {error}"
    return f"✗ {explanation.label}: {explanation.why} {explanation.next}"


@contextmanager
def explained() -> Iterator[None]:
    """Shows an API error or a failed job as an explanation instead of a traceback; other exceptions pass through."""
    try:
        yield
    except (openai.OpenAIError, JobFailed) as error:
        print(explain(error))


def _reason(code: str | None, param: str | None, status: int) -> tuple[str, str]:
    name = (param or "").rsplit(".", 1)[-1]
    if status >= 500:
        return SERVER_FAULT
    return BY_CODE.get(code or "") or BY_PARAM.get(name) or BY_STATUS.get(status) or BY_STATUS[400]


def _message(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)
