"""File contents by their SHA-256: the same bytes are stored once, and a name always means whole bytes."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from localtune.crash import crash_point

T = TypeVar("T")
CHUNK = 1024 * 1024


class Blobs:
    """One folder of blobs. Thread-safe within one process, and only one process has the folder (the state lock)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self._lock = threading.Lock()
        self.incoming.mkdir(parents=True, exist_ok=True)
        for abandoned in self.incoming.iterdir():
            abandoned.unlink()

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def keep(self, source: BinaryIO, record: Callable[[str, int], T]) -> T:
        """Store what `source` reads, then call `record(sha256, bytes)`, which must make the blob count as in use."""
        temporary, sha256, size = self._write(source)
        with self._lock:
            self._publish(temporary, sha256)
            crash_point("file.before")
            recorded = record(sha256, size)
            crash_point("file.after")
            return recorded

    def sweep(self, in_use: Callable[[], set[str]]) -> None:
        """Remove every blob that is not in use."""
        with self._lock:
            needed = in_use()
            for path in self.folder.glob("??/*"):
                if path.name not in needed:
                    path.unlink()

    def _write(self, source: BinaryIO) -> tuple[Path, str, int]:
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=self.incoming, delete=False) as target:
            try:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            except BaseException:  # a full disk must not stay full of what could not be finished
                Path(target.name).unlink(missing_ok=True)
                raise
        return Path(target.name), digest.hexdigest(), size

    def _publish(self, temporary: Path, sha256: str) -> None:
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        os.replace(temporary, target)
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
