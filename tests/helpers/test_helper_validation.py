from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.formatting import chat_row, completion_row, write_jsonl
from helpers.validation import RULES, is_accepted, validate
from localtune.jobs import validate as service

GOOD = [chat_row("Be brief.", f"Question {n}?", f"Answer {n}.") for n in range(50)]
USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def chat(*messages: Any, **more: Any) -> str:
    return json.dumps({"messages": list(messages), **more})


BAD_LINES: list[tuple[str, str | bytes]] = [
    ("invalid_json", '{"messages": [}'),
    ("invalid_json", '{"prompt": "a", "completion": "b", "x": NaN}'),
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
    ("last_not_assistant", chat(USER, ASSISTANT, USER)),
    ("late_system_message", chat(USER, {"role": "system", "content": "s"}, ASSISTANT)),
    ("empty_answer", chat(USER, {"role": "assistant", "content": " "})),
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
}


def write(path: Path, lines: list[str | bytes]) -> Path:
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return path


def rules(findings: Any) -> set[str]:
    return set(findings["rule"])


@pytest.mark.parametrize(("rule", "line"), BAD_LINES)
def test_each_rule_finds_its_line(tmp_path: Path, rule: str, line: str | bytes) -> None:
    lines: list[str | bytes] = [json.dumps(row) for row in GOOD]
    lines[3] = line
    found = validate(write(tmp_path / "train.jsonl", lines)).query("line > 0")
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
    refused_here = not is_accepted(validate(path)) or rule == "not_local"
    assert refused_here == (refused_by_service(path) or rule in ONLY_OTHER_PROVIDERS)


def refused_by_service(path: Path) -> bool:
    try:
        service.validate(path, "training", "file-1")
    except service.InvalidFile:
        return True
    return False


def test_every_rule_has_a_test() -> None:
    assert {rule for rule, _ in BAD_LINES} | FILE_RULES == set(RULES)


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    findings = validate(write_jsonl(tmp_path / "train.jsonl", GOOD), model="gpt-4.1-2025-04-14")
    assert findings.empty and is_accepted(findings)


def test_tools_weights_and_parts_are_accepted() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    calls = {"role": "assistant", "tool_calls": [call], "content": None, "weight": 0}
    parts = {"role": "user", "content": [{"type": "text", "text": "q"}], "name": "Ann"}
    row = {"messages": [parts, calls, {"role": "tool", "tool_call_id": "c", "content": "7"}, ASSISTANT], "tools": []}
    findings = validate([row]).query("line > 0")
    assert rules(findings) == {"not_local"} and is_accepted(findings)


def test_all_problems_are_listed_together(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", ["{", chat(USER), '{"prompt": "a", "completion": " b"}'])
    findings = validate(path)
    assert set(zip(findings["line"], findings["rule"])) == {
        (0, "wrong_extension"),
        (0, "too_few_examples"),
        (0, "mixed_formats"),
        (1, "invalid_json"),
        (2, "example_missing_assistant_message"),
    }
    assert not is_accepted(findings)


def test_size_of_the_data_set(tmp_path: Path) -> None:
    assert rules(validate([])) == {"empty_file"}
    assert rules(validate(GOOD[:9])) == {"too_few_examples"} and validate(GOOD[:9], training=False).empty
    assert rules(validate(GOOD[:10])) == {"few_examples"} and is_accepted(validate(GOOD[:10]))


def test_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.validation.MAX_FILE_BYTES", 100)
    assert rules(validate(write_jsonl(tmp_path / "train.jsonl", GOOD))) == {"file_too_large"}


def test_empty_lines_at_the_end_are_harmless(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [*(json.dumps(row) for row in GOOD), "", "  "])
    assert validate(path).empty


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in GOOD), encoding="utf-8-sig")
    assert rules(validate(path)) == {"byte_order_mark"}


def test_duplicates_name_the_first_copy() -> None:
    findings = validate([*GOOD, GOOD[6]])
    assert findings[["line", "rule", "what"]].to_numpy().tolist() == [[51, "duplicate_example", "the same as line 7"]]
    assert is_accepted(findings)


def test_too_long_for_the_model() -> None:
    rows = [completion_row(f"{n} " * 30, "x") for n in range(50)]
    assert set(validate(rows, model="tiny-limit")["rule"]) == {"too_long"}
    assert validate(rows).empty
