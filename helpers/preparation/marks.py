"""Marks: the fixed text that closes every prompt (separator) or every completion (ending), and the kind of task."""

from __future__ import annotations

import os
import re

import pandas as pd

from helpers.preparation.findings import Mistakes

# Candidates in the order in which they are proposed; the last one is taken if the texts contain all others.
SEPARATORS = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n")
ENDINGS = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%", " [END]")
CANDIDATES = {"prompt": SEPARATORS, "completion": ENDINGS}
# Put there on purpose: a line break, a symbol that ends no sentence, or a word in capitals.
DELIBERATE = re.compile(r"\n|[^\w\s.,;!?'\"()…。！？”’»]|\b[A-Z]{2,}\b")
OPEN_ENDED, CLASSIFICATION, CONDITIONAL = "open-ended generation", "classification", "conditional generation"


def task_of(table: pd.DataFrame) -> str:
    """Open-ended generation if all prompts are empty, classification if a completion occurs more than three times on
    average, conditional generation else."""
    if not table["prompt"].str.len().sum():
        return OPEN_ENDED
    return CLASSIFICATION if table["completion"].nunique() < len(table) / 3 else CONDITIONAL


def shared_start(texts: pd.Series) -> str:
    """The longest text that all texts start with."""
    return os.path.commonprefix(texts.tolist())


def prefix_of(texts: pd.Series, mistakes: Mistakes) -> str:
    """What all texts start with, up to a word's boundary: `Say: who` and `Say: where` share `Say: `, not `Say: wh`."""
    start = shared_start(texts)
    return start if mistakes.any_shared_letters else re.sub(r"\w+$", "", start)


def shared_end(texts: pd.Series) -> str:
    """The longest text that all texts end with."""
    return os.path.commonprefix([text[::-1] for text in texts])[::-1]


def mark_of(texts: pd.Series, mistakes: Mistakes) -> str:
    """The separator (of a column `prompt`) or ending (of `completion`) that all texts have, or "".

    A shared ending is a mark if it is one of the usual candidates, or if it starts at a word's boundary and looks
    deliberate; in both cases only if it occurs nowhere else: " positive" and " negative" share `tive` by chance. A
    single text shares nothing.
    """
    shared = shared_end(texts)
    if mistakes.any_shared_letters:
        return shared
    if texts.nunique() < 2:
        return ""
    usual = sorted((c for c in CANDIDATES[texts.name] if shared.endswith(c)), key=len, reverse=True)
    boundary = re.search(r"[\W_]", shared)
    own = shared[boundary.start():] if boundary else ""
    looks = own.lower() if texts.str.isupper().all() else own  # where everything is capitals, capitals say nothing
    marks = [*usual, own] if DELIBERATE.search(looks) else usual
    return next((mark for mark in marks if not occurs_inside(texts, mark)), "")


def occurs_inside(texts: pd.Series, mark: str) -> bool:
    """True if some text contains the mark before its end."""
    return texts.str[: -len(mark)].str.contains(mark, regex=False).any()


def proposed_mark(texts: pd.Series) -> str:
    """The first candidate that no text contains; an arrow only where every prompt is a single line."""
    candidates = CANDIDATES[texts.name]
    if candidates is SEPARATORS and texts.str.contains("\n", regex=False).any():
        candidates = SEPARATORS[1:]
    return next((c for c in candidates[:-1] if not texts.str.contains(c, regex=False).any()), candidates[-1])


def visible(text: str) -> str:
    """The text with its line breaks written as \\n, between backticks."""
    return "`" + text.replace("\n", "\\n") + "`"
