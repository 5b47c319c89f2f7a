"""POST /moderations, answered by word rules."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Response
from openai.types import ModerationCreateResponse, ModerationModel
from pydantic import Field

from localtune import moderation
from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.schema import Body, invalid

router = APIRouter()

MODELS: tuple[str, ...] = get_args(ModerationModel)
MAX_TEXT = 1_000_000  # characters of one request: a second or two for the rules
FLAGGED = 0.5

Text = Annotated[str, Field(max_length=MAX_TEXT)]


class Part(Body):
    type: Literal["text", "image_url"]
    text: Text | None = None
    image_url: Any = None


class CreateModeration(Body):
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=1_000)] | Annotated[
        list[Part], Field(min_length=1, max_length=100)
    ]
    model: str | None = None

    def texts(self) -> list[str]:
        """One text per result; parts together are one input. Raises APIError 400 for an image, and for too much text."""
        if isinstance(self.input, str):
            return [self.input]
        if isinstance(self.input[0], str):
            texts = self.input
        else:
            texts = [" ".join(part_text(part, f"input[{index}]") for index, part in enumerate(self.input))]
        if (size := sum(map(len, texts))) > MAX_TEXT:
            raise invalid("input", f"{size} characters", f"ensure this value has at most {MAX_TEXT} characters")
        return texts


@router.post("/moderations")
def create_moderation(project: Project, body: CreateModeration, response: Response) -> dict[str, Any]:
    model = body.model or MODELS[0]
    if model not in MODELS:
        permitted = ", ".join(f"'{name}'" for name in MODELS)
        raise invalid("model", model, f"unexpected value; permitted: {permitted}")
    response.headers["x-localtune-model"] = "word-rules"
    results = [result(moderation.scores(text)) for text in body.texts()]
    answer = {"id": f"modr-{uuid.uuid4().hex}", "model": model, "results": results}
    return ModerationCreateResponse.model_validate(answer).to_dict()


def part_text(part: Part, where: str) -> str:
    if part.type == "image_url":
        message = f"Unsupported value: '{where}.type' does not support 'image_url': this service reads text only."
        raise APIError(400, message, param=f"{where}.type", code="unsupported_value")
    if part.text is None:
        raise APIError(400, f"Missing required parameter: '{where}.text'.", f"{where}.text", "missing_required_parameter")
    return part.text


def result(scores: dict[str, float]) -> dict[str, Any]:
    flags = {name: score >= FLAGGED for name, score in scores.items()}
    return {
        "flagged": any(flags.values()), "categories": flags, "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in scores},
    }
