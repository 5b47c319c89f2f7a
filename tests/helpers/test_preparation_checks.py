"""Preparation: every check and remedy on small tables, and the old tool's mistakes with their mending."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.preparation import CHECKS, LEGACY, MENDED, Finding, Mistakes, PreparationError, examine, mark_of, mend
from tests.helpers.prepared import FACTS, LABELS, everything, quietly, table


def found(check: str, data: pd.DataFrame, mistakes: Mistakes = MENDED) -> Finding | None:
    return CHECKS[check](data, mistakes)


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


# --- the mended mistakes -------------------------------------------------------------------------------------------------

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
