"""What goes into the engine and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class GenerateRequest:
    """One text to generate.

    `top_logprobs` None: no log-probabilities; 0 to 20: that many alternatives beside the chosen token.
    `temperature` 0 is greedy. `stop_ids` end the text and are not part of it. With a `seed` the text is
    reproducible, whatever else the engine is doing (up to float32 rounding). Owners take turns. `lead`: what the first
    token may begin with that is no part of the text.
    """

    folder: Path
    prompt_ids: list[int]
    max_tokens: int
    stop_ids: frozenset[int]
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    owner: str = ""
    lead: str = ""


@dataclass(frozen=True)
class Token:
    """One generated token.

    `text` is what may be shown now: complete characters only, never a part of a stop sequence. `logprob` and `top`
    (id, log-probability; best first) are of the model's own distribution: temperature 1, no penalties, no bias.
    """

    id: int
    text: str
    bytes: bytes
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Finish:
    """End of a text. `completion_tokens` counts what was generated, without the token that ended it."""

    reason: Literal["stop", "length"]
    completion_tokens: int


Scored = tuple[float | None, tuple[tuple[int, float], ...]]  # log-probability of one token, best alternatives


class EngineError(Exception):
    """The engine could not answer; the message is fit for the caller.

    `status` and `code` are what HTTP makes of it; `retry`: asking again later may help.
    """

    def __init__(self, message: str, status: int = 500, code: str | None = None, retry: bool = False) -> None:
        super().__init__(message)
        self.status, self.code, self.retry = status, code, retry
