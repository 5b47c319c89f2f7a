"""Lines one by one: every rule finds its line, the service agrees, and each method reads its own form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.formatting import completion_row
from helpers.validation import RULES, check, is_accepted, validate
from localtune.jobs import validate as service
from tests.helpers.chats import ASSISTANT, GOOD, USER, chat, rules, write

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def calls(name: str, arguments: Any) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


BAD_LINES: list[tuple[str, str | bytes]] = [
    ("invalid_json", '{"messages": [}'),
    ("nan_or_infinity", '{"prompt": "a", "completion": "b", "x": NaN}'),
    ("nan_or_infinity", chat({"role": "user", "content": "q"}, {"role": "assistant", "content": float("inf")})),
    ("duplicate_key", chat(USER, ASSISTANT).replace('"role": "user"', '"role": "user", "role": "user"')),
    ("duplicate_key", '{"prompt": "x", "prompt": "a", "completion": " b"}'),
    ("not_utf8", "{}".encode("utf-16")),
    ("not_utf8", chat(USER, ASSISTANT).encode("utf-16-le")),
    ("byte_order_mark", b"\xef\xbb\xbf" + chat(USER, ASSISTANT).encode()),
    ("invalid_json", chat(USER, ASSISTANT) + "\r" + chat(USER, ASSISTANT)),
    ("invalid_json", chat(USER, ASSISTANT) + chat(USER, ASSISTANT)),
    ("invalid_json", "[" * 100_000),
    ("not_utf8", b'{"messages": "\xff"}'),
    ("blank_line", "   "),
    ("line_too_large", chat(USER, {"role": "assistant", "content": "a" * 16 * 1024**2})),
    ("not_an_object", "[1, 2]"),
    ("unexpected_format", '{"question": "a", "answer": "b"}'),
    ("unexpected_format", "{}"),
    ("preference_format", '{"input": {}, "preferred_completion": [], "non_preferred_completion": []}'),
    ("extra_key", chat(USER, ASSISTANT, id=7)),
    ("extra_key", '{"prompt": "a", "completion": " b", "weight": 1}'),
    ("missing_messages_list", '{"messages": []}'),
    ("missing_messages_list", '{"messages": "hello"}'),
    ("data_type", chat("hello", ASSISTANT)),
    ("message_missing_key", chat({"content": "q"}, ASSISTANT)),
    ("unrecognized_role", chat({"role": "human", "content": "q"}, ASSISTANT)),
    ("unrecognized_role", chat({"role": ["user"], "content": "q"}, ASSISTANT)),
    ("message_unrecognized_key", chat({**USER, "timestamp": 1}, ASSISTANT)),
    ("missing_content", chat({"role": "user"}, ASSISTANT)),
    ("missing_content", chat({"role": "user", "content": 7}, ASSISTANT)),
    ("missing_content", chat(USER, {"role": "assistant", "content": None})),
    ("bad_name", chat({**USER, "name": 7}, ASSISTANT)),
    ("bad_weight", chat(USER, {**ASSISTANT, "weight": 0.5})),
    ("bad_weight", chat({**USER, "weight": 1}, ASSISTANT)),
    ("tool_call_id", chat(USER, {"role": "tool", "content": "7"}, ASSISTANT)),
    ("example_missing_assistant_message", chat(USER)),
    ("nothing_learnt", chat(USER, {**ASSISTANT, "weight": 0})),
    ("bad_part", chat({"role": "user", "content": [{"type": "text"}]}, ASSISTANT)),
    ("bad_part", chat(USER, {"role": "assistant", "content": [{"type": "image_url", "image_url": {"url": "u"}}]})),
    ("bad_tools", chat(USER, ASSISTANT, tools=[{"name": "f"}])),
    ("bad_tools", chat(USER, ASSISTANT, tools={}, parallel_tool_calls="no")),
    ("bad_tools", chat(USER, ASSISTANT, tools=[{"type": "function", "function": {"name": "no spaces"}}])),
    ("bad_tool_call", chat(USER, {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f"}}]})),
    ("bad_tool_call", chat(USER, calls("f", {"x": 1}), tools=[TOOL])),
    ("bad_tool_call", chat({**USER, "tool_calls": []}, ASSISTANT)),
    ("unknown_tool", chat(USER, calls("g", "{}"), tools=[TOOL])),
    ("unanswered_call", chat(USER, calls("f", "{}"), ASSISTANT, tools=[TOOL])),
    ("empty_question", chat({"role": "user", "content": " "}, ASSISTANT)),
    ("secret", chat(USER, {"role": "assistant", "content": "use sk-proj-" + "a1" * 12})),
    ("email_address", chat(USER, {"role": "assistant", "content": "write to jo.doe@mail.invalid.org"})),
    ("last_not_assistant", chat(USER, ASSISTANT, USER)),
    ("late_system_message", chat(USER, {"role": "system", "content": "s"}, ASSISTANT)),
    ("empty_answer", chat(USER, {"role": "assistant", "content": " "})),
    ("empty_answer", chat(USER, {"role": "assistant", "content": [{"type": "text", "text": " "}]})),
    ("empty_answer", '{"prompt": "a", "completion": "  "}'),
    ("empty_completion", '{"prompt": "a", "completion": ""}'),
    ("lone_surrogate", chat(USER, {"role": "assistant", "content": "\ud83d"})),
    ("not_local", chat(USER, ASSISTANT, tools=[])),
    ("not_local", chat({"role": "user", "content": [{"type": "text", "text": "q"}]}, ASSISTANT)),
    ("bad_weight", chat(USER, {**ASSISTANT, "weight": True})),
    ("prompt_type", '{"completion": " b"}'),
    ("prompt_type", '{"prompt": null, "completion": " b"}'),
    ("completion_type", '{"prompt": "a"}'),
]
ONLY_OTHER_PROVIDERS = {"tool_call_id"}  # the local service knows no tools, so it does not look
OTHER_METHODS = {"wrong_method", "preference_keys", "preference_answer", "same_preference", "last_not_user"}
FILE_RULES = {
    "wrong_extension",
    "file_too_large",
    "empty_file",
    "too_few_examples",
    "few_examples",
    "mixed_formats",
    "byte_order_mark",
    "duplicate_example",
    "too_long",
    "mixed_line_ends",
    "near_duplicate",
    "conflicting_answers",
    "leaked_example",
    "leaked_question",
    "system_prompt_differs",
    "label_imbalance",
    "label_spelling",
}


@pytest.mark.parametrize(("rule", "line"), BAD_LINES)
def test_each_rule_finds_its_line(tmp_path: Path, rule: str, line: str | bytes) -> None:
    lines: list[str | bytes] = [json.dumps(row) for row in GOOD]
    lines[3] = line
    found = validate(write(tmp_path / "train.jsonl", lines)).query("line > 0")
    found = found[~found["rule"].isin({"system_prompt_differs"})]
    assert list(found["line"].unique()) == [4]
    assert rule in rules(found)
    assert found["fix"].str.len().min() > 10


@pytest.mark.parametrize(("rule", "line"), BAD_LINES)
def test_the_service_agrees(tmp_path: Path, rule: str, line: str | bytes) -> None:
    lines: list[str | bytes] = [json.dumps(row) for row in GOOD]
    if b'"prompt"' in (line if isinstance(line, bytes) else line.encode()):
        lines = [json.dumps(completion_row(f"q{n}", f"a{n}")) for n in range(50)]
    lines[3] = line
    path = write(tmp_path / "train.jsonl", lines)
    refused_here = not check(path, local=True).accepted
    assert refused_here == (refused_by_service(path) or rule in ONLY_OTHER_PROVIDERS)


def refused_by_service(path: Path) -> bool:
    try:
        service.validate(path, "training", "file-1")
    except service.InvalidFile:
        return True
    return False


def test_every_rule_has_a_test() -> None:
    assert {rule for rule, _ in BAD_LINES} | FILE_RULES | OTHER_METHODS == set(RULES)


def test_tools_weights_and_parts_are_accepted() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    calls = {"role": "assistant", "tool_calls": [call], "content": None, "weight": 0}
    parts = {"role": "user", "content": [{"type": "text", "text": "q"}], "name": "Ann"}
    developer = {"role": "developer", "content": "Be brief."}
    row = {"messages": [developer, parts, calls, {"role": "tool", "tool_call_id": "c", "content": "7"}, ASSISTANT]}
    rows = [{**row, "tools": [TOOL], "parallel_tool_calls": False}]
    findings = validate(rows).query("line > 0")
    assert rules(findings) == {"not_local"} and is_accepted(findings)
    assert not check(rows, local=True).accepted


def test_the_answer_of_a_function_needs_its_name() -> None:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    said = {"role": "function", "content": "7"}
    for name, found in (({}, {"bad_name", "not_local"}), ({"name": "f"}, {"not_local"})):
        row = {"messages": [USER, call, {**said, **name}, ASSISTANT], "functions": [TOOL["function"]]}
        assert rules(validate([row]).query("line > 0")) == found


PREFERENCE = {
    "input": {"messages": [USER]},
    "preferred_completion": [ASSISTANT],
    "non_preferred_completion": [{"role": "assistant", "content": "b"}],
}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (None, {}),
        ("preference_keys", {"input": "q"}),
        ("missing_messages_list", {"input": {"messages": []}}),
        ("preference_answer", {"preferred_completion": []}),
        ("preference_answer", {"preferred_completion": [USER]}),
        ("missing_content", {"preferred_completion": [{"role": "assistant"}]}),
        ("same_preference", {"preferred_completion": PREFERENCE["non_preferred_completion"]}),
        ("extra_key", {"note": 1}),
    ],
)
def test_preference_lines(rule: str | None, change: dict[str, Any]) -> None:
    findings = validate([{**PREFERENCE, **change}], method="preference").query("line > 0")
    assert rules(findings) == ({rule} if rule else set())
    assert "preference_keys" in rules(validate([{"input": {"messages": [USER]}}], method="preference"))


def test_each_method_reads_its_own_form() -> None:
    row = {"messages": [USER], "reference": 7}
    assert rules(validate([row] * 1, method="reinforcement").query("line > 0")) == set()
    row["messages"] = [USER, ASSISTANT]
    assert rules(validate([row], method="reinforcement").query("line > 0")) == {"last_not_user"}
    assert "wrong_method" in rules(validate(GOOD, method="completion"))
    assert "wrong_method" in rules(validate([completion_row("q", "a")], method="preference"))
