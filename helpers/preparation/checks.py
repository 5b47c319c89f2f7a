"""The checks, in their order. Each is a function of the current table: it finds nothing (None) or one thing, and changes
nothing. They follow the fifteen of OpenAI's removed tool; `Mistakes` says where they differ."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from helpers.preparation.findings import Finding, Mistakes, row_numbers
from helpers.preparation.marks import (
    CLASSIFICATION, CONDITIONAL, OPEN_ENDED, mark_of, occurs_inside, prefix_of, proposed_mark, shared_end, task_of, visible,
)

FIELDS = ["prompt", "completion"]
FEW_EXAMPLES, LONG_CHARACTERS, LONG_MARK, LONG_PROMPT_START, LONG_COMPLETION_START = 100, 10_000, 10, 12, 5
Check = Callable[[pd.DataFrame, Mistakes], "Finding | None"]


def number_of_examples(table: pd.DataFrame, mistakes: Mistakes) -> Finding:
    few = "; a few hundred are a good start, and each doubling helps about equally" if len(table) < FEW_EXAMPLES else ""
    return Finding("number_of_examples", f"{len(table)} pairs of prompt and completion{few}")


def _column(name: str) -> Check:
    def check(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
        if name in table.columns:
            return None
        alike = [column for column in table.columns if str(column).lower() == name]
        if not alike:
            cure = f"rename the column that holds it, or name it (--{name} NAME)"
            return Finding(f"{name}_column", f"there is no column {name!r} among {list(table.columns)}: {cure}", fatal=True)
        return Finding(f"{name}_column", f"the column {alike[0]!r} should be called {name!r}", f"rename it to {name!r}",
                       lambda t: t.rename(columns={alike[0]: name}), necessary=True)
    return check


def further_columns(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    further = [column for column in table.columns if column not in FIELDS]
    if not further:
        return None
    return Finding("further_columns", f"only prompt and completion are learnt from; there is more: {further}",
                   f"leave out {', '.join(map(repr, further))}", lambda t: t[FIELDS], necessary=True)


def empty_completions(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    texts = table["completion"]
    empty = (texts if mistakes.blank_completions else texts.str.strip()) == ""
    if not empty.any():
        return None
    if empty.all():
        return Finding("empty_completions", "every completion is empty: there is nothing to learn", fatal=True)
    return Finding("empty_completions", f"an empty completion teaches silence: {row_numbers(table, empty)}",
                   f"remove {empty.sum()} row(s) with an empty completion", lambda t: t[~empty], necessary=True)


def kind_of_task(table: pd.DataFrame, mistakes: Mistakes) -> Finding:
    task = task_of(table)
    advice = "; keep a part for validation, and start each class with a token of its own" if task == CLASSIFICATION else ""
    return Finding("kind_of_task", f"this looks like {task}{advice}")


def duplicates(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    again = table.duplicated(FIELDS)
    if not again.any():
        return None
    return Finding("duplicates", f"repeated examples count double: {row_numbers(table, again)}",
                   f"remove {again.sum()} duplicate(s), keeping the first of each",
                   lambda t: t.drop_duplicates(FIELDS))


def long_examples(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    def long(t: pd.DataFrame) -> pd.Series:
        return t["prompt"].str.len() + t["completion"].str.len() > LONG_CHARACTERS

    def without(t: pd.DataFrame) -> pd.DataFrame:
        return t.drop(t.reset_index().index[long(t)]) if mistakes.rows_by_label else t[~long(t)]

    if task_of(table) == OPEN_ENDED or not long(table).any():
        return None
    return Finding("long_examples",
                   f"over {LONG_CHARACTERS:,} characters, the end may be cut: {row_numbers(table, long(table))}",
                   f"remove {long(table).sum()} long example(s)", without)


def _upper_case(name: str) -> Check:
    def lowered(t: pd.DataFrame, mark: str) -> pd.DataFrame:
        return t.assign(**{name: t[name].str.removesuffix(mark).str.lower() + mark})

    def check(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
        mark = "" if mistakes.any_shared_letters else mark_of(table[name], mistakes)
        letters = table[name].str.removesuffix(mark).map(lambda text: "".join(filter(str.isalpha, text)))
        capitals, small = (sum(sum(map(test, text)) for text in letters) for test in (str.isupper, str.islower))
        if 2 * capitals <= small:
            return None
        return Finding(f"upper_case_{name}", f"more than a third of the letters of {name} are capitals, which models read "
                       "less well than ordinary text", f"write {name} in small letters", lambda t: lowered(t, mark))
    return check


def _mark(name: str, called: str, tasks: tuple[str, ...]) -> Check:
    def check(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
        if task_of(table) not in tasks:
            return None
        texts, new = table[name], proposed_mark(table[name])
        if (texts == shared_end(texts)).all():
            return Finding(called, f"all {name}s are identical ({visible(texts.iloc[0])}): the model could only "
                           f"repeat; give it different {name}s{_or_none(name)}", fatal=True)
        if mark := mark_of(texts, mistakes):
            return Finding(called, f"every {name} ends with {visible(mark)}{_doubts(texts, mark, new)}")
        return Finding(called, f"nothing marks the end of a {name}", f"add {visible(new)} to every {name}",
                       lambda t: t.assign(**{name: t[name] + new}))
    return check


def _or_none(name: str) -> str:
    return ", or leave all prompts empty for open-ended generation" if name == "prompt" else ""


def _doubts(texts: pd.Series, mark: str, new: str) -> str:
    long = f"; that is long, {visible(new)} would do" if len(mark) > LONG_MARK else ""
    return long + ("; it also occurs inside: choose one that does not" if occurs_inside(texts, mark) else "")


def prompt_start(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    start = prefix_of(table["prompt"], mistakes)
    if not start or (table["prompt"] == start).all():
        return None
    if len(start) <= LONG_PROMPT_START:
        return Finding("prompt_start", f"every prompt starts with {visible(start)}")
    return Finding("prompt_start", f"every prompt starts with {visible(start)}; a tuned model needs no instruction in the "
                   "prompt", f"remove {visible(start)} from every prompt",
                   lambda t: t.assign(prompt=t["prompt"].str[len(start):]))


def completion_start(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    start = prefix_of(table["completion"], mistakes)
    if len(start) < LONG_COMPLETION_START or (table["completion"] == start).all():
        return None
    space = " " * start.startswith(" ")
    return Finding("completion_start", f"every completion starts with {visible(start)}, which says nothing",
                   f"remove {visible(start)} from every completion",
                   lambda t: t.assign(completion=space + t["completion"].str[len(start):]))


def leading_space(table: pd.DataFrame, mistakes: Mistakes) -> Finding | None:
    if table["completion"].str.startswith(" ").all():
        return None

    def spaced(t: pd.DataFrame) -> pd.DataFrame:
        return t.assign(completion=t["completion"].where(t["completion"].str.startswith(" "), " " + t["completion"]))

    return Finding("leading_space", "completions should start with a space: words inside a text are tokens with a space",
                   "add a space before each completion that has none", spaced)


CHECKS: dict[str, Check] = {
    "number_of_examples": number_of_examples,
    "prompt_column": _column("prompt"),
    "completion_column": _column("completion"),
    "further_columns": further_columns,
    "empty_completions": empty_completions,
    "kind_of_task": kind_of_task,
    "duplicates": duplicates,
    "long_examples": long_examples,
    "upper_case_prompt": _upper_case("prompt"),
    "upper_case_completion": _upper_case("completion"),
    "separator": _mark("prompt", "separator", (CLASSIFICATION, CONDITIONAL)),
    "prompt_start": prompt_start,
    "completion_start": completion_start,
    "ending": _mark("completion", "ending", (CONDITIONAL,)),
    "leading_space": leading_space,
}
FOR_CHAT = tuple(name for name in CHECKS if name not in ("separator", "prompt_start", "ending", "leading_space"))
