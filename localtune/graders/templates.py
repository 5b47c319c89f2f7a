"""`{{ item.x }}` and `{{ sample.output_text }}` in a grader's texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
OUTPUT_JSON = "output_json"
DIGITS = 10  # fewer than that in the number of a list's item
MAX_CHARACTERS = 1_000_000  # of a filled template: places can repeat a long sample any number of times


class UnknownVariable(Exception):
    """A template names something that the namespaces do not have."""


class SampleIsNoJson(Exception):
    """A template wants a part of the sample as JSON, and the sample is none."""


class TooLong(Exception):
    """A template that becomes longer than `MAX_CHARACTERS` when it is filled."""


def namespaces(model_sample: str, item: Any) -> dict[str, Any]:
    """What templates may name; `output_json` is there only when the sample is JSON."""
    sample: dict[str, Any] = {"output_text": model_sample}
    try:
        sample[OUTPUT_JSON] = json.loads(model_sample)
    except (ValueError, RecursionError):
        pass
    return {"sample": sample, "item": item}


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with its places filled in. Raises UnknownVariable, SampleIsNoJson, TooLong."""
    size = len(template)

    def value(place: re.Match[str]) -> str:
        nonlocal size
        shown = text(lookup(place.group(1), values))
        size += len(shown)
        if size > MAX_CHARACTERS:
            raise TooLong
        return shown

    return PLACE.sub(value, template)


def lookup(path: str, values: Any) -> Any:
    """The value at a dotted path; numbers index lists."""
    names = path.split(".")
    for position, name in enumerate(names):
        if isinstance(values, Mapping) and name in values:
            values = values[name]
        elif isinstance(values, list) and name.isdecimal() and len(name) < DIGITS and int(name) < len(values):
            values = values[int(name)]
        elif names[:2] == ["sample", OUTPUT_JSON] and position == 1:
            raise SampleIsNoJson(path)
        else:
            raise UnknownVariable(path)
    return values


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
