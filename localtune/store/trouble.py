"""Which failures of disk and database may pass by themselves."""

from __future__ import annotations

import errno
import sqlite3

NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
WAIT_AND_SEE = ("locked", "busy", "disk I/O error")
READ_ONLY = "readonly"  # as SQLite says it


def is_full(error: BaseException) -> bool:
    """No room on the disk."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


def is_read_only(error: BaseException) -> bool:
    """The disk refuses every write, as one does that was mounted again after a fault."""
    if isinstance(error, OSError):
        return error.errno == errno.EROFS
    return isinstance(error, sqlite3.OperationalError) and READ_ONLY in str(error)


def is_passing(error: BaseException) -> bool:
    """Somebody may make room, make the folder writable, or the other process give the database back."""
    held = isinstance(error, sqlite3.OperationalError) and any(words in str(error) for words in WAIT_AND_SEE)
    return held or is_full(error) or is_read_only(error)
