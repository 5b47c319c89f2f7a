"""From a file to training files: examine, ask, mend, examine again; then write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from helpers.preparation.checks import CHECKS, FOR_CHAT
from helpers.preparation.findings import MENDED, Finding, Mistakes, PreparationError
from helpers.preparation.legacy import read_as_before, write_as_before
from helpers.preparation.marks import CLASSIFICATION, mark_of, task_of, visible
from helpers.preparation.reading import read_table
from helpers.preparation.writing import chat_rows, jsonl_writer, pairs_of, split_rows, write_all

Ask = Callable[[str], str]


@dataclass
class Prepared:
    """What came out. `files` is empty if nothing was written; `steps` are (finding, applied?) in their order;
    `separator` and `stop` are to be used with the tuned model too ("" if there is none)."""

    table: pd.DataFrame
    files: list[Path] = field(default_factory=list)
    steps: list[tuple[Finding, bool]] = field(default_factory=list)
    separator: str = ""
    stop: str = ""


def examine(
    table: pd.DataFrame, mistakes: Mistakes = MENDED, names: Iterable[str] = tuple(CHECKS)
) -> tuple[list[Finding], pd.DataFrame]:
    """All findings of a table, and the table after its necessary remedies, without which later checks make no sense.

    Raises PreparationError at a finding that nothing can mend.
    """
    findings = []
    for name in names:
        if finding := CHECKS[name](table, mistakes):
            if finding.fatal:
                raise PreparationError(finding.message)
            findings.append(finding)
            if finding.necessary:
                table = finding.apply(table)
    return findings, table


def mend(
    table: pd.DataFrame, accept: Callable[[Finding], bool], mistakes: Mistakes = MENDED, names: Iterable[str] = tuple(CHECKS)
) -> tuple[pd.DataFrame, list[tuple[Finding, bool]]]:
    """Applies the necessary remedies and those others that `accept` wants: (table, steps). `accept` also hears of the
    necessary ones, whatever it answers.

    After each remedy the changed table is examined anew, because advice for the old one may be wrong for it: small
    letters make duplicates, a removed prefix empties completions. Only removals may come twice; they end by themselves.
    """
    names = tuple(names)
    findings, table = examine(table, mistakes, names)
    steps = _necessary(findings, accept)
    settled: set[str] = set()
    while open_ := [f for f in findings if f.apply and not f.necessary and f.check not in settled]:
        finding = open_[0]
        accepted = accept(finding)
        steps.append((finding, accepted))
        if not (accepted and finding.check in ("duplicates", "long_examples")) or mistakes.stale_advice:
            settled.add(finding.check)
        if accepted:
            table = finding.apply(table)
        if accepted and not mistakes.stale_advice:
            findings, table = examine(table, mistakes, names)
            steps += _necessary(findings, accept)
    return table, steps


def _necessary(findings: list[Finding], accept: Callable[[Finding], bool]) -> list[tuple[Finding, bool]]:
    necessary = [finding for finding in findings if finding.necessary]
    for finding in necessary:
        accept(finding)
    return [(finding, True) for finding in necessary]


def prepare(
    path: str | Path, *, quiet: bool = False, chat: bool = False, system: str | None = None, split: bool | None = None,
    folder: str | Path | None = None, columns: dict[str, str] | None = None, mistakes: Mistakes = MENDED,
    ask: Ask = input, say: Callable[[str], object] = print,
) -> Prepared:
    """Reads a file, proposes remedies, and writes `NAME_prepared.jsonl` (or `_train` and `_valid`) beside it.

    quiet: every proposal is accepted without asking (`ask` gets each question and returns the answer; n means no).
    chat: writes chat examples, with `system` as their first message. split: True or False decides what is otherwise
    asked for classification only. folder: where to write. columns: {"prompt": …, "completion": …} names in the file.
    Nothing is ever overwritten. Raises PreparationError if the data cannot be prepared.
    """
    path = Path(path)
    yes = partial(_yes, ask=(lambda question: say(question + "y") or "y") if quiet else ask)
    reading = read_as_before(path) if mistakes.careless_reading else read_table(path)
    for note in reading.notes:
        say(f"- {note}")
    names = FOR_CHAT if chat else tuple(CHECKS)
    try:
        table, steps = mend(_renamed(reading.table, columns or {}), partial(_accept, yes=yes, say=say), mistakes, names)
    except PreparationError as error:
        raise PreparationError(f"{path}: {error}") from error
    say("The result:")
    for finding in examine(table, mistakes, names)[0]:
        say(f"- {finding.message}{' (left as it is)' if finding.remedy else ''}")
    done = Prepared(table, [], steps, "" if chat else mark_of(table["prompt"], mistakes),
                    "" if chat else mark_of(table["completion"], mistakes))
    divided = yes("split into training and validation") if split is None and task_of(table) == CLASSIFICATION else bool(split)
    if not (chat or divided or reading.converted or any(applied for _, applied in steps)):
        say(f"Nothing to do: {path.name} can be used as it is.")
    elif yes("write the prepared data to a new file"):
        done.files = write_all(path, Path(folder or path.parent), _contents(table, divided, chat, system, mistakes))
        say(f"Wrote {' and '.join(file.name for file in done.files)}.{_reminder(done)}")
    else:
        say("Nothing was written.")
    return done


def _yes(question: str, ask: Ask) -> bool:
    return (ask(f"{question} [Y/n]: ") or "y").strip().lower() not in ("n", "no")


def _accept(finding: Finding, yes: Callable[[str], bool], say: Callable[[str], object]) -> bool:
    say(f"- {finding.message}")
    if finding.necessary:
        say(f"  done: {finding.remedy}")
    return finding.necessary or yes(f"  {finding.remedy}")


def _renamed(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    for name in columns.values():
        if name not in table.columns:
            raise PreparationError(f"there is no column {name!r}; there are {list(table.columns)}")
    kept = table.drop(columns=[field for field, name in columns.items() if field in table.columns and field != name])
    return kept.rename(columns={name: field for field, name in columns.items()})


def _contents(table: pd.DataFrame, divided: bool, chat: bool, system: str | None,
              mistakes: Mistakes) -> dict[str, Callable[[Path], object]]:
    parts = dict(zip(("_train", "_valid"), split_rows(table, mistakes=mistakes))) if divided else {"": table}
    if any(part.empty for part in parts.values()):
        raise PreparationError(f"{len(table)} row(s) are too few to split; add examples, or do not split (--no-split)")
    if chat:
        rows = pd.Series(chat_rows(table, system), table.index, dtype=object)
        return {name: jsonl_writer(list(rows[part.index])) for name, part in parts.items()}
    if mistakes.careless_reading:
        return {name: partial(write_as_before, table=part[["prompt", "completion"]]) for name, part in parts.items()}
    return {name: jsonl_writer(pairs_of(part)) for name, part in parts.items()}


def _reminder(done: Prepared) -> str:
    use = f" In use, end each prompt with {visible(done.separator)}" if done.separator else ""
    stop = f"{',' if use else ' In use,'} pass stop=[{json.dumps(done.stop, ensure_ascii=False)}]" if done.stop else ""
    return f"{use}{stop}." if use or stop else ""
