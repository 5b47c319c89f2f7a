"""One open-weight base, its adapters, and the texts they are generating: one batch per adapter."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from localtune.infer import sampling
from localtune.infer.batching import advance, next_group, scored
from localtune.infer.open_batch import Batch, padded
from localtune.infer.open_model import OpenModel
from localtune.infer.request import EngineError, Scored
from localtune.infer.sequence import Sequence
from localtune.infer.texts import TextTokenizer
from localtune.infer.trouble import failure
from localtune.infer.waiting import FairQueue
from localtune.openweight.load import is_adapter

SCORED_AT_ONCE = 256  # places whose logits over the whole vocabulary are held at a time

log = logging.getLogger(__name__)


class OpenRunner:
    """Continuous batching as in `Runner`. New texts are read as a batch of their own, which then joins their adapter's."""

    def __init__(
        self, model: OpenModel, max_slots: int, max_adapters: int,
        tokenizer: Callable[[Path], TextTokenizer], context: Callable[[Path], int],
    ) -> None:
        self.model, self.tokenizer, self.context = model, tokenizer, context
        self.max_adapters = max_adapters
        self.batches: list[Batch] = []
        self.waiting = FairQueue(max_slots)

    @property
    def active(self) -> list[Sequence]:
        return [sequence for batch in self.batches for sequence in batch.sequences]

    @property
    def busy(self) -> bool:
        return bool(self.batches or self.waiting)

    def submit(self, sequence: Sequence) -> None:
        """Queue a sequence; raises EngineError when it does not fit the model, or its adapter does not."""
        folder, prompt = sequence.request.folder, sequence.request.prompt_ids
        self._attach(folder)
        vocabulary = self._vocabulary(folder)
        self._check(prompt)
        sequence.admit(vocabulary, self.context(folder))
        self.waiting.join(sequence)

    def step(self) -> None:
        """Let waiting sequences in, then give every active one its next token."""
        self._drop_cancelled()
        if group := next_group(self.waiting, self.active, self._together):
            self._prefill(group)
        else:
            for batch in list(self.batches):
                self._attempt(partial(self._decode, batch), batch)
        if not self.batches:
            self.model.rest()

    def fail(self, error: EngineError, waiting: bool = False) -> None:
        """End the active sequences with an error, on request the waiting ones too."""
        failed = self.active + (list(self.waiting) if waiting else [])
        self.batches = []
        if waiting:
            self.waiting.clear()
        self.model.rest()
        for sequence in failed:
            sequence.fail(error)

    def score(self, folder: Path, ids: list[int], top_logprobs: int) -> list[Scored]:
        """Log-probability of every token of `ids` after those before it, and the best alternatives there."""
        self._attach(folder)
        self._check(ids)
        self.model.activate(adapter_of(folder))
        cache, scores, vocabulary = self.model.new_cache(), [], self._vocabulary(folder)
        size = SCORED_AT_ONCE if self.model.together else len(ids)  # some states go on from one token to the next alone
        for start in range(0, len(ids) - 1, size):
            part, following = ids[:-1][start : start + size], ids[start + 1 : start + 1 + size]
            places = torch.arange(start, start + len(part))[None]
            logits = self._logits(torch.tensor([part]), torch.ones(1, start + len(part)), places, cache, len(part))
            values = sampling.logprobs(logits[0, :, :vocabulary])
            scores += scored(values, following, [top_logprobs] * len(part))
        return [(None, ()), *scores]

    def drop(self, folder: Path) -> None:
        """Forget an adapter; the texts it is generating fail."""
        error = EngineError("the model was unloaded")
        for sequence in [*self.active, *self.waiting]:
            if sequence.request.folder == folder:
                sequence.fail(error)
                sequence.cancelled = True
        self._drop_cancelled()
        self.model.detach(folder)

    def _attach(self, folder: Path) -> None:
        """See that an adapter is there, now the most recently used; drops idle ones above the limit."""
        if not is_adapter(folder):
            return
        self.model.attach(folder)
        self.model.adapters[folder] = self.model.adapters.pop(folder)
        used = {sequence.request.folder for sequence in [*self.active, *self.waiting]} | {folder}
        idle = [adapter for adapter in self.model.adapters if adapter not in used]
        for adapter in idle[: max(0, len(self.model.adapters) - self.max_adapters)]:
            self.model.detach(adapter)

    def _vocabulary(self, folder: Path) -> int:
        """Tokens that can be answered: tables are often longer than the tokenizer."""
        return min(len(self.tokenizer(folder)), self.model.vocabulary)

    def _check(self, ids: list[int]) -> None:
        if max(ids) >= self.model.vocabulary:  # on a GPU it would end the process
            message = f"token {max(ids)} is not in the model's table of {self.model.vocabulary}"
            raise EngineError(message, status=400)

    def _together(self, one: Sequence, other: Sequence) -> bool:
        return self.model.together and one.request.folder == other.request.folder

    def _drop_cancelled(self) -> None:
        self.waiting.drop_cancelled()
        for batch in self.batches:
            self._keep(batch, lambda sequence: not sequence.cancelled)
        self.batches = [batch for batch in self.batches if batch.sequences]

    def _keep(self, batch: Batch, wanted: Callable[[Sequence], bool]) -> None:
        rows = [row for row, sequence in enumerate(batch.sequences) if wanted(sequence)]
        if len(rows) == len(batch.sequences):
            return
        if rows:
            batch.keep(rows)
        else:
            batch.sequences = []

    def _attempt(self, work: Callable[[], None], *batches: Batch) -> None:
        """Work on some batches; where it fails, so do their texts, and no others."""
        try:
            work()
        except Exception as error:
            log.exception("a step of a batch failed")
            self.batches = [batch for batch in self.batches if batch not in batches]
            self.model.rest()
            for sequence in {sequence for batch in batches for sequence in batch.sequences}:
                sequence.fail(failure("answering", error))

    def _prefill(self, group: list[Sequence]) -> None:
        """Read prompts as a batch of their own, then make it one with its adapter's."""
        ids, mask, positions = padded([sequence.request.prompt_ids for sequence in group])
        new = Batch(adapter_of(group[0].request.folder), group, self.model.new_cache(), mask.to(self.model.device))
        old = next((batch for batch in self.batches if batch.adapter == new.adapter), None)
        self.batches.append(new)
        self._attempt(partial(self._read, new, ids, positions), new)
        if old and new in self.batches and self.model.together:
            self._attempt(partial(old.join, new), old, new)
            self.batches = [batch for batch in self.batches if batch is not new]

    def _read(self, batch: Batch, ids: Tensor, positions: Tensor) -> None:
        self.model.activate(batch.adapter)
        self._advance(batch, self._logits(ids, batch.mask, positions, batch.cache, 1))

    def _decode(self, batch: Batch) -> None:
        ids = torch.tensor([[sequence.last_id] for sequence in batch.sequences])
        positions = torch.tensor([[sequence.position] for sequence in batch.sequences])
        batch.mask = torch.cat([batch.mask, batch.mask.new_ones(len(batch.sequences), 1)], dim=1)
        self.model.activate(batch.adapter)
        logits = self._logits(ids, batch.mask, positions, batch.cache, 1)
        for sequence in batch.sequences:
            sequence.position += 1
        self._advance(batch, logits)

    def _logits(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: object, last: int) -> Tensor:
        device = self.model.device
        return self.model.logits(ids.to(device), mask.to(device), positions.to(device), cache, last)

    def _advance(self, batch: Batch, logits: Tensor) -> None:
        """Give every sequence of the batch its next token from logits [B, 1, V]; finished ones leave."""
        folder = batch.sequences[0].request.folder
        advance(batch.sequences, logits[:, 0, : self._vocabulary(folder)], self.tokenizer(folder))
        self._keep(batch, lambda sequence: not sequence.finished)
        if not batch.sequences:
            self.batches.remove(batch)


def adapter_of(folder: Path) -> Path | None:
    """The adapter a model's folder holds; None for a base and for full weights."""
    return folder if is_adapter(folder) else None
