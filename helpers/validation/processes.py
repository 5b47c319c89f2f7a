"""Several processes for a large file, a part after the other for each; this module is also what they run.

They are started as programs of their own (not forked, not by `multiprocessing`), so that it works on every system, in
notebooks and in scripts without `if __name__ == "__main__"`. A process reads ranges of bytes and answers each with a `Scan`.
All have one seed of `hash`, so that equal texts are equal; the parent only compares what they send.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from helpers.validation.lines import Range, parts
from helpers.validation.scan import Scan, Settings

PART = 16 * 1024**2  # bytes
MOST = 4  # processes; more would exceed the memory that a check may take
MOST_THAT_COUNT = 2  # the same where each needs an encoding
ROOT = Path(__file__).resolve().parents[2]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool:
    """`with Pool(2, settings) as pool: pool.scan(path)`: the parts of a file in their order."""

    def __init__(self, count: int, settings: Settings) -> None:
        seed = str(int.from_bytes(os.urandom(3), "big"))
        self.count, self.settings = count, settings
        self._processes = [_start(seed) for _ in range(count)]
        self._free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._processes:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.communicate()

    def scan(self, path: Path) -> Iterator[tuple[int, Scan]]:
        """The end of each part, and what was found in it. Raises OSError if a process dies."""
        waiting = []
        for part in parts(path, PART):
            waiting.append((part, self._threads.submit(self._one, path, part)))
            if len(waiting) > 2 * self.count:  # so that finished parts do not pile up
                (_, end), future = waiting.pop(0)
                yield end, future.result()
        for (_, end), future in waiting:
            yield end, future.result()

    def _one(self, path: Path, part: Range) -> Scan:
        process = self._free.get()
        try:
            _send(process.stdin, (self.settings, path, part))
            found: Scan = pickle.load(process.stdout)
        except (EOFError, OSError) as error:
            raise OSError(f"a process that checked {path} ended with status {process.wait()}; try processes=1") from error
        finally:
            self._free.put(process)
        return found


def _start(seed: str) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
    command = [sys.executable, "-c", "from helpers.validation.processes import serve; serve()"]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _send(pipe: IO[bytes] | None, value: object) -> None:
    assert pipe is not None
    pickle.dump(value, pipe)
    pipe.flush()


def serve() -> None:
    """What a process does: it ends with its standard input, that is, with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends the others
    gc.disable()  # a block's lists are many and never in circles; looking for circles takes a fifth of the time
    while True:
        try:
            settings, path, part = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if settings.tokens:
            from helpers.counting import load_to_count

            load_to_count(settings.encoding)
        _send(sys.stdout.buffer, Scan(settings).read(path, part))
