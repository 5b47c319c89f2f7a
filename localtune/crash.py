"""Named places at which a test ends this process as SIGKILL would. Without `LOCALTUNE_CRASH_AT` they do nothing.

The variable reads `NAME@FILE`. The file holds how many passages are left; the passage that uses up the last one removes
the file and ends the process. So one file means one death, in whichever process (service or worker) gets there.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "LOCALTUNE_CRASH_AT"
POINTS = (
    "claim.before", "claim.after",
    "events.before", "events.after",
    "state.write", "state.rename",
    "checkpoint.write", "checkpoint.rename",
    "models.before", "models.after",
    "file.before", "file.after",
)


def crash_point(name: str) -> None:
    """Die here if this is the place and the passage that the test chose."""
    wanted, _, fuse = os.environ.get(VARIABLE, "").partition("@")
    if name == wanted:
        burn(Path(fuse))


def burn(fuse: Path) -> None:
    try:
        left = int(fuse.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    if left > 1:
        fuse.write_text(str(left - 1), encoding="utf-8")
        return
    fuse.unlink()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # on Windows any signal ends a process at once
