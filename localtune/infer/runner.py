"""One loaded model and the texts it is generating, all in one batch."""

from __future__ import annotations

from os.path import commonprefix
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from localtune.infer import sampling
from localtune.infer.batching import advance, next_group, scored
from localtune.infer.cache import SlotCache
from localtune.infer.decoder import Decoder
from localtune.infer.request import EngineError, Scored
from localtune.infer.sequence import Sequence
from localtune.infer.waiting import FairQueue
from localtune.model.llama import load_llama
from localtune.model.tokenizer import Tokenizer


WORTH_SHARING = 256  # tokens saved; a pass of its own costs as much as some dozens


class Runner:
    """Continuous batching: sequence n of `active` has row n of the cache; new ones join between steps."""

    def __init__(self, folder: Path, max_slots: int) -> None:
        model = load_llama(folder)
        if not all(bool(parameter.isfinite().all()) for parameter in model.parameters()):
            raise EngineError("the model's weights are not finite numbers; its training diverged")
        self.tokenizer = Tokenizer.from_folder(folder)
        self.model = Decoder(model, len(self.tokenizer))
        self.cache = SlotCache(self.model.config)
        self.active: list[Sequence] = []
        self.waiting = FairQueue(max_slots)

    @property
    def busy(self) -> bool:
        return bool(self.active or self.waiting)

    def submit(self, sequence: Sequence) -> None:
        """Queue a sequence; raises EngineError when it does not fit the model."""
        sequence.admit(len(self.tokenizer), self.model.config.max_position_embeddings)
        self.waiting.join(sequence)

    def step(self) -> None:
        """Let waiting sequences in, then give every active one its next token."""
        self._drop_cancelled()
        if group := self._next_group():
            self._prefill(group)
        elif self.active:
            self._decode()
        if not self.busy:
            self.cache.clear()

    def fail(self, error: EngineError, waiting: bool = False) -> None:
        """End the active sequences with an error, on request the waiting ones too."""
        failed = self.active + (list(self.waiting) if waiting else [])
        self.active = []
        if waiting:
            self.waiting.clear()
        self.cache.clear()
        for sequence in failed:
            sequence.fail(error)

    def score(self, folder: Path, ids: list[int], top_logprobs: int) -> list[Scored]:
        """Log-probability of every token of `ids` after those before it, and the best alternatives there.

        The first token has neither: nothing stands before it.
        """
        if len(ids) == 1:
            return [(None, ())]
        cache = SlotCache(self.model.config)
        cache.reserve(1, len(ids))
        hidden = self._read([ids[:-1]], cache)
        values = sampling.logprobs(self.model.logits(hidden[0]))
        return [(None, ()), *scored(values, ids[1:], [top_logprobs] * (len(ids) - 1))]

    def _drop_cancelled(self) -> None:
        self.waiting.drop_cancelled()
        for row in reversed(range(len(self.active))):
            if self.active[row].cancelled:
                self._remove(row)

    def _remove(self, row: int) -> None:
        """Free a row; the last sequence moves there, so that rows in use stay together."""
        last = self.active.pop()
        if row < len(self.active):
            self.cache.move(len(self.active), row, last.position)
            self.active[row] = last

    def _next_group(self) -> list[Sequence]:
        return next_group(self.waiting, self.active)

    def _prefill(self, group: list[Sequence]) -> None:
        first_row = len(self.active)
        self.active += group
        self.cache.reserve(len(self.active), max(sequence.position for sequence in group) + 1)
        hidden = self._read_ends([sequence.request.prompt_ids for sequence in group], first_row)
        self._advance(group, self.model.logits(hidden[:, 0]))

    def _read_ends(self, prompts: list[list[int]], first_row: int) -> Tensor:
        """Prompts into the cache → hidden states of their last tokens [prompts, 1, H]; what all begin with is read once."""
        start = shared_beginning(prompts)
        if start:
            self._read([prompts[0][:start]], self.cache, first_row, ends=torch.tensor([start - 1]))
            self.cache.spread(first_row, len(prompts), start)
        ends = torch.tensor([len(prompt) - start - 1 for prompt in prompts])
        return self._read([prompt[start:] for prompt in prompts], self.cache, first_row, start, ends)

    def _read(
        self, prompts: list[list[int]], cache: SlotCache, first_row: int = 0, start: int = 0, ends: Tensor | None = None
    ) -> Tensor:
        """Prompts, padded on the right, into the cache → hidden states [prompts, longest, H]; with `ends` theirs alone."""
        ids = pad_sequence([torch.tensor(prompt) for prompt in prompts], batch_first=True)
        rows, length = ids.shape
        positions = torch.arange(start, start + length)[None]
        return self.model.forward(ids, positions, cache.prefill(first_row, rows, length, start, ends))

    def _decode(self) -> None:
        positions = torch.tensor([sequence.position for sequence in self.active])
        ids = torch.tensor([[sequence.last_id] for sequence in self.active])
        self.cache.reserve(len(self.active), int(positions.max()) + 1)
        hidden = self.model.forward(ids, positions[:, None], self.cache.decode(positions))
        for sequence in self.active:
            sequence.position += 1
        self._advance(self.active, self.model.logits(hidden[:, 0]))

    def _advance(self, sequences: list[Sequence], logits: Tensor) -> None:
        """Give each sequence its next token from its row of logits [B, V]; free the rows of finished ones."""
        advance(sequences, logits, self.tokenizer)
        for row in reversed(range(len(self.active))):
            if self.active[row].finished:
                self._remove(row)


def shared_beginning(prompts: list[list[int]]) -> int:
    """How many tokens all prompts begin with, but for the last of each; 0 where reading them once saves too little."""
    shared = min(len(commonprefix(prompts)), *(len(prompt) - 1 for prompt in prompts))
    return shared if shared * (len(prompts) - 1) >= WORTH_SHARING else 0
