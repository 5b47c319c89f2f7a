"""Preparation of training data: every check and remedy, reading and its errors, the loop, and what is written."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from helpers.formatting import read_jsonl
from helpers.preparation import (
    CHECKS, LEGACY, MENDED, Finding, Mistakes, Prepared, PreparationError, chat_rows, examine, mark_of, mend, prepare,
    read_table, split_rows, task_of, writing,
)
from helpers.tables import DATA, ROOT
from helpers.validation import is_accepted, validate

SAMPLES = sorted((DATA / "preparation").iterdir())


def table(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["prompt", "completion"], dtype=object)


def found(check: str, data: pd.DataFrame, mistakes: Mistakes = MENDED) -> Finding | None:
    return CHECKS[check](data, mistakes)


def everything(finding: Finding) -> bool:
    return True


def quietly(path: Path, **settings: object) -> Prepared:
    return prepare(path, quiet=True, say=lambda line: None, **settings)


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


FACTS = table(*((f"word {i} of the list", f"thing number {i} is here {i}") for i in range(6)))
LABELS = table(*((f"text {i}.", ["positive", "negative"][i % 2]) for i in range(20)))


# --- the checks ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("check, before, after", [
    ("prompt_column", pd.DataFrame({"PROMPT": ["a"], "completion": ["b"]}), table(("a", "b"))),
    ("completion_column", pd.DataFrame({"prompt": ["a"], "Completion": ["b"]}), table(("a", "b"))),
    ("further_columns", table(("a", "b")).assign(id="1"), table(("a", "b"))),
    ("empty_completions", table(("a", "b"), ("c", ""), ("d", "  ")), table(("a", "b"))),
    ("duplicates", table(("a", "b"), ("a", "c"), ("a", "b")), table(("a", "b"), ("a", "c"))),
    ("long_examples", table(("a", "b"), ("a", "c" * 10_000)), table(("a", "b"))),
    ("upper_case_prompt", table(("WHO is IT", "b")), table(("who is it", "b"))),
    ("upper_case_completion", table(("a", "YES END"), ("b", "NO END")), table(("a", "yes END"), ("b", "no END"))),
    ("separator", table(("a", "x"), ("b", "y")), table(("a ->", "x"), ("b ->", "y"))),
    ("separator", table(("a\nb", "x"), ("c", "y")), table(("a\nb\n\n###\n\n", "x"), ("c\n\n###\n\n", "y"))),
    ("prompt_start", table(("Tell me what: a", "x"), ("Tell me what: b", "y")), table(("a", "x"), ("b", "y"))),
    ("prompt_start", table(("Say briefly: who", "x"), ("Say briefly: where", "y")), table(("who", "x"), ("where", "y"))),
    ("upper_case_prompt", table(("WHO IS IT", "x"), ("WHERE IS IT", "y")), table(("who is it", "x"), ("where is it", "y"))),
    ("completion_start", table(("a", " Answer: x"), ("b", " Answer: y")), table(("a", " x"), ("b", " y"))),
    ("ending", table(("a", "x"), ("b", "y")), table(("a", "x\n"), ("b", "y\n"))),
    ("ending", table(("a", "x\ny."), ("b", "y")), table(("a", "x\ny. END"), ("b", "y END"))),
    ("leading_space", table(("a", " x"), ("b", "y")), table(("a", " x"), ("b", " y"))),
])
def test_a_check_mends_what_it_finds_and_is_content_afterwards(check: str, before: pd.DataFrame, after: pd.DataFrame) -> None:
    finding = found(check, before)
    assert finding and finding.remedy
    copy = before.copy()
    mended = finding.apply(before)
    assert mended.to_dict("records") == after.to_dict("records")
    assert before.equals(copy), "a remedy changes the table that it was given"
    again = found(check, mended)
    assert again is None or not again.remedy


@pytest.mark.parametrize("check, data, words", [
    ("number_of_examples", FACTS, "6 pairs"),
    ("kind_of_task", LABELS, "classification"),
    ("kind_of_task", FACTS, "conditional"),
    ("kind_of_task", table(("", "a"), ("", "b")), "open-ended"),
    ("prompt_start", table(("Q: a", "x"), ("Q: b", "y")), "`Q: `"),
    ("separator", table(("a\n\nin short, please:\n", "x"), ("b\n\nin short, please:\n", "y")), "long"),
    ("ending", table(("a", "x END"), ("b", "y END")), "` END`"),
])
def test_some_findings_only_inform(check: str, data: pd.DataFrame, words: str) -> None:
    finding = found(check, data)
    assert words in finding.message and not finding.remedy and not finding.fatal


@pytest.mark.parametrize("check, data, words", [
    ("prompt_column", pd.DataFrame({"question": ["a"], "completion": ["b"]}), "question"),
    ("separator", table(("a", "x"), ("a", "y")), "identical"),
    ("ending", table(("a", "x"), ("b", "x")), "identical"),
    ("empty_completions", table(("a", ""), ("b", " ")), "nothing to learn"),
])
def test_what_nobody_can_mend_ends_the_examination(check: str, data: pd.DataFrame, words: str) -> None:
    assert found(check, data).fatal
    with pytest.raises(PreparationError, match=words):
        examine(data)


@pytest.mark.parametrize("check", CHECKS)
def test_good_data_need_nothing(check: str) -> None:
    good = table(*((f"{word} it is\n\n###\n\n", f" {word} that END") for word in ("so", "and", "this", "or")))
    finding = found(check, good)
    assert finding is None or not (finding.remedy or finding.fatal)


def test_rows_are_named_by_their_number_in_the_file() -> None:
    data = table(("a", ""), ("b", "x"), ("c", "y"), ("b", "x"))
    findings, _ = examine(data)
    assert "row 1" in next(f.message for f in findings if f.check == "empty_completions")
    assert "row 4" in next(f.message for f in findings if f.check == "duplicates")


# --- the mended mistakes ---------------------------------------------------------------------------------------------

def test_advice_is_renewed_after_each_fix() -> None:
    data = table(*FACTS.itertuples(index=False, name=None), ("WHICH TREE IS THE OLDEST HERE", "MY OLD OAK"),
                 ("which tree is the oldest here", "my old oak"))
    capitals = pd.concat([data.iloc[6:7]] * 20, ignore_index=True).assign(prompt=lambda t: t["prompt"] + t.index.astype(str))
    data = pd.concat([data, capitals], ignore_index=True)
    data.loc[len(data)] = [data.loc[8, "prompt"].lower(), data.loc[8, "completion"].lower()]
    stale, _ = mend(data, everything, Mistakes(stale_advice=True))
    mended, _ = mend(data, everything)
    assert stale.duplicated().sum() == 2 and not mended.duplicated().any()


def test_a_completion_emptied_by_a_fix_is_removed() -> None:
    data = table(("a", "Answer: "), ("b", "Answer: yes"), ("c", "Answer: no, not now"))
    mended, steps = mend(data, everything)
    assert len(mended) == 2 and [finding.check for finding, _ in steps].count("empty_completions") == 1
    stale, _ = mend(data, everything, Mistakes(stale_advice=True))
    assert len(stale) == 3


def test_rows_are_dropped_by_position() -> None:
    data = table(("a", "x 1"), ("a", "x 1"), ("b", "z 3"), ("c", "y " * 6000 + "2"), ("d", "last 4"))
    mended, _ = mend(data, everything)
    wrong, _ = mend(data, everything, Mistakes(rows_by_label=True, stale_advice=True))
    assert mended["completion"].str.len().max() < 100 and len(mended) == 3
    assert wrong["completion"].str.len().max() > 10_000


@pytest.mark.parametrize("texts, mark", [
    ([" positive", " negative"], ""), (["one dog", "two dog"], ""), (["is it?", "why?"], ""), (["a END", "b END"], " END"),
    (["one END", "none END"], " END"), (["One.", "Two."], "."), (["One. Two.", "Two."], ""), (["a\n", "b\n"], "\n"),
    (["a ~~", "b ~~"], " ~~"),
])
def test_only_a_deliberate_ending_is_a_stop_sequence(texts: list[str], mark: str) -> None:
    assert mark_of(pd.Series(texts, name="completion"), MENDED) == mark


@pytest.mark.parametrize("prompts, mark", [
    (["who?\n\n###\n\n", "why?\n\n###\n\n"], "\n\n###\n\n"), (["who?", "why?"], ""), (["a ->", "b ->"], " ->"),
    (["Ad: x\nSupported:", "Ad: y\nSupported:"], "\nSupported:"), (["is a man", "was a man"], ""),
])
def test_only_a_deliberate_ending_is_a_separator(prompts: list[str], mark: str) -> None:
    assert mark_of(pd.Series(prompts, name="prompt"), MENDED) == mark


def test_the_shared_letters_of_labels_were_a_stop_sequence() -> None:
    assert mark_of(LABELS["completion"], LEGACY) == "tive"


def test_words_that_look_like_nothing_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("prompt,completion\nNamibia,NA\nnothing,None\nKenya,KE\nPeru,PE\n", encoding="utf-8")
    assert len(quietly(path).table) == 4
    assert len(quietly(path, mistakes=Mistakes(careless_reading=True)).table) == 2


def test_every_loop_ends() -> None:
    """Texts on which one fix invites another: a capital ending, a prefix, labels that become equal."""
    for data in (table(("A", "B"), ("C", "D")), table(("LOOK: THIS 1", "LOOK: A."), ("LOOK: THIS 2", "LOOK: a. B"), ("x", "y")),
                 table(("a.\n", "X END"), ("b ->", "Y END\n"))):
        mended, steps = mend(data, everything)
        assert len(mended) and not [f for f in examine(mended)[0] if f.necessary] and len(steps) < 20


# --- answers ---------------------------------------------------------------------------------------------------------

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


# --- reading ---------------------------------------------------------------------------------------------------------

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
    for row in (["prompt", "completion", None], ["a", 1, None], [None, None, None], ["b", 2.5, None], ["NA", True, None]):
        book.active.append(row)
    book.create_sheet("more")
    book.save(tmp_path / "a.xlsx")
    reading = read_table(tmp_path / "a.xlsx")
    assert reading.table.values.tolist() == [["a", "1"], ["b", "2.5"], ["NA", "True"]] and "2 sheets" in reading.notes[0]


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


# --- writing ---------------------------------------------------------------------------------------------------------

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


# --- the split -------------------------------------------------------------------------------------------------------

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


# --- the command line ------------------------------------------------------------------------------------------------

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
