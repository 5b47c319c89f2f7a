"""Request bodies, and how a wrong one is told to the client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict

from localtune.api.errors import APIError

# The API this service speaks words its messages like pydantic 1.
MESSAGES = {
    "less_than_equal": "ensure this value is less than or equal to {le}",
    "less_than": "ensure this value is less than {lt}",
    "greater_than_equal": "ensure this value is greater than or equal to {ge}",
    "greater_than": "ensure this value is greater than {gt}",
    "string_too_long": "ensure this value has at most {max_length} characters",
    "string_too_short": "ensure this value has at least {min_length} characters",
    "too_long": "ensure this value has at most {max_length} items",
    "too_short": "ensure this value has at least {min_length} items",
    "int_type": "value is not a valid integer",
    "int_parsing": "value is not a valid integer",
    "int_parsing_size": "value is not a valid integer",
    "int_from_float": "value is not a valid integer",
    "float_type": "value is not a valid float",
    "float_parsing": "value is not a valid float",
    "finite_number": "ensure this value is a finite number",
    "bool_type": "value could not be parsed to a boolean",
    "string_type": "str type expected",
    "list_type": "value is not a valid list",
    "dict_type": "value is not a valid dict",
    "model_attributes_type": "value is not a valid dict",
    "model_type": "value is not a valid dict",
    "union_tag_invalid": "No match for discriminator {discriminator} and value '{tag}' (allowed values: {expected_tags})",
    "union_tag_not_found": "Discriminator {discriminator} is missing in value",
    "literal_error": "unexpected value; permitted: {expected}",
    "value_error": "{error}",
}
FINE_TUNING = "/v1/fine_tuning/"
SHOWN = 80  # characters of a wrong value that are repeated to the client


class Body(BaseModel):
    """A JSON request body: no unknown fields, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


def validation_error(error: RequestValidationError, path: str) -> APIError:
    """The 400 for a request to `path` that does not fit its schema; one problem at a time, the most specific one."""
    if isinstance(error.body, bytes):
        return APIError(400, "This address takes JSON only (HINT: send the header 'Content-Type: application/json').")
    problem = most_specific(error.errors(), error.body)
    where = field_path(problem, error.body)
    name = shown_path(where)
    if problem["type"] == "json_invalid":
        reason = problem.get("ctx", {}).get("error", "not JSON")
        return APIError(400, f"We could not parse the JSON body of your request: {reason}.")
    if problem["type"] == "missing":
        what = f"Missing required parameter: '{name}'." if where else "The request needs a JSON body."
        return APIError(400, what, param=name or None, code="missing_required_parameter")
    if problem["type"] == "extra_forbidden":
        if path.startswith(FINE_TUNING):  # has other words for it than the older endpoints
            return APIError(400, f"invalid {name}, extra fields not permitted", param=name)
        return APIError(400, f"Unrecognized request argument supplied: {name}")
    return invalid(name or "body", problem.get("input"), message(problem))


def invalid(param: str, value: Any, reason: str) -> APIError:
    """A 400 in the house style: `invalid {param}: {value}, {reason}`."""
    return APIError(400, f"invalid {param}: {shown_value(value)}, {reason}", param=param)


def most_specific(problems: Sequence[Mapping[str, Any]], body: Any) -> Mapping[str, Any]:
    """A union reports one problem per member: the deepest one inside the first wrong field says most."""
    first = field_path(problems[0], body)[:1]
    same_field = [problem for problem in problems if field_path(problem, body)[:1] == first]
    return max(
        same_field, key=lambda problem: (len(field_path(problem, body)), problem["type"] != "literal_error")
    )


def field_path(problem: Mapping[str, Any], body: Any) -> list[str | int]:
    """The problem's location as keys of the request; names of union members are left out."""
    source, *parts = problem["loc"]
    if source != "body":
        return list(parts)
    path: list[str | int] = []
    for part in parts:
        if isinstance(body, dict) and part in body or isinstance(body, list) and isinstance(part, int):
            path.append(part)
            body = body[part]
    if problem["type"] == "missing" and parts:
        path.append(parts[-1])
    return path


def shown_path(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def shown_value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def message(problem: Mapping[str, Any]) -> str:
    template = MESSAGES.get(problem["type"])
    return template.format(**problem.get("ctx", {})) if template else problem["msg"]
