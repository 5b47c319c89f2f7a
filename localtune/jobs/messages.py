"""What a worker reports, in the words of the API's events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
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
    """When a run will be done, judged by the steps since its first report."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None  # monotonic seconds, step

    def estimate(self, messages: Iterable[Mapping[str, Any]]) -> int | None:
        """Unix time of the end after these messages; None before there are two steps to judge by."""
        steps = [message for message in messages if message["type"] == "metrics"]
        if not steps:
            return None
        now, last = time.monotonic(), steps[-1]
        if self._first is None:
            self._first = now, last["step"]
        started, first = self._first
        if last["step"] == first:
            return None
        remaining = (last["total_steps"] - last["step"]) * (now - started) / (last["step"] - first)
        return round(time.time() + remaining)


def metrics_event(data: Mapping[str, Any]) -> Event:
    """The event of one step's metrics."""
    losses = ", ".join(f"{name}={data[key]:.2f}" for key, name in LOSSES.items() if key in data)
    return Event(f"Step {data['step']}/{data['total_steps']}: {losses}", metrics=data)
