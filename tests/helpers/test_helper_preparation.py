"""Preparation: what is asked and answered, what is written, the split, and the command line."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from helpers.formatting import read_jsonl
from helpers.preparation import PreparationError, chat_rows, prepare, split_rows, task_of, writing
from helpers.preparation.__main__ import main
from helpers.tables import DATA, ROOT
from tests.helpers.prepared import FACTS, LABELS, lines, quietly, table


# --- answers ------------------------------------------------------------------------------------------------------------

def test_what_is_refused_is_not_done(tmp_path: Path) -> None:
    path = lines(tmp_path / "facts.jsonl", *FACTS.to_dict("records"))
    done = prepare(path, ask=lambda question: "n", say=lambda line: None)
    assert done.files == [] and done.table.equals(FACTS) and not any(applied for _, applied in done.steps)
    assert [path.name for path in tmp_path.iterdir()] == ["facts.jsonl"]


def test_questions_are_answered_one_by_one(tmp_path: Path) -> None:
    def ask(question: str) -> str:
        return "No " if "->" in question else ""

    done = prepare(lines(tmp_path / "facts.jsonl", *FACTS.to_dict("records")), ask=ask, say=lambda line: None)
    assert done.separator == "" and done.stop == "\n" and len(done.files) == 1


def test_a_file_that_is_right_stays_the_only_one(tmp_path: Path) -> None:
    path = lines(tmp_path / "good.jsonl", *({"prompt": f"{w} ->", "completion": f" {w} it is END"} for w in ("a", "b", "c")))
    said: list[str] = []
    assert prepare(path, quiet=True, say=said.append).files == [] and "as it is" in said[-1]


# --- writing ------------------------------------------------------------------------------------------------------------

def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = lines(tmp_path / "facts.jsonl", *FACTS.to_dict("records"))
    names = [quietly(path).files[0].name for _ in range(3)]
    assert names == ["facts_prepared.jsonl", "facts_prepared (1).jsonl", "facts_prepared (2).jsonl"]


def test_a_name_taken_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process takes the second name after it was found free: both files move on to the next number."""
    real, taken = writing.free_names, []

    def names(*given: object) -> list[Path]:
        free = real(*given)
        if not taken:
            free[1].write_text("theirs", encoding="utf-8")
            taken.append(free[1])
        return free

    monkeypatch.setattr(writing, "free_names", names)
    files = quietly(lines(tmp_path / "labels.jsonl", *LABELS.to_dict("records"))).files
    assert taken[0].read_text(encoding="utf-8") == "theirs" and "(1)" in files[0].name
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_run_leaves_no_file(error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "labels.jsonl", *LABELS.to_dict("records"))
    real = writing._link

    def link(draft: Path, target: Path) -> None:
        if "_valid" in target.name:
            raise error
        real(draft, target)

    def half(path: Path, rows: object) -> None:
        path.write_text('{"prompt": "ha', encoding="utf-8")
        raise error

    for name, stop in (("_link", link), ("write_jsonl", half)):
        with monkeypatch.context() as patch, pytest.raises(error):
            patch.setattr(writing, name, stop)
            quietly(path)
        assert [file.name for file in tmp_path.iterdir()] == ["labels.jsonl"]


def test_chat_has_no_marks_and_keeps_sentences() -> None:
    rows = chat_rows(table(("a\n\n###\n\n", " One. Two. END"), ("b\n\n###\n\n", " Three. END")), system="Be kind.")
    assert [message["content"] for message in rows[0]["messages"]] == ["Be kind.", "a", "One. Two."]
    assert chat_rows(table(("a ->", " One."), ("b ->", " Two.")))[0]["messages"][1]["content"] == "One."
    assert [m["role"] for m in chat_rows(table(("", "one"), ("", "two")))[0]["messages"]] == ["assistant"]


def test_chat_files_carry_the_system_message(tmp_path: Path) -> None:
    path = lines(tmp_path / "labels.jsonl", *LABELS.to_dict("records"))
    train, valid = quietly(path, chat=True, system="Judge.").files
    rows = [*read_jsonl(train), *read_jsonl(valid)]
    assert len(rows) == 20 and {row["messages"][0]["content"] for row in rows} == {"Judge."}


# --- the split ----------------------------------------------------------------------------------------------------------

def test_the_split_is_four_to_one_repeatable_and_complete() -> None:
    data = table(*((f"p{i}", f"c{i}") for i in range(50)))
    train, valid = split_rows(data)
    assert (len(train), len(valid)) == (40, 10) and pd.concat([train, valid]).sort_index().equals(data)
    assert split_rows(data)[1].equals(valid) and not split_rows(data, seed=1)[1].equals(valid)


def test_equal_prompts_stay_together_and_classes_are_divided_alike() -> None:
    data = table(*((f"p{i % 60}", ["yes", "no", "never"][i % 3] if i % 3 else "rare") for i in range(180)))
    train, valid = split_rows(data)
    assert task_of(data) == "classification" and not set(train["prompt"]) & set(valid["prompt"])
    assert (valid["completion"].value_counts() / data["completion"].value_counts()).between(0.19, 0.21).all()


def test_at_most_a_thousand_rows_are_held_out() -> None:
    assert len(split_rows(table(*((f"p{i}", f"c{i}") for i in range(9000))))[1]) == 1000


def test_too_few_rows_are_not_split(tmp_path: Path) -> None:
    path = lines(tmp_path / "two.jsonl", {"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"})
    with pytest.raises(PreparationError, match="too few to split"):
        quietly(path, split=True)


# --- the command line ---------------------------------------------------------------------------------------------------

def command(*arguments: object, answers: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "helpers.preparation", *map(str, arguments)], cwd=ROOT, input=answers,
                          capture_output=True, text=True, encoding="utf-8")


def test_the_command_writes_and_says_how_to_use_it(tmp_path: Path) -> None:
    done = command(DATA / "preparation" / "tickets.tsv", "--quiet", "--split", "--folder", tmp_path)
    assert done.returncode == 0 and 'stop=["\\n"]' in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tickets_prepared_train.jsonl", "tickets_prepared_valid.jsonl"]


def test_the_command_asks(tmp_path: Path) -> None:
    path = lines(tmp_path / "facts.jsonl", *FACTS.to_dict("records"))
    assert command(path, answers="n\nn\nn\nn\n").returncode == 0 and len(list(tmp_path.iterdir())) == 1
    unanswered = command(path)
    assert unanswered.returncode == 1 and "--quiet" in unanswered.stderr and len(list(tmp_path.iterdir())) == 1


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    done = command(tmp_path / "gone.csv")
    assert done.returncode == 1 and "no such file" in done.stderr and "Traceback" not in done.stderr
    assert command(tmp_path / "gone.csv", "--system", "x").returncode == 2


def test_the_command_writes_chats(tmp_path: Path) -> None:
    done = command(DATA / "preparation" / "products.xlsx", "--quiet", "--chat", "--system", "Be kind.", "--folder", tmp_path)
    rows = read_jsonl(tmp_path / "products_prepared.jsonl")
    assert done.returncode == 0 and all(row["messages"][0]["content"] == "Be kind." for row in rows)


class Interrupted(io.StringIO):
    """A user who presses Ctrl-C at the first question."""

    def readline(self, size: int = -1) -> str:
        raise KeyboardInterrupt


def test_the_command_tells_when_it_was_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", Interrupted())
    assert main([str(DATA / "preparation" / "codes.csv")]) == 130 and "nothing was written" in capsys.readouterr().err
