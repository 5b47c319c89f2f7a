"""The worker process: `python -m localtune.train --spec job.json`, or `--warm` to wait for the path on stdin.

Prints JSON lines on stdout and nothing else. It ends when its parent closes stdin, so that no job outlives its service. With
`--messages FILE` it works for a service on another machine: the lines go to the file, and the specification is the tie.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import json
import os
import signal
import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from localtune.jobs.spec import JobSpec
from localtune.train.durable import writing
from localtune.train.errors import JobError
from localtune.train.group import Group, broken
from localtune.train.loop import Job

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # from glibc's malloc.h
PARENT_GONE, GROUP_BROKEN = 0, 3  # exit status
LOOK_EVERY = 1.0  # seconds
DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
MEMORY_WORDS = ("DefaultCPUAllocator", "MPS backend out of memory")
DISK_FULL_WORDS = ("No space left", "File too large", "inline_container", "iostream error")


def main() -> int:
    """Run one job; returns the exit status."""
    arguments = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave_on_signal)
    path = arguments.spec or path_from_stdin()
    if path is None:
        return 0
    keep_freed_memory()
    watch = leave_with_parent
    if arguments.messages:
        sys.stdout, watch = arguments.messages.open("a", encoding="utf-8"), partial(leave_when_replaced, path)
    threading.Thread(target=watch, daemon=True).start()
    return run(path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localtune.train", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--spec", type=Path, help="job specification (JSON) to run at once")
    mode.add_argument("--warm", action="store_true", help="import everything, then read the path from stdin")
    parser.add_argument("--messages", type=Path, help="file for the lines; stdin does not matter then")
    return parser.parse_args()


def path_from_stdin() -> Path | None:
    """The first line of stdin as a path, or None when the parent closes it first."""
    line = sys.stdin.buffer.readline().decode("utf-8").strip()
    return Path(line) if line else None


def run(path: Path) -> int:
    """Train, and turn every failure into a `failed` line with a cause and, where there is one, a cure.

    Every process of a group prints its own failure: as soon as one of them ends, torchrun ends the others.
    """
    try:
        group = Group.join()
        Job(JobSpec.load(path), emit, group).run()
        group.leave()
    except BrokenPipeError:
        return PARENT_GONE
    except Exception as error:
        traceback.print_exc()
        if broken(error):
            return GROUP_BROKEN
        code, message = explain(error)
        emit({"type": "failed", "code": code, "message": message})
        return 1
    return 0


def explain(error: Exception) -> tuple[str, str]:
    """Error code and message of a failed job."""
    if isinstance(error, JobError):
        return error.code, str(error)
    if is_out_of_memory(error):
        return "out_of_memory", (
            "The training process ran out of memory. Try a smaller batch_size or shorter examples, or close other programs."
        )
    if is_disk_full(error):
        return "disk_full", "The disk of the service's state folder is full. Free some space and create the job again."
    return "server_error", f"The training process failed: {type(error).__name__}: {error}"


def is_out_of_memory(error: Exception) -> bool:
    """PyTorch's allocators for processors and for Apple's chips have no exception of their own; these are their words."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(text in str(error) for text in MEMORY_WORDS)


def is_disk_full(error: Exception) -> bool:
    """PyTorch's and safetensors' writers name the cause only in words, or come as a consequence of an OSError."""
    reasons = [cause for cause in (error, error.__context__, error.__cause__) if cause is not None]
    numbers = {cause.errno for cause in reasons if isinstance(cause, OSError)}
    return bool(numbers & DISK_FULL) or any(text in str(cause) for cause in reasons for text in DISK_FULL_WORDS)


def emit(message: dict[str, Any]) -> None:
    """Print one line in a single write, so that a reader never sees half of it from a process that is being ended."""
    sys.stdout.write(json.dumps(message, allow_nan=False) + "\n")
    sys.stdout.flush()


def leave_with_parent() -> None:
    """Wait until stdin closes. Reads the descriptor itself: `sys.stdin`'s lock would get in the way at exit."""
    while os.read(0, 4096):
        pass
    leave(PARENT_GONE)


def leave_when_replaced(spec: Path) -> None:
    """Wait until the specification is gone (the job was ended) or is another attempt's: two must never write at once."""
    mine = spec.read_bytes()
    with contextlib.suppress(FileNotFoundError):
        while spec.read_bytes() == mine:
            time.sleep(LOOK_EVERY)
    leave(PARENT_GONE)


def leave_on_signal(number: int, _frame: FrameType | None) -> None:
    """Leave from another thread: the one that is interrupted may be the one that writes."""
    threading.Thread(target=leave, args=(128 + number,), daemon=True).start()


def leave(status: int) -> None:
    """End the process at once, but never in the middle of a write."""
    with writing:
        os._exit(status)


def keep_freed_memory() -> None:
    """Let glibc keep freed memory: by default every step returns its pages to the system and faults them in again."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the largest that glibc accepts
        mallopt(M_TRIM_THRESHOLD, 1 << 30)
        mallopt(M_TOP_PAD, 64 << 20)


if __name__ == "__main__":
    sys.exit(main())
