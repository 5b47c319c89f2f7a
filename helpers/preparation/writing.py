"""Prepared rows → files: train/validation split, chat form, names that are free, whole files or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.formatting import chat_row, write_jsonl
from helpers.preparation.findings import MENDED, Mistakes
from helpers.preparation.marks import CLASSIFICATION, mark_of, task_of

MOST_VALIDATION, TRAIN_SHARE = 1000, 0.8


def split_rows(table: pd.DataFrame, seed: int = 42, mistakes: Mistakes = MENDED) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training, validation): about 80 % and 20 % of the rows, at most 1,000 for validation.

    Equal prompts stay on one side, else validation would contain what was trained on; for classification every class
    is divided alike. The same seed gives the same split.
    """
    if mistakes.careless_split:
        train = table.sample(n=max(len(table) - MOST_VALIDATION, int(len(table) * TRAIN_SHARE)), random_state=seed)
        return train, table.drop(train.index)
    held_out = _held_out(table, seed)
    return table[~held_out], table[held_out]


def _held_out(table: pd.DataFrame, seed: int) -> pd.Series:
    """Which rows are for validation."""
    group = table["prompt"] if table["prompt"].any() else table["completion"]
    label = table["completion"] if task_of(table) == CLASSIFICATION else pd.Series("", table.index)
    groups = pd.DataFrame({"group": group, "label": label}).drop_duplicates("group")
    share = min(1 - TRAIN_SHARE, MOST_VALIDATION / len(table))
    random, chosen = np.random.default_rng(seed), []
    for _, one_class in groups.groupby("label", sort=True):
        chosen += list(random.permutation(one_class["group"].to_numpy())[: round(share * len(one_class))])
    return group.isin(chosen)


def chat_rows(table: pd.DataFrame, system: str | None = None) -> list[dict[str, Any]]:
    """Chat examples: prompt → user, completion → assistant, without separator, ending and outer spaces.

    In a chat the roles mark where a message ends, so the marks of the older form would only be learnt as noise. A full
    stop that all texts end with stays: it is language.
    """
    def bare(column: str) -> pd.Series:
        mark = mark_of(table[column], MENDED)
        return table[column].str.removesuffix(mark if mark != "." else "").str.strip()

    pairs = zip(bare("prompt"), bare("completion"))
    return [chat_row(system, prompt or None, completion) for prompt, completion in pairs]


def free_names(source: Path, folder: Path, parts: Iterable[str]) -> list[Path]:
    """`source_prepared[part].jsonl` in `folder`; with ` (1)`, ` (2)` … if one of them is taken."""
    number = 0
    while True:
        names = [folder / f"{source.stem}_prepared{part}{f' ({number})' if number else ''}.jsonl" for part in parts]
        if not any(name.exists() for name in names):
            return names
        number += 1


def write_all(source: Path, folder: Path, contents: dict[str, Callable[[Path], object]]) -> list[Path]:
    """Writes one file per part (`{"_train": writer, …}`) under free names: all of them, or none.

    Each is written under another name first, so that whatever interrupts the run leaves no half file under a good one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drafts = [folder / f".{source.stem}{part}.{os.getpid()}.part" for part in contents]
    try:
        for draft, write in zip(drafts, contents.values()):
            write(draft)
        return _publish(drafts, lambda: free_names(source, folder, contents))
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _publish(drafts: list[Path], names: Callable[[], list[Path]]) -> list[Path]:
    done: list[Path] = []
    try:
        targets = names()
        for draft, target in zip(drafts, targets):
            _link(draft, target)
            done.append(target)
        return targets
    except FileExistsError:  # somebody took a name meanwhile: the next number
        _remove(done)
        return _publish(drafts, names)
    except BaseException:
        _remove(done)
        raise


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink()


def _link(draft: Path, target: Path) -> None:
    """Gives the draft its name; a link, unlike a rename, never replaces a file."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(target) from None
        draft.rename(target)


def pairs_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as prompt/completion examples."""
    return table[["prompt", "completion"]].to_dict("records")


def jsonl_writer(rows: list[dict[str, Any]]) -> Callable[[Path], object]:
    """A writer of these rows for `write_all`."""
    return lambda path: write_jsonl(path, rows)
