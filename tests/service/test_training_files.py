"""Validation of training files: every failure with its code, message and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localtune.jobs.validate import Checked, InvalidFile, check_same, validate

QUESTION, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
GOOD = {"messages": [QUESTION, ANSWER]}
PAIR = {"prompt": "p ->", "completion": " c END"}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def failure(path: Path, *rows: Any) -> InvalidFile:
    with pytest.raises(InvalidFile) as error:
        validate(write(path, *rows), "training", "file-a")
    return error.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def test_both_formats_are_counted(path: Path) -> None:
    assert validate(write(path, *[GOOD] * 12), "training", "file-a") == Checked("chat", 12)
    assert validate(write(path, *[PAIR] * 10), "training", "file-a") == Checked("completion", 10)
    assert validate(write(path, PAIR), "validation", "file-a") == Checked("completion", 1)


def test_all_roles_names_and_weights_are_known(path: Path) -> None:
    roles = [{"role": role, "content": "x", "name": "n"} for role in ("system", "developer", "user", "function")]
    rows = [{"messages": [*roles, {**ANSWER, "weight": 0}, {**ANSWER, "weight": 1}]}] * 10
    assert validate(write(path, *rows), "training", "file-a").n_examples == 10


@pytest.mark.parametrize("count", [0, 3, 9])
def test_too_few_examples(path: Path, count: int) -> None:
    error = failure(path, *[GOOD] * count)
    assert (error.code, error.param) == ("invalid_n_examples", "training_file")
    assert error.message == f"Training file has {count} example(s), but must have at least 10 examples"


@pytest.mark.parametrize(
    ("messages", "detail"),
    [
        ([QUESTION], 'Line 2, key "messages": At least one message must be from the assistant.'),
        ([], 'Line 2, key "messages": must not be empty.'),
        ("hello", 'Line 2, key "messages": must be a list, not a string.'),
        (["hello", ANSWER], "Example 2, message 1 must be a dictionary, not a string."),
        ([{"content": "q"}, ANSWER], "Example 2, message 1 Discriminator 'role' is missing in value"),
        ([QUESTION, {"role": "assistant"}], "Example 2, message 2 is missing key 'content'."),
        ([QUESTION, {**ANSWER, "content": None}], 'Example 2, message 2, key "content": must be a string, not null.'),
        ([QUESTION, {**ANSWER, "content": []}], 'Example 2, message 2, key "content": must be a string, not a list.'),
        ([QUESTION, {**ANSWER, "weight": 2}], 'Example 2, message 2, key "weight": must be 0 or 1, not 2.'),
        ([QUESTION, {**ANSWER, "weight": True}], 'Example 2, message 2, key "weight": must be 0 or 1, not True.'),
        (
            [QUESTION, {**ANSWER, "weight": 0}],
            'Line 2, key "messages": At least one assistant message must have a weight of 1.',
        ),
        ([QUESTION, {**ANSWER, "content": "\ud800"}], 'Example 2, message 2, key "content": contains half of a'),
        ([{**QUESTION, "role": "bot"}], "Example 2, message 1 No match for discriminator 'role' and value 'bot'"),
        ([{**QUESTION, "role": ["user"]}], "Example 2, message 1 No match for discriminator 'role' and value"),
    ],
)
def test_wrong_messages(path: Path, messages: Any, detail: str) -> None:
    error = failure(path, GOOD, {"messages": messages})
    assert (error.code, error.param) == ("invalid_training_file", "training_file")
    assert error.message.startswith(f"The job failed due to an invalid training file. Invalid file format. {detail}")


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"messages": [{**QUESTION, "weight": 1}, ANSWER]}, 'Example 1, message 1 contains an extra "weight".'),
        ({"messages": [{**QUESTION, "mood": "x"}, ANSWER]}, 'Example 1, message 1 contains an extra "mood".'),
        ({**GOOD, "weight": 1}, 'Example 1 contains an extra "weight".'),
        ({**GOOD, "tools": []}, 'Example 1 contains "tools": the local models cannot be trained on tool calls.'),
        ({**PAIR, "label": 1}, 'Example 1 contains an extra "label".'),
        ({"prompt": "x"}, "Example 1 is missing key 'completion'."),
    ],
)
def test_wrong_keys(path: Path, row: Any, detail: str) -> None:
    error = failure(path, row)
    assert error.code == "invalid_file_format"
    start = "The job failed due to a file format error in the training file. Invalid file format. "
    assert error.message == start + detail


@pytest.mark.parametrize(
    ("rows", "detail"),
    [
        (({"text": "x"},), "Unexpected file format, expected either prompt/completion pairs or chat messages. (line"),
        (({"input": {}},), "Invalid file format. Input file file-a is in the fine-tune-preference format, but the"),
        ((GOOD, PAIR), "Invalid file format. Example 2 is in the prompt/completion format, but the examples before"),
        (({**PAIR, "prompt": 3},), 'Invalid file format. Line 1, key "prompt": must be a string, not a number.'),
        (({**PAIR, "completion": ""},), 'Invalid file format. Line 1, key "completion": must not be empty.'),
    ],
)
def test_wrong_formats(path: Path, rows: tuple[Any, ...], detail: str) -> None:
    error = failure(path, *rows)
    assert error.message.startswith(f"The job failed due to an invalid training file. {detail}")


def test_invalid_json_names_the_place(path: Path) -> None:
    path.write_text(json.dumps(GOOD) + '\n{"messages": [}\n', encoding="utf-8")
    with pytest.raises(InvalidFile) as error:
        validate(path, "validation", "file-a")
    assert error.value.code == "invalid_validation_file"
    assert error.value.message == (
        "The job failed due to an invalid validation file. Invalid file format. Example 2 cannot be parsed. "
        "Error: line contains invalid json: Expecting value: line 1 column 15 (char 14) (line 2)"
    )


def test_both_files_need_one_format() -> None:
    check_same(Checked("chat", 10), Checked("chat", 1))
    with pytest.raises(InvalidFile, match="validation file is in the prompt/completion format") as error:
        check_same(Checked("chat", 10), Checked("completion", 1))
    assert error.value.param == "validation_file"
