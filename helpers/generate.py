"""Let a model write a table: many requests at once, every answer on disk at once, a stopped run goes on where it was."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import pandas as pd

from helpers.evaluate import complete_one
from helpers.progress import Progress

RESULTS = ("response", "finish_reason", "prompt_tokens", "completion_tokens")
Result = dict[str, Any]  # one value for each of RESULTS


def generate(
    client: openai.OpenAI,
    model: str,
    plan: Iterable[Mapping[str, Any]],
    folder: str | Path,
    name: str = "rows",
    *,
    concurrency: int = 16,
    limit: int | None = None,
    seed: int | None = None,
    **params: Any,
) -> pd.DataFrame:
    """One completion for each row of `plan` (dictionaries with a `prompt`): the rows answered so far, in plan order.

    Answers are kept in `folder/NAME.xxxxxxxx.csv` as they come, so nothing is asked twice: call it again after a stop, a
    crash or an error and only the missing rows are asked. The eight digits stand for everything that was asked for (model,
    plan, seed, settings), so answers to different questions never mix.

    At most `concurrency` requests are open at once, and at most `limit` are made by this call. Row n is asked with
    `seed` + n: with one seed for all, equal prompts would get equal answers. `params` go to `completions.create`. A request
    that fails even after the SDK's repeats costs its own row only, until the next call.
    """
    rows = [dict(row) for row in plan]
    journal = Journal(Path(folder) / f"{name}.{_signature(client, model, rows, seed, params)}.csv", rows)
    todo = [number for number in range(len(rows)) if number not in journal.done][:limit]
    requests = {number: _request(model, rows[number]["prompt"], params, seed, number) for number in todo}
    found, errors, progress = len(journal.done), [], Progress("Asking", len(todo))
    try:
        with closing(_ask_all(client, requests, journal, concurrency)) as outcomes:
            for done, (number, failure) in enumerate(outcomes, start=1):
                errors += [f"row {number}: {failure}"] if failure else []
                progress.update(done, len(todo), "Asking")
    finally:
        progress.close(_summary(journal, found, errors))
    return journal.table()


class Journal:
    """A CSV file of answered rows that only grows; a line half written by a killed run is cut off.

    Raises ValueError for a file that somebody else has changed.
    """

    def __init__(self, path: Path, plan: list[dict[str, Any]]) -> None:
        self.path, self.plan = path, plan
        self.columns = ["row", *dict.fromkeys(column for row in plan for column in row), *RESULTS]
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        whole = whole_records(content)
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        self.done: dict[int, Result] = self._read(whole.decode("utf-8")) if whole else {}
        if not whole:
            self._write(self.columns)

    def add(self, number: int, result: Result) -> None:
        """Keeps one answer: when this returns it is on the disk."""
        self._write([{"row": number, **self.plan[number], **result}.get(column, "") for column in self.columns])
        self.done[number] = result

    def table(self) -> pd.DataFrame:
        """The answered rows in the order of the plan, with the plan's own values and types; `attrs["path"]` is the file."""
        lines = [{**self.plan[number], **self.done[number]} for number in sorted(self.done)]
        table = pd.DataFrame(lines, index=pd.Index(sorted(self.done), name="row"), columns=self.columns[1:])
        table.attrs["path"] = str(self.path)
        return table

    def _read(self, text: str) -> dict[int, Result]:
        found: dict[int, Result] = {}
        for line in csv.DictReader(io.StringIO(text, newline="")):
            try:
                tokens = {key: int(line[key]) for key in RESULTS[2:]}
                found.setdefault(int(line["row"]), {key: line[key] for key in RESULTS[:2]} | tokens)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{self.path}, answer {len(found) + 1}: not as it was written; move the file away, or undo "
                                 f"the change") from error
        return found

    def _write(self, values: list[Any]) -> None:
        record = io.StringIO(newline="")
        csv.writer(record, lineterminator="\n").writerow(values)
        with self.path.open("ab") as file:
            file.write(record.getvalue().encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())


def whole_records(content: bytes) -> bytes:
    """The part of a CSV file up to its last complete record: a line feed ends one where all quotation marks are closed."""
    end, inside = 0, False
    for position, byte in enumerate(content):
        if byte == ord('"'):
            inside = not inside
        elif byte == ord("\n") and not inside:
            end = position + 1
    return content[:end]


def _request(model: str, prompt: str, params: Mapping[str, Any], seed: int | None, number: int) -> dict[str, Any]:
    seeded = {} if seed is None else {"seed": seed + number}
    return {**params, **seeded, "model": model, "prompt": prompt}


def _ask_all(
    client: openai.OpenAI, requests: Mapping[int, dict[str, Any]], journal: Journal, concurrency: int
) -> Iterator[tuple[int, str]]:
    """Asks on a few threads, keeps each answer in the journal, and yields (row, "" or why it failed) as they come."""
    pool = ThreadPoolExecutor(max_workers=max(1, concurrency))
    waiting = {pool.submit(_completion, client, request): number for number, request in requests.items()}
    try:
        for future in as_completed(list(waiting)):
            number = waiting.pop(future)
            yield number, _keep(journal, number, future)
    finally:  # after an interrupt as well: what is under way has been paid for, so it is waited for and kept
        pool.shutdown(wait=True, cancel_futures=True)
        for future, number in waiting.items():
            if not future.cancelled():
                _keep(journal, number, future)


def _completion(client: openai.OpenAI, request: dict[str, Any]) -> Result:
    answer = complete_one(client, **request)
    return dict(zip(RESULTS, (answer.text, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens)))


def _keep(journal: Journal, number: int, future: Future[Result]) -> str:
    """Puts an answer into the journal; the reason where there is none."""
    try:
        journal.add(number, future.result())
    except openai.OpenAIError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _signature(client: openai.OpenAI, model: str, *asked: Any) -> str:
    """Eight digits for a model and what it is asked. `created` tells two models of one name apart."""
    try:
        created = client.models.retrieve(model).created
    except openai.APIStatusError:  # not every provider lists the models it answers with
        created = None
    return hashlib.sha256(json.dumps([model, created, *asked], sort_keys=True, default=str).encode()).hexdigest()[:8]


def _summary(journal: Journal, found: int, errors: list[str]) -> str:
    new, missing = len(journal.done) - found, len(journal.plan) - len(journal.done)
    line = f"{journal.path.name}: {found} rows were there, {new} new, {missing} missing"
    return line + (f"; {len(errors)} failed, the first: {errors[0]}" if errors else "")
