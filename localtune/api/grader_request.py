"""The bodies of the grader endpoints, and what is refused of them before anything is graded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from localtune.api.errors import APIError
from localtune.api.schema import Body, invalid
from localtune.graders import formula

MAX_TEXT = 1_000_000  # characters
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class StringCheck(Body):
    type: Literal["string_check"]
    name: Name
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(Body):
    type: Literal["text_similarity"]
    name: Name
    input: Text
    reference: Text
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5",
        "rouge_l",
    ]


class Python(Body):
    type: Literal["python"]
    name: Name
    source: Text
    image_tag: str | None = None


class InputText(Body):
    type: Literal["input_text", "output_text"]
    text: Text


class InputMessage(Body):
    role: Literal["user", "assistant", "system", "developer"]
    content: Text | InputText | Annotated[list[Text | InputText], Field(max_length=100)]
    type: Literal["message"] | None = None

    def template(self) -> str:
        parts = self.content if isinstance(self.content, list) else [self.content]
        return "".join(part if isinstance(part, str) else part.text for part in parts)


Messages = Annotated[list[InputMessage], Field(min_length=1, max_length=100)]


class SamplingParams(Body):
    max_completions_tokens: Annotated[int, Field(ge=1)] | None = None
    reasoning_effort: Literal["none"] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None


class ScoreModel(Body):
    type: Literal["score_model"]
    name: Name
    model: str
    input: Messages
    range: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=2, max_length=2)] | None = None
    sampling_params: SamplingParams | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = self.range or (0.0, 1.0)
        return low, high


class LabelModel(Body):
    type: Literal["label_model"]
    name: Name
    model: str
    input: Messages
    labels: Annotated[list[Name], Field(min_length=1, max_length=50)]
    passing_labels: Annotated[list[Name], Field(min_length=1, max_length=50)]


Part = Annotated[StringCheck | TextSimilarity | Python | ScoreModel | LabelModel, Field(discriminator="type")]


class Multi(Body):
    type: Literal["multi"]
    name: Name
    graders: Annotated[dict[Name, Part], Field(min_length=1, max_length=20)]
    calculate_output: str

    @field_validator("graders", mode="before")
    @classmethod
    def several(cls, value: Any) -> Any:
        """The guide has graders by name, the SDK's type a single one."""
        return {value.get("name"): value} if isinstance(value, dict) and isinstance(value.get("type"), str) else value


Single = StringCheck | TextSimilarity | Python | ScoreModel | LabelModel
Grader = Annotated[StringCheck | TextSimilarity | Python | ScoreModel | Multi, Field(discriminator="type")]


class ValidateGrader(Body):
    grader: Grader


class RunGrader(Body):
    grader: Grader
    model_sample: Text
    item: Any = None


def parts(grader: Single | Multi) -> list[tuple[str, Single]]:
    """Every grader that is no combination, with its place in the request."""
    if isinstance(grader, Multi):
        return [(f"grader.graders.{name}", part) for name, part in grader.graders.items()]
    return [("grader", grader)]


def check_supported(grader: Single | Multi) -> None:
    """Raises APIError 400 for what this service cannot grade, and for settings that contradict each other."""
    for where, part in parts(grader):
        if isinstance(part, Python):
            raise unsupported(f"{where}.type", "python", "this service never executes code that it is sent")
        if isinstance(part, TextSimilarity) and part.evaluation_metric == "cosine":
            reason = "it needs an embedding model, and this service has none"
            raise unsupported(f"{where}.evaluation_metric", "cosine", reason)
        if isinstance(part, LabelModel) and (others := set(part.passing_labels) - set(part.labels)):
            raise invalid(f"{where}.passing_labels", sorted(others)[0], "must be one of the labels")
        if isinstance(part, ScoreModel) and not part.bounds[0] < part.bounds[1]:
            raise invalid(f"{where}.range", part.range, "the first number must be below the second")


def check_formula(grader: Single | Multi) -> None:
    """Raises APIError 400 when the formula of a multi grader is none, or names a grader that is not there."""
    if not isinstance(grader, Multi):
        return
    where = "grader.calculate_output"
    try:
        unknown = formula.names(grader.calculate_output) - set(grader.graders)
    except formula.FormulaError as error:
        raise invalid(where, grader.calculate_output, str(error)) from None
    if unknown:
        raise invalid(where, grader.calculate_output, f"no grader is called '{sorted(unknown)[0]}'")


def unsupported(param: str, value: str, reason: str) -> APIError:
    message = f"Unsupported value: '{param}' does not support '{value}': {reason}."
    return APIError(400, message, param=param, code="unsupported_value")
