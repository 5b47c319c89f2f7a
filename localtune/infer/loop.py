"""A background thread that answers requests: what comes in, whose turn it is, what goes out."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch

from localtune.infer.request import EngineError, Finish, GenerateRequest, Scored, Token
from localtune.infer.sequence import Item, Sequence
from localtune.infer.trouble import failure

# Waking the callers' event loop for every token would halve the speed: both threads want the interpreter's lock.
DELIVERY_SECONDS = 0.02

log = logging.getLogger(__name__)


class Answering(Protocol):
    """A loaded model and the texts it is generating."""

    @property
    def active(self) -> list[Sequence]:
        """Sequences that have a place in the batch."""

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""

    def submit(self, sequence: Sequence) -> None:
        """Queue a sequence; raises EngineError when it does not fit the model."""

    def step(self) -> None:
        """Let waiting sequences in, then give every active one its next token."""

    def fail(self, error: EngineError, waiting: bool = False) -> None:
        """End the active sequences with an error, on request the waiting ones too."""

    def score(self, folder: Path, ids: list[int], top_logprobs: int) -> list[Scored]:
        """Log-probability and best alternatives of every token of `ids`; the first has none."""


AnyRunner = TypeVar("AnyRunner", bound=Answering)


@dataclass(frozen=True, eq=False)
class Mailbox:
    """Where one caller waits."""

    loop: asyncio.AbstractEventLoop
    items: asyncio.Queue[list[Item]]


class Loop(ABC, Generic[AnyRunner]):
    """One thread and the models it answers with; which model a folder means is the subclass's business."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.runners: OrderedDict[Path, AnyRunner] = OrderedDict()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._outbox: dict[Mailbox, list[Item]] = defaultdict(list)
        self._delivered_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=type(self).__name__.lower(), daemon=True)
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

    @abstractmethod
    def _use(self, folder: Path, task: Callable[[AnyRunner], None], refuse: Callable[[EngineError], None]) -> None:
        """Run `task` with the model of a folder, at once or when it is loaded; `refuse` when that fails."""

    @abstractmethod
    def _unload(self, folder: Path) -> None:
        """See `unload`."""

    def _post(self, task: Callable[[], None]) -> None:
        if not self.running:
            raise EngineError("the engine is not running")
        self._inbox.put(task)

    def _run(self) -> None:
        torch.set_num_threads(self.threads)
        with torch.inference_mode():
            while self._work_off_inbox():
                for runner in [runner for runner in self.runners.values() if runner.busy]:
                    self._step(runner)
                self._deliver()
            self._refuse_all(EngineError("the service is shutting down"))
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
            try:
                task()
            except Exception:  # the thread must live on: everybody waits for it
                log.exception("a task of the engine failed")

    def _step(self, runner: AnyRunner) -> None:
        try:
            runner.step()
        except Exception as error:
            log.exception("a decoding step failed")
            runner.fail(failure("answering", error), waiting=not runner.active)

    def _deliver(self) -> None:
        """Hand out what was made; while there is more to decode only now and then."""
        if self._busy() and time.monotonic() < self._delivered_at + DELIVERY_SECONDS:
            return
        self._delivered_at = time.monotonic()
        outbox, self._outbox = self._outbox, defaultdict(list)
        for loop in {mailbox.loop for mailbox in outbox}:
            call_in(loop, deliver, [(mailbox, items) for mailbox, items in outbox.items() if mailbox.loop is loop])

    def _submit(self, sequence: Sequence) -> None:
        self._use(sequence.request.folder, partial(submit, sequence), sequence.fail)

    def _score(self, folder: Path, ids: list[int], top_logprobs: int, send: Callable[[object], None]) -> None:
        def task(runner: AnyRunner) -> None:
            try:
                send(runner.score(folder, ids, top_logprobs))
            except Exception as error:
                refuse(error)

        def refuse(error: Exception) -> None:
            send(failure("scoring", error))

        self._use(folder, task, refuse)

    def _refuse_all(self, error: EngineError) -> None:
        """Nobody gets an answer any more."""
        for runner in self.runners.values():
            runner.fail(error, waiting=True)


def submit(sequence: Sequence, runner: Answering) -> None:
    try:
        runner.submit(sequence)
    except EngineError as error:
        sequence.fail(error)
    except Exception as error:
        log.exception("letting a request in failed")
        sequence.fail(failure("answering", error))


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
