"""One request while it is being answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from localtune.infer.request import EngineError, Finish, GenerateRequest, Token
from localtune.infer.text import TextStream

Item = Token | Finish | EngineError


class Sequence:
    """State of one text: its place in the cache, its random numbers, what is held back.

    `send` gets the items of every step. `cancelled` may be set by any thread.
    """

    def __init__(self, request: GenerateRequest, send: Callable[[list[Item]], None]) -> None:
        self.request = request
        self.send = send
        self.cancelled = False
        self.finished = False
        self.text = TextStream(request.stop, request.lead)
        self.random = random.Random(request.seed)
        self.bias: Tensor | None = None
        self.seen: set[int] = set()
        self.limit = request.max_tokens
        self.position = 0  # positions in the cache
        self.last_id = request.prompt_ids[-1]
        self.count = 0

    def admit(self, vocabulary: int, context: int) -> None:
        """Fit the request to the model that answers it; raises EngineError when the prompt leaves no room."""
        prompt = len(self.request.prompt_ids)
        if prompt >= context:
            raise EngineError(f"the prompt has {prompt} tokens, the model reads at most {context}")
        self.limit = min(self.request.max_tokens, context - prompt)
        self.position = prompt
        if self.request.logit_bias or self.request.frequency_penalty or self.request.presence_penalty:
            self.bias = torch.zeros(vocabulary)
            for token, value in self.request.logit_bias.items():
                self.bias[token] = value

    def accept(self, token: Token) -> None:
        """Take the next token and send on what may be shown."""
        if token.id in self.request.stop_ids:
            return self._finish("stop", self.text.flush())
        self.count += 1
        self.last_id = token.id
        self._penalise(token.id)
        shown, stopped = self.text.push(token)
        if stopped:
            self._finish("stop", shown)
        elif self.count == self.limit:
            self._finish("length", shown + self.text.flush())
        elif shown:
            self.send(shown)

    def fail(self, error: EngineError) -> None:
        """End with an error."""
        self.finished = True
        self.send([error])

    def _penalise(self, token: int) -> None:
        request = self.request
        if self.bias is not None:
            self.bias[token] -= request.frequency_penalty + request.presence_penalty * (token not in self.seen)
            self.seen.add(token)

    def _finish(self, reason: Literal["stop", "length"], shown: list[Token]) -> None:
        self.finished = True
        self.send([*shown, Finish(reason, self.count)])
