"""The metrics of a run as JSON lines in its folder: what a worker has reported outlives a service that did not hear it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAME = "metrics.jsonl"


class Journal:
    """One line per step, in order. The worker writes it, the service reads it; a line cut short counts as not written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def add(self, row: Mapping[str, Any]) -> None:
        with self.path.open("ab", buffering=0) as file:  # one write: handed over whole, even if the process ends next
            file.write(json.dumps(row).encode() + b"\n")

    def sync(self) -> None:
        """On disk, not only with the operating system."""
        if self.path.exists():
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())

    def rows(self) -> list[dict[str, Any]]:
        return [row for row, _ in self._lines()]

    def cut(self, step: int) -> None:
        """Forget what came after `step`."""
        if self.path.exists():
            os.truncate(self.path, max((end for row, end in self._lines() if row["step"] <= step), default=0))

    def _lines(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Every whole line with the position of its end."""
        if not self.path.exists():
            return
        end = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            end += len(line)
            yield json.loads(line), end
