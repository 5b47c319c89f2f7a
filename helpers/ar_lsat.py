"""AR-LSAT, the logic questions of a law-school test (Zhong et al. 2021, arXiv:2104.06598), and rows for training on them.

`load` takes the public files from a folder or downloads them; without either the course's own logic games, whose form is the
same, stand in. A table has one question per row: id, game, passage, question, options (list of texts), answer (letter).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pandas as pd
import platformdirs

from helpers.formatting import chat_row, completion_row, read_jsonl
from helpers.progress import Progress
from helpers.tables import DATA

FOLDER_SETTING = "AR_LSAT_DIR"
# One commit of the repository, so that the address always means the same bytes. Its licence is MIT.
ADDRESS = "https://raw.githubusercontent.com/zhongwanjun/AR-LSAT/0597abb6bd2b110a4b41dc98cf31998cc109ab04/data"
FILES = {"train": "AR_TrainingData.json", "validation": "AR_DevelopmentData.json", "test": "AR_TestData.json"}
SHA256 = {
    "AR_TrainingData.json": "6745d2e4c29012f4652433c5ceceb0af24ef248c382c39c215c76c43db654cad",
    "AR_DevelopmentData.json": "e7a7d17e8893398cedddcc81050cb0cf5f543e5302fef171ffef42e0114158e3",
    "AR_TestData.json": "6ff12b54b65a7d06102cf86170264ff6369742477694ca1b192d4feddc103bbe",
}
TIMEOUT = 20  # seconds without a byte
BLOCK = 64 * 1024
LETTERS = "ABCDE"
INSTRUCTION = (
    "Read the passage and the question. Exactly one of the lettered options is right. Answer with its letter and nothing else."
)


@dataclass(frozen=True)
class Questions:
    """The three splits, and in one word or two where they come from."""

    source: str
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame

    @property
    def splits(self) -> dict[str, pd.DataFrame]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def load(folder: str | Path | None = None, download: bool = False) -> Questions:
    """AR-LSAT from `folder` or `AR_LSAT_DIR`, else (`download=True`) from the internet or its cache, else our own games.

    Prints one line about what it is. Offline a download says so, and the games stand in. Raises FileNotFoundError when the
    folder lacks a file, ValueError for a file with other content than it should have; both name file and cure.
    """
    chosen = folder or os.environ.get(FOLDER_SETTING)
    if chosen:
        source, splits = "AR-LSAT, from a folder", _read(Path(chosen).expanduser())
    elif download and (cached := _downloaded()):
        source, splits = "AR-LSAT, downloaded", _read(cached)
    else:
        source, splits = "logic games", {split: _games(split) for split in FILES}
    sizes = ", ".join(f"{len(frame):,} {split}" for split, frame in splits.items())
    print(f"{source}: {sizes} questions")
    return Questions(source, **splits)


def question_text(row: Mapping[str, Any]) -> str:
    """What the user says: passage, question, one option per line with its letter, and where the answer goes."""
    options = [f"{letter}. {option}" for letter, option in zip(LETTERS, row["options"])]
    return "\n".join([f"Passage: {row['passage']}", f"Question: {row['question']}", *options, "Answer:"])


def chat_examples(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Chat examples: the instruction, the question, its letter."""
    rows = frame.to_dict("records")
    return [chat_row(INSTRUCTION, question_text(row), row["answer"]) for row in rows]


def completion_examples(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Prompt/completion examples; "Answer:" ends the prompt, so no separator is needed."""
    rows = frame.to_dict("records")
    return [completion_row(f"{INSTRUCTION}\n\n{question_text(row)}", row["answer"]) for row in rows]


def letter(answer: str | None) -> str | None:
    """The letter of an answer that is one letter and nothing else; None for every other answer."""
    text = (answer or "").strip()
    return text if len(text) == 1 and text in LETTERS else None


def same_text(text: str) -> str:
    """The text without what does not count when two passages are compared: capitals, and the kind of white space."""
    return " ".join(text.casefold().split())


def whole_games(frame: pd.DataFrame, questions: int, seed: int = 0) -> pd.DataFrame:
    """A subset of about `questions` rows (at least so many, if there are) that never takes a passage apart."""
    passages = frame["passage"].map(same_text)
    order = sorted(set(passages))
    random.Random(seed).shuffle(order)
    taken = passages.value_counts()[order].cumsum().shift(fill_value=0).lt(questions)
    return frame[passages.isin(taken.index[taken])].reset_index(drop=True)


def _games(split: str) -> pd.DataFrame:
    rows = read_jsonl(DATA / "logic_games" / f"{split}.jsonl")
    return pd.DataFrame({"game": row["id"], **row} for row in rows).drop(columns="type")


def _read(folder: Path) -> dict[str, pd.DataFrame]:
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {', '.join(missing)}: put the three files of zhongwanjun/AR-LSAT (its folder data) there"
        )
    return {split: _frame(folder / name) for split, name in FILES.items()}


def _frame(path: Path) -> pd.DataFrame:
    """One row per question. Raises ValueError that names the first question without options or answer."""
    try:
        games = json.loads(path.read_text(encoding="utf-8"))
        rows = [_row(game, asked) for game in games for asked in game["questions"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} is not a file of AR-LSAT ({type(error).__name__}: {error}): take it anew") from error
    return pd.DataFrame(rows)


def _row(game: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    options, answer = asked["options"], asked["answer"]
    if answer not in tuple(LETTERS[: len(options)]) or not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"question {asked['id']} has {len(options)} options and the answer {answer!r}")
    about = {"id": asked["id"], "game": game["id"], "passage": game["passage"], "question": asked["question"]}
    return {**about, "options": options, "answer": answer}


def _downloaded() -> Path | None:
    """The folder of the downloaded files, which are fetched if they are not there; None if nobody answers."""
    folder = Path(platformdirs.user_cache_dir("localtune")) / "ar-lsat"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES.values():
            if not (folder / name).is_file() or _sha256((folder / name).read_bytes()) != SHA256[name]:
                _fetch(name, folder)
    except (OSError, HTTPException) as error:
        print(f"AR-LSAT cannot be downloaded ({error}). Our own logic games stand in; or put the files into a folder "
              f"and set {FOLDER_SETTING}.")
        return None
    return folder


def _fetch(name: str, folder: Path) -> None:
    """Writes the file only once it is whole and right, so that an interrupted download leaves nothing behind."""
    content = _content(f"{ADDRESS}/{name}", name)
    if _sha256(content) != SHA256[name]:
        raise ValueError(f"{name}: the download is not the file it should be (SHA-256 differs) and was not kept; try again")
    part = folder / f"{name}.{os.getpid()}.part"
    part.write_bytes(content)
    os.replace(part, folder / name)


def _content(address: str, name: str) -> bytes:
    """The bytes at an address. Raises OSError or HTTPException if they do not come, or not all of them."""
    progress, content = Progress(f"{name}, KB"), b""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:
            size = int(reply.headers.get("Content-Length") or 0)
            while block := reply.read(BLOCK):
                content += block
                progress.update(len(content) // 1000, size // 1000 or None, f"{name}, KB")
    finally:
        progress.close(f"{name}: {len(content):,} bytes")
    if len(content) < size:
        raise OSError(f"{name} broke off after {len(content):,} of {size:,} bytes")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
