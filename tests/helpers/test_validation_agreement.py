"""Whatever the service would refuse, the validator reports as an error first: both read the same generated files."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpers.validation import check
from localtune.jobs import validate as service

GOOD = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
PAIR = {"prompt": "q", "completion": " a"}
ODD = st.sampled_from(
    [None, True, 0, 1, 1.0, 2, -1, 10**30, float("nan"), "", " ", "x", "\ud83d", "é", [], {}, ["x"], {"x": 1}]
)
TEXT = st.one_of(st.text(max_size=8), st.text(max_size=8), ODD)
KEYS = st.sampled_from(["name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal", "note", "content"])
ROLE = st.one_of(st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "human"]), ODD)
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": ROLE, "content": TEXT}),
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT}),
    st.builds(lambda base, more: {**base, **more}, st.sampled_from(GOOD["messages"]), st.dictionaries(KEYS, ODD, max_size=2)),
    st.dictionaries(KEYS, TEXT, max_size=2),
    ODD,
)
SAID = st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user"]), "content": st.text(max_size=8)})
ANSWER = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.text(max_size=8)}, optional={"name": st.text(max_size=3)}
)
TAKEN = st.builds(lambda said, answer: {"messages": [*said, answer]}, st.lists(SAID | ANSWER, max_size=4), ANSWER)
ROW = st.one_of(
    TAKEN,
    TAKEN,
    st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=4)}),
    st.builds(lambda extra: {"messages": [*extra, *GOOD["messages"]]}, st.lists(MESSAGE, max_size=2)),
    st.fixed_dictionaries({"messages": ODD}),
    st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT}),
    st.dictionaries(st.sampled_from(["messages", "prompt", "completion", "input", "tools", "id"]), ODD, max_size=3),
    st.builds(lambda key, value: {**GOOD, key: value}, st.sampled_from(["tools", "functions", "weight", "é"]), ODD),
    ODD,
)
WRITTEN = st.one_of(
    ROW.map(lambda row: json.dumps(row).encode()),
    ROW.map(lambda row: json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    TAKEN.map(lambda row: json.dumps(row, separators=(" ,", " : ")).encode()),
)


def damaged(line: bytes, at: int, byte: int) -> bytes:
    at %= len(line) + 1
    return line[:at] + bytes([byte]) + line[at + 1 :]


DEEP = [b"[" * 3000, b'{"messages": [' * 2000, b"1" * 5000]
SPECIAL = st.sampled_from([b"", b" ", b"\r", b"\x0b", b"\xef\xbb\xbf{}", b"{} {}", *DEEP])
LINE = st.one_of(WRITTEN, WRITTEN, st.builds(damaged, WRITTEN, st.integers(0, 200), st.integers(0, 255)), SPECIAL)
CASES = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def refusal(content: bytes) -> str | None:
    """What the service says to these bytes, or None if it takes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(content)
        try:
            service.validate(path, "training", "file-1")
        except service.InvalidFile as error:
            return str(error)
    return None


def errors(content: bytes) -> list[str]:
    """Rules of all errors the validator finds in these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(content)
        found = check(path, local=True, quiet=True).findings
    return [rule for rule in found.counts if found.severity(rule) == "error"]


def unseen(content: bytes) -> str | None:
    """What the service refuses these bytes for although the validator finds no error, or None."""
    said = refusal(content)
    return said if said is not None and not errors(content) else None


@CASES
@given(line=LINE, at=st.integers(0, 12))
@example(line=b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), at=0)
@example(line=b"[" * 100_000, at=3)
def test_a_bad_line_among_good_ones(line: bytes, at: int) -> None:
    lines = [json.dumps(GOOD).encode()] * 12
    assert unseen(b"\n".join([*lines[:at], line, *lines[at:]]) + b"\n") is None


@CASES
@given(line=LINE)
def test_a_bad_line_among_prompts_and_completions(line: bytes) -> None:
    lines = [json.dumps(PAIR).encode()] * 6
    assert unseen(b"\n".join([*lines, line, *lines])) is None


@CASES
@given(rows=st.lists(LINE, max_size=14))
def test_whole_files(rows: list[bytes]) -> None:
    assert unseen(b"\n".join(rows)) is None


def test_the_generator_makes_files_of_both_kinds() -> None:
    """The test above would prove nothing if the service took, or refused, everything."""
    verdicts: list[bool] = []

    @settings(CASES, max_examples=200, database=None)
    @given(line=LINE)
    def look(line: bytes) -> None:
        good = json.dumps(GOOD).encode()
        verdicts.append(refusal(b"\n".join([good] * 6 + [line] + [good] * 6)) is None)

    look()
    assert 0.05 < sum(verdicts) / len(verdicts) < 0.95


@settings(CASES, max_examples=100)
@given(rows=st.lists(TAKEN, min_size=10, max_size=14))
def test_what_the_service_takes_is_no_error(rows: list[dict[str, Any]]) -> None:
    content = b"\n".join(json.dumps(row).encode() for row in rows)
    assert refusal(content) is None and errors(content) == []


def test_all_plain_roles_names_and_weights_are_taken_by_both() -> None:
    roles: list[dict[str, Any]] = [{"role": role, "content": "x", "name": "n"} for role in ("system", "developer", "user")]
    row = {"messages": [*roles, {"role": "assistant", "content": "a", "weight": 0}, GOOD["messages"][1]]}
    content = b"\n".join([json.dumps(row).encode()] * 10)
    assert refusal(content) is None and errors(content) == []
