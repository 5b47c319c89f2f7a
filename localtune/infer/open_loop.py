"""The thread that answers with open-weight models: loads them, keeps them within a memory limit, lets requests wait."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from localtune.infer.loop import Loop
from localtune.infer.request import EngineError
from localtune.infer.texts import TextTokenizer
from localtune.infer.trouble import failure

if TYPE_CHECKING:
    from localtune.infer.open_runner import OpenRunner

MAX_ADAPTERS = 32  # kept on one base

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Ask:
    """A request that waits for its model."""

    source: Path
    task: Callable[[OpenRunner], None]
    refuse: Callable[[EngineError], None]


class OpenLoop(Loop["OpenRunner"]):
    """`runners` are by base: fine-tuned models that are adapters share theirs.

    A base is loaded by a thread of its own, while the others go on answering. One that does not fit beside the idle ones
    waits for the busy ones, and whoever comes later waits behind it. `limit`: bytes of weights, None: what the device has free.
    """

    def __init__(
        self, max_slots: int, threads: int, limit: int | None,
        tokenizer: Callable[[Path], TextTokenizer], context: Callable[[Path], int],
    ) -> None:
        super().__init__(threads)
        self.max_slots, self.limit = max_slots, limit
        self.tokenizer, self.context = tokenizer, context
        self._line: list[Ask] = []
        self._loading: Path | None = None

    def loaded(self) -> list[dict[str, Any]]:
        """What is in memory; for other threads."""
        models = [runner.model for runner in list(dict.values(self.runners))]  # its own order changes with every use
        return [
            {
                "source": model.name, "device": str(model.device), "bytes": model.bytes,
                "load_seconds": round(model.seconds, 2), "adapters": len(model.adapters),
            }
            for model in models
        ]

    def _use(self, folder: Path, task: Callable[[OpenRunner], None], refuse: Callable[[EngineError], None]) -> None:
        from localtune.infer.open_model import source_of

        try:
            source = source_of(folder)
        except (OSError, ValueError, KeyError) as error:
            return refuse(EngineError(f"{folder.name}/adapter_config.json cannot be read: {error}", 503, "adapter_unreadable"))
        self._line.append(Ask(source, task, refuse))
        self._serve()

    def _unload(self, folder: Path) -> None:
        for runner in self.runners.values():
            runner.drop(folder)
        if runner := self.runners.pop(folder, None):
            runner.fail(EngineError("the model was unloaded"), waiting=True)
            free()

    def _work_off_inbox(self) -> bool:
        self._serve()
        return super()._work_off_inbox()

    def _refuse_all(self, error: EngineError) -> None:
        super()._refuse_all(error)
        for ask in self._line:
            ask.refuse(error)

    def _serve(self) -> None:
        """Let everybody in line to a model that is there; begin to load the first that is missing."""
        line, self._line = self._line, []
        for place, ask in enumerate(line):
            if runner := self.runners.get(ask.source):
                self.runners.move_to_end(ask.source)
                ask.task(runner)
                continue
            try:
                if self._loading is None and not self._begin(ask.source):
                    self._line += line[place:]
                    return
                self._line.append(ask)
            except Exception as error:
                ask.refuse(failure(f"loading {ask.source.name}", error, 503))

    def _begin(self, source: Path) -> bool:
        """Begin to load a model; False: there is no room before a busy one is done. Raises EngineError."""
        from localtune.infer.open_model import needed_bytes

        needed = needed_bytes(source)
        if self.limit is not None and needed > self.limit:
            raise EngineError(
                f"The model in {source.name} needs about {needed / 1e9:.2f} GB of memory, and the service may hold "
                f"{self.limit / 1e9:.2f} GB of models. Restart it with a larger --max-model-gb, or choose a smaller base.",
                status=503, code="insufficient_memory",
            )
        while self._room() < needed and self.runners:
            idle = next((source for source, runner in self.runners.items() if not runner.busy), None)
            if idle is None:
                return False
            del self.runners[idle]
            free()
            log.warning("unloaded %s to make room for %s", idle.name, source.name)
        self._loading = source
        threading.Thread(target=self._load, args=(source,), name="loading", daemon=True).start()
        return True

    def _room(self) -> int:
        """Bytes that another model may take."""
        from localtune.openweight.load import choose_device, free_bytes

        if self.limit is None:
            return free_bytes(choose_device()[0])
        return self.limit - sum(runner.model.bytes for runner in self.runners.values())

    def _load(self, source: Path) -> None:
        """In the loading thread."""
        from localtune.infer.open_model import OpenModel
        from localtune.infer.open_runner import OpenRunner

        loaded: OpenRunner | EngineError
        try:
            loaded = OpenRunner(OpenModel(source), self.max_slots, MAX_ADAPTERS, self.tokenizer, self.context)
        except Exception as error:
            log.exception("loading a model failed")
            loaded = failure(f"loading {source.name}", error, 503)
        self._inbox.put(partial(self._arrived, source, loaded))

    def _arrived(self, source: Path, loaded: OpenRunner | EngineError) -> None:
        self._loading = None
        if isinstance(loaded, EngineError):
            refused = [ask for ask in self._line if ask.source == source]
            self._line = [ask for ask in self._line if ask.source != source]
            for ask in refused:
                ask.refuse(loaded)
        else:
            self.runners[source] = loaded
        self._serve()


def free() -> None:
    """Give back what dropped models held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
