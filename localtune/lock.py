"""One service per state folder: an operating-system lock, gone with the process however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

if os.name == "nt":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class StateLock:
    """Held from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "lock").open("a+b")

    def acquire(self) -> bool:
        """False when another process holds the folder."""
        self._file.seek(0)
        try:
            _lock(self._file)
        except OSError:
            self._file.close()
            return False
        return True

    def release(self) -> None:
        self._file.close()
