"""Preparation: files of every form are read into one table, or refused with the place and the cure."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from helpers.preparation import PreparationError, read_table
from helpers.tables import DATA
from helpers.validation import is_accepted, validate
from tests.helpers.prepared import lines, quietly

SAMPLES = sorted((DATA / "preparation").iterdir())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_sample_becomes_a_file_that_validates(sample: Path, tmp_path: Path) -> None:
    for chat in (False, True):
        done = quietly(sample, folder=tmp_path / str(chat), chat=chat, split=False)
        for file in done.files or [sample]:
            assert is_accepted(validate(file, training=False)), file.name


@pytest.mark.parametrize("name, content", [
    ("a.csv", b'prompt,completion\n"one, two","x ""y"" \nz"\n'),
    ("a.tsv", b'prompt\tcompletion\none, two\t"x ""y"" \nz"\n'),
    ("a.json", b'[{"prompt": "one, two", "completion": "x \\"y\\" \\nz"}]'),
    ("a.json", b'{"prompt": ["one, two"], "completion": ["x \\"y\\" \\nz"]}'),
    ("a.JSONL", b'\xef\xbb\xbf{"prompt": "one, two", "completion": "x \\"y\\" \\nz"}\r\n\r\n'),
    ("a.jsonl", b'[{"prompt": "one, two", "completion": "x \\"y\\" \\nz"}]'),
])
def test_one_row_in_many_forms(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_table(tmp_path / name).table.to_dict("records") == [{"prompt": "one, two", "completion": 'x "y" \nz'}]


def test_json_lines_in_a_json_file_are_noted(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.json", {"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"})
    reading = read_table(path)
    assert len(reading.table) == 2 and "JSON lines" in reading.notes[0] and reading.converted


def test_a_workbook_gives_texts_of_its_first_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["prompt", "completion", None], ["a", 1, None], [None, None, None], ["b", 2.5, None], ["NA", True, None],
                ["c", date(2026, 1, 2), None]):
        book.active.append(row)
    book.create_sheet("more")
    book.save(tmp_path / "a.xlsx")
    reading = read_table(tmp_path / "a.xlsx")
    assert reading.table.values.tolist() == [["a", "1"], ["b", "2.5"], ["NA", "True"], ["c", "2026-01-02"]]
    assert "2 sheets" in reading.notes[0]


def test_columns_may_be_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", *({"q": f"q{i}", "a": f"a {i}", "prompt": "no"} for i in range(3)))
    assert list(quietly(path, columns={"prompt": "q", "completion": "a"}).table["prompt"]) == ["q0 ->", "q1 ->", "q2 ->"]


@pytest.mark.parametrize("name, content, words", [
    ("a.csv", b"prompt,completion\na,b,c\n", "line 2.*3 fields"),
    ("a.csv", b"prompt,completion\na,b\nc\n", "line 3.*1 fields"),
    ("a.csv", b'prompt,completion\na,"b\n', "line 2.*quotation mark"),
    ("a.csv", b"prompt,prompt,completion\na,b,c\n", "two columns are called 'prompt'"),
    ("a.csv", b"prompt,completion\na,b\nd\xe9j\xe0,c\n", "line 3, byte 2: 0xe9.*'é'.*UTF-8"),
    ("a.csv", "prompt,completion\na,b\n".encode("utf-16"), "UTF-16"),
    ("a.csv", b"", "no example"), ("a.csv", b"prompt,completion\n", "no example"), ("a.txt", b"\n", "no example"),
    ("a.jsonl", b'{"prompt": "a", "completion": "b"}\n{"prompt": "a" "b"}\n', "line 2, column 16.*json.dumps"),
    ("a.jsonl", b'{"prompt": "a", "prompt": "b"}\n', "line 1.*'prompt' stands twice"),
    ("a.jsonl", b'{"prompt": "a", "completion": NaN}\n', "NaN is not JSON"),
    ("a.jsonl", b'"text"\n', "example 1 is no object"),
    ("a.jsonl", b'{"prompt": "a", "completion": ["b"]}\n', "example 1.*list; write a text"),
    ("a.jsonl", b'{"messages": []}\n', "chat examples already"),
    ("a.json", b'[\n{"prompt": "a",\n}]', "line 3"), ("a.json", b'"text"', "a list of objects"), ("a.json", b"", "no example"),
    ("a.json", b'{"prompt": ["a"], "completion": []}', "different length"),
    ("a.csv", b"prompt;completion\na;b\n", "separated by ';'"), ("a.tsv", b"prompt,completion\na,b\n", "separated by ','"),
    ("a.xlsx", b"not a workbook", "no Excel workbook"), ("a.docx", b"x", ".docx is not known"), ("a", b"x", "no extension"),
    ("a.csv", b"question,completion\na,b\n", "no column 'prompt'.*question.*--prompt"),
])
def test_bad_input_is_refused_with_place_and_cure(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PreparationError, match=words):
        quietly(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match="no such file"):
        read_table(tmp_path / "gone.csv")
