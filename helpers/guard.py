"""Runs a command for as long as standard input stays open: `python guard.py COMMAND…`; used by `service.start_beside`.

Whoever holds the other end of that pipe may end in any way, killed included: the system closes it then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence


def main(command: Sequence[str]) -> int:
    """The command's exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    threading.Thread(target=end_with_input, args=[process], daemon=True).start()
    return process.wait()


def end_with_input(process: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)  # sys.stdin would hold a lock that the interpreter wants back at its end
    process.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
