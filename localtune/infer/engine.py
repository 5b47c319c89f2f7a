"""The engine: answers with the embedded models in one thread, and with open-weight models in another."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from pathlib import Path

from localtune.infer.loop import Loop
from localtune.infer.open_loop import OpenLoop
from localtune.infer.request import EngineError, Finish, GenerateRequest, Scored, Token
from localtune.infer.runner import Runner
from localtune.infer.texts import TextTokenizer, context_of, tokenizer_of
from localtune.openweight.load import is_open_weight

__all__ = ["Engine", "EngineError", "Finish", "GenerateRequest", "Token"]

KNOWN_MODELS = 64  # whose tokenizers are kept, and what else is read from their folders

log = logging.getLogger(__name__)


class Engine(Loop[Runner]):
    """Loads models on demand, keeps the `max_models` used last, decodes `max_slots` texts per model at once (see `FairQueue`).

    That is for the embedded models; `open` answers with all others, by rules of its own, from its first request on.
    """

    def __init__(
        self, max_models: int = 8, max_slots: int = 32, threads: int = 1, open_threads: int = 1, open_bytes: int | None = None
    ) -> None:
        super().__init__(threads)
        self.max_models, self.max_slots = max_models, max_slots
        self.tokenizer: Callable[[Path], TextTokenizer] = lru_cache(KNOWN_MODELS)(tokenizer_of)
        self.context: Callable[[Path], int] = lru_cache(KNOWN_MODELS)(context_of)
        self._is_open: Callable[[Path], bool] = lru_cache(KNOWN_MODELS)(is_open_weight)
        self.open = OpenLoop(max_slots, open_threads, open_bytes, self.tokenizer, self.context)
        self._opening = threading.Lock()

    def close(self) -> None:
        super().close()
        self.open.close()

    def generate(self, request: GenerateRequest) -> AsyncIterator[Token | Finish]:
        if self._is_open(request.folder):
            return self._opened().generate(request)
        return super().generate(request)

    async def score(self, folder: Path, ids: list[int], top_logprobs: int = 0) -> list[Scored]:
        if self._is_open(folder):
            return await self._opened().score(folder, ids, top_logprobs)
        return await super().score(folder, ids, top_logprobs)

    def unload(self, folder: Path) -> None:
        super().unload(folder)
        if self.open.running:
            self.open.unload(folder)

    def _opened(self) -> OpenLoop:
        with self._opening:
            if not self.running:
                raise EngineError("the engine is not running")
            if not self.open.running:
                self.open.start()
        return self.open

    def _use(self, folder: Path, task: Callable[[Runner], None], refuse: Callable[[EngineError], None]) -> None:
        try:
            runner = self._runner(folder)
        except EngineError as error:
            refuse(error)
        else:
            task(runner)

    def _unload(self, folder: Path) -> None:
        if runner := self.runners.pop(folder, None):
            runner.fail(EngineError("the model was unloaded"), waiting=True)

    def _runner(self, folder: Path) -> Runner:
        """The loaded model, now the most recently used; drops idle ones above the limit."""
        if folder not in self.runners:
            self.runners[folder] = self._load(folder)
        self.runners.move_to_end(folder)
        idle = [key for key, runner in self.runners.items() if not runner.busy and key != folder]
        for key in idle[: max(0, len(self.runners) - self.max_models)]:
            del self.runners[key]
        return self.runners[folder]

    def _load(self, folder: Path) -> Runner:
        try:
            return Runner(folder, self.max_slots)
        except EngineError:
            raise
        except Exception as error:
            log.exception("loading a model failed")
            raise EngineError(f"the model could not be loaded: {error}") from error
