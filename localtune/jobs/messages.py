"""What a worker reports, in the words of the API's events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from localtune.store.queue import Event

LOSSES = {
    "train_loss": "training loss", "valid_loss": "validation loss", "full_valid_loss": "full validation loss",
}

LEVELS = {"note": "info", "warning": "warn"}


def events(messages: Iterable[Mapping[str, Any]]) -> list[Event]:
    """Events of the messages that have one: steps, notes and warnings."""
    return [event(message) for message in messages if message["type"] in ("metrics", "note", "warning")]


def event(message: Mapping[str, Any]) -> Event:
    if message["type"] in LEVELS:
        return Event(message["message"], level=LEVELS[message["type"]], key=message["message"])
    return metrics_event({key: value for key, value in message.items() if key != "type"})


class Clock:
    """When a run will be done, judged by the steps since it was started."""

    def __init__(self) -> None:
        self._began, self._step = time.monotonic(), 0

    def estimate(self, messages: Sequence[Mapping[str, Any]]) -> int | None:
        """Unix time of the end after these messages, which came together; None when there is no step among them."""
        now, steps = time.monotonic(), [message for message in messages if message["type"] == "metrics"]
        for message in messages:
            if message["type"] == "started":
                self._step = message["resumed_at_step"]
                self._began = self._began if steps else now  # what loading took says nothing about the steps
        if not steps:
            return None
        last = steps[-1]
        remaining = (last["total_steps"] - last["step"]) * (now - self._began) / (last["step"] - self._step)
        return round(time.time() + remaining)


def metrics_event(data: Mapping[str, Any]) -> Event:
    """The event of one step's metrics."""
    losses = ", ".join(f"{name}={data[key]:.2f}" for key, name in LOSSES.items() if key in data)
    return Event(f"Step {data['step']}/{data['total_steps']}: {losses}", metrics=data)
