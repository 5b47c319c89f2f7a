"""Requests of every kind, from nearly right to nonsense, drawn from the service's own description of itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

MODEL = "gpt-4o-mini-2024-07-18"
ASKED = [{"role": "user", "content": "Hi"}]
RIGHT: dict[str, dict[str, Any]] = {  # bodies that are right, to be spoilt at one place
    "/v1/fine_tuning/jobs": {"model": MODEL, "training_file": "file-x", "seed": 1, "metadata": {"a": "b"},
                             "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}},
    "/v1/chat/completions": {"model": MODEL, "messages": ASKED, "max_tokens": 2, "temperature": 1, "n": 1, "stop": ["x"],
                             "stream": False, "logit_bias": {"5": 1}, "seed": 3, "top_p": 1, "tools": []},
    "/v1/completions": {"model": MODEL, "prompt": "Hi", "max_tokens": 2, "echo": True, "logprobs": 1, "best_of": 1},
    "/v1/uploads": {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": 3, "mime_type": "text/plain"},
    "/v1/uploads/{upload_id}/complete": {"part_ids": ["part_x"], "md5": "0"},
    "/v1/moderations": {"input": ["a", "b"], "model": "omni-moderation-latest"},
    "/v1/fine_tuning/checkpoints/{checkpoint}/permissions": {"project_ids": ["proj_x"]},
    "/v1/fine_tuning/alpha/graders/run": {
        "grader": {"type": "string_check", "name": "g", "operation": "eq", "input": "{{sample.output_text}}",
                   "reference": "{{item.a}}"}, "model_sample": "x", "item": {"a": "x"}},
    "/v1/fine_tuning/alpha/graders/validate": {
        "grader": {"type": "string_check", "name": "g", "operation": "eq", "input": "a", "reference": "b"}},
}

numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
# Halves of surrogate pairs and long rows of digits too: JSON allows both, and much cannot stand them.
hostile = st.text(st.characters(), max_size=20) | st.characters(categories=["Cs"]) | st.sampled_from(["9" * 5_000, "\0"])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=20) | hostile
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | hostile, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every position inside a JSON value, the whole of it first."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@st.composite
def bodies(draw: st.DrawFn, path: str) -> Any:
    right = RIGHT.get(path)
    if right is None or draw(st.integers(0, 5)) == 0:
        return draw(anything)
    if draw(st.booleans()):
        right = {**right, draw(st.sampled_from(sorted(right)) | st.text(max_size=10) | hostile): draw(anything)}
    return replaced(right, draw(st.sampled_from(places(right))), draw(anything))


@st.composite
def requests(draw: st.DrawFn, description: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    """One request as keyword arguments of an HTTP client; `ids` are names of things that exist."""
    path = draw(st.sampled_from(sorted(description["paths"])))
    method = draw(st.sampled_from(sorted(description["paths"][path])))
    url = path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        chosen = draw(st.sampled_from(ids) | st.text(min_size=1, max_size=30))
        url = url.replace(f"{{{name}}}", quote(chosen.encode("utf-8", "replace"), safe=""))
    request: dict[str, Any] = {"method": method.upper(), "url": url}
    if draw(st.booleans()):
        names = st.sampled_from(["after", "limit", "order", "purpose", "metadata", "metadata[a]", "x"])
        values = st.sampled_from(["1", "-1", "0", "asc", "null", *ids]) | st.text(max_size=12) | numbers.map(str)
        request["params"] = draw(st.dictionaries(names, values, max_size=3))
    if method == "post":
        request |= draw(bodies(path).map(as_json) | raw_bodies())
    return request


def as_json(body: Any) -> dict[str, Any]:
    """In ASCII, as most clients write it: so it can hold what UTF-8 cannot."""
    return {"content": json.dumps(body), "headers": {"content-type": "application/json"}}


def raw_bodies() -> st.SearchStrategy[dict[str, Any]]:
    """What is no JSON: bytes, and forms with fields and files of all sorts."""
    file = st.tuples(st.text(max_size=10) | st.just("a.jsonl"), st.binary(max_size=40) | st.just(b'{"a": 1}\n'))
    purpose = st.tuples(st.none(), st.sampled_from(["fine-tune", "batch", "x"]) | st.text(max_size=5))
    forms = st.fixed_dictionaries({}, optional={"file": file, "purpose": purpose, "data": file})
    return st.binary(max_size=60).map(lambda content: {"content": content}) | forms.map(lambda files: {"files": files})
