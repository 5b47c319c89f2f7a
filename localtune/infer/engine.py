"""The engine: one background thread that answers every request, several models at a time."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import torch

from localtune.infer.request import EngineError, Finish, GenerateRequest, Token
from localtune.infer.runner import Runner, Scored
from localtune.infer.sequence import Item, Sequence
from localtune.model.llama import LlamaConfig
from localtune.model.tokenizer import Tokenizer

__all__ = ["Engine", "EngineError", "Finish", "GenerateRequest", "Token"]

# Waking the callers' event loop for every token would halve the speed: both threads want the interpreter's lock.
DELIVERY_SECONDS = 0.02

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Mailbox:
    """Where one caller waits."""

    loop: asyncio.AbstractEventLoop
    items: asyncio.Queue[list[Item]]


class Engine:
    """Loads models on demand, keeps the `max_models` used last, decodes up to `max_slots` texts per model at once."""

    def __init__(self, max_models: int = 8, max_slots: int = 32, threads: int = 1) -> None:
        self.max_models, self.max_slots, self.threads = max_models, max_slots, threads
        self.runners: OrderedDict[Path, Runner] = OrderedDict()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._outbox: dict[Mailbox, list[Item]] = defaultdict(list)
        self._delivered_at = 0.0
        self._thread: threading.Thread | None = None
        self.tokenizer = lru_cache(max_models)(Tokenizer.from_folder)
        self.config = lru_cache(max_models)(LlamaConfig.from_folder)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; requests in progress get an EngineError."""
        if self._thread is not None:
            self._inbox.put(None)
            self._thread.join()
            self._thread = None

    async def generate(self, request: GenerateRequest) -> AsyncIterator[Token | Finish]:
        """Tokens as they are made, then exactly one Finish. Closing the iterator frees the slot.

        Raises EngineError when the model cannot be loaded or fails, ValueError for a request without prompt or room.
        """
        if not request.prompt_ids or request.max_tokens < 1:
            raise ValueError("a prompt of at least one token and max_tokens of at least 1 are needed")
        mailbox = Mailbox(asyncio.get_running_loop(), asyncio.Queue())
        sequence = Sequence(request, lambda items: self._outbox[mailbox].extend(items))
        self._post(partial(self._submit, sequence))
        item = None
        try:
            while not isinstance(item, Finish):
                for item in await mailbox.items.get():
                    if isinstance(item, EngineError):
                        raise item
                    yield item
        finally:
            sequence.cancelled = True

    async def score(self, folder: Path, ids: list[int], top_logprobs: int = 0) -> list[Scored]:
        """Log-probability and best alternatives of every token of `ids`; the first has none. Raises EngineError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Scored]] = loop.create_future()
        self._post(partial(self._score, folder, ids, top_logprobs, partial(call_in, loop, partial(resolve, answer))))
        return await answer

    def unload(self, folder: Path) -> None:
        """Drop a model; requests it is answering fail."""
        self._post(partial(self._unload, folder))

    def _post(self, task: Callable[[], None]) -> None:
        if self._thread is None or not self._thread.is_alive():
            raise EngineError("the engine is not running")
        self._inbox.put(task)

    def _run(self) -> None:
        torch.set_num_threads(self.threads)
        with torch.inference_mode():
            while self._work_off_inbox():
                for runner in [runner for runner in self.runners.values() if runner.busy]:
                    self._step(runner)
                self._deliver()
            for runner in self.runners.values():
                runner.fail("the service is shutting down", waiting=True)
            self._deliver()

    def _busy(self) -> bool:
        return any(runner.busy for runner in self.runners.values())

    def _work_off_inbox(self) -> bool:
        """Do what other threads asked for; waits while there is nothing else to do. False: close."""
        while True:
            try:
                task = self._inbox.get(block=not (self._outbox or self._busy()))
            except queue.Empty:
                return True
            if task is None:
                return False
            task()

    def _step(self, runner: Runner) -> None:
        try:
            runner.step()
        except Exception as error:
            log.exception("a decoding step failed")
            runner.fail(f"the model failed while answering: {error}", waiting=not runner.active)

    def _deliver(self) -> None:
        """Hand out what was made; while there is more to decode only now and then."""
        if self._busy() and time.monotonic() < self._delivered_at + DELIVERY_SECONDS:
            return
        self._delivered_at = time.monotonic()
        outbox, self._outbox = self._outbox, defaultdict(list)
        for loop in {mailbox.loop for mailbox in outbox}:
            call_in(loop, deliver, [(mailbox, items) for mailbox, items in outbox.items() if mailbox.loop is loop])

    def _submit(self, sequence: Sequence) -> None:
        try:
            self._runner(sequence.request.folder).submit(sequence)
        except EngineError as error:
            sequence.fail(str(error))

    def _score(self, folder: Path, ids: list[int], top_logprobs: int, send: Callable[[object], None]) -> None:
        try:
            send(self._runner(folder).score(ids, top_logprobs))
        except Exception as error:
            send(EngineError(f"the model failed while scoring: {error}"))

    def _unload(self, folder: Path) -> None:
        if runner := self.runners.pop(folder, None):
            runner.fail("the model was unloaded", waiting=True)

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


def deliver(parcels: list[tuple[Mailbox, list[Item]]]) -> None:
    """Put items where their callers wait for them; runs in the callers' event loop."""
    for mailbox, items in parcels:
        mailbox.items.put_nowait(items)


def call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], value: object) -> None:
    """Call a function in the loop's own thread; a loop that is closed no longer wants it."""
    try:
        loop.call_soon_threadsafe(function, value)
    except RuntimeError:
        log.debug("a caller's event loop is closed")


def resolve(answer: asyncio.Future, value: object) -> None:
    """Give a waiting caller its result or error, unless it went away."""
    if answer.done():
        return
    if isinstance(value, EngineError):
        answer.set_exception(value)
    else:
        answer.set_result(value)
