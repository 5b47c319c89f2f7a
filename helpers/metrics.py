"""What a training job reports → data frames with one set of column names, and rates with honest intervals."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import openai
import pandas as pd

COLUMNS = [
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
]
# Result files name the same quantity differently: OpenAI's first, Azure's second.
RENAMED = {"train_accuracy": "train_mean_token_accuracy", "validation_mean_token_accuracy": "valid_mean_token_accuracy"}


def events_frame(events: Iterable[Any]) -> pd.DataFrame:
    """Metrics events of a job (any order, other kinds are skipped) → one row per step.

    Index `step` (1 … total); columns are `COLUMNS`, NaN where a step did not measure something. Loss is nats per
    token, accuracy the share of tokens guessed right.
    """
    rows = [dict(event.data) for event in events if event.type == "metrics" and event.data]
    return _tidy(pd.DataFrame(rows, columns=["step", *COLUMNS]))


def result_frame(content: bytes) -> pd.DataFrame:
    """A job's result file → the same frame as `events_frame`. OpenAI sends it in base64, others as plain CSV."""
    text = content if content.lstrip().startswith(b"step") else _from_base64(content)
    frame = pd.read_csv(io.BytesIO(text)).rename(columns=RENAMED)
    return _tidy(frame.reindex(columns=["step", *COLUMNS]))


def job_metrics(client: openai.OpenAI, job_id: str) -> pd.DataFrame:
    """Metrics per step of a job in any state: its events (they hold more than the result file)."""
    return events_frame(client.fine_tuning.jobs.list_events(job_id, limit=100))


def job_results(client: openai.OpenAI, job_id: str) -> pd.DataFrame:
    """Metrics per step from the result file of a finished job. Raises LookupError if the job has none."""
    files = client.fine_tuning.jobs.retrieve(job_id).result_files
    if not files:
        raise LookupError(f"{job_id} has no result file; only a job that succeeded writes one")
    return result_frame(client.files.content(files[0]).read())


def final_metrics(frame: pd.DataFrame) -> dict[str, float]:
    """The last measured value of every column that was measured at all, and the last step."""
    last = {name: float(frame[name].dropna().iloc[-1]) for name in frame if frame[name].notna().any()}
    return {"step": int(frame.index[-1]), **last} if len(frame) else {}


def _from_base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=False)
    except binascii.Error as error:
        raise ValueError(f"result file is neither CSV nor base64: {content[:40]!r}") from error


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = frame.apply(pd.to_numeric, errors="coerce").dropna(subset=["step"])
    numbers = numbers.astype({"step": int}).drop_duplicates("step", keep="last")
    return numbers.set_index("step").sort_index()


@dataclass(frozen=True)
class Rate:
    """`hits` of `scored`, out of `asked` questions, with a 95 % interval [`low`, `high`] for the true rate."""

    hits: int
    scored: int
    asked: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Share of the scored answers that count as hits; NaN if none was scored."""
        return self.hits / self.scored if self.scored else math.nan

    def __str__(self) -> str:
        share = f"{self.hits}/{self.scored} = {self.value:.2f} (95 %: {self.low:.2f}–{self.high:.2f})"
        return f"{share}, {self.scored} scored of {self.asked}"


def rate(judgements: Iterable[bool | None]) -> Rate:
    """Judgements (True, False, None = could not be scored) → a rate that does not hide what is missing."""
    values = list(judgements)
    scored = [bool(value) for value in values if value is not None]
    return Rate(sum(scored), len(scored), len(values), *wilson(sum(scored), len(scored)))


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for `k` hits in `n` trials (95 % by default); stays inside [0, 1] for small n too.

    No trials: (0, 1), nothing is known. Raises ValueError unless 0 ≤ k ≤ n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"need 0 <= k <= n, got k={k}, n={n}")
    if n == 0:
        return 0.0, 1.0
    share, width = k / n, z * z / n
    centre = (share + width / 2) / (1 + width)
    half = z * math.sqrt(share * (1 - share) / n + width / (4 * n)) / (1 + width)
    return max(0.0, centre - half), min(1.0, centre + half)
