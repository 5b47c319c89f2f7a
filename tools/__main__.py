"""What start.py does inside .venv: `python tools lab | run | test | doctor`."""
from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from helpers.service import ServiceError
from tools import notebooks
from tools.doctor import doctor
from tools.service import ROOT, stop_service, wait_for

# Two processes, each with a service of its own: most tests wait for something. A file's tests stay together and in order.
WHOLE_SUITE = ("-n", "2", "--dist", "loadfile", "--durations", "20")


def test(arguments: list[str]) -> int:
    """pytest as pytest.ini says, in a state folder of its own; nothing is left running or lying about."""
    with tempfile.TemporaryDirectory(prefix="course-test-", ignore_cleanup_errors=True) as folder:
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("COURSE_MODE", "OPENAI_BASE_URL", "OPENAI_API_KEY")}
        environment["LOCALTUNE_STATE"] = folder
        try:
            return wait_for([sys.executable, "-m", "pytest", *(arguments or WHOLE_SUITE)], cwd=ROOT, env=environment)
        finally:
            stop_service(Path(folder))  # a notebook that was run alone has started it


def main(command: str, *arguments: str) -> int:
    for name in ("SIGTERM", "SIGHUP"):  # so that an end from outside also stops what was started here
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: sys.exit(128 + number))
    jobs = {"lab": notebooks.lab, "run": notebooks.run, "test": test, "doctor": doctor}
    try:
        return jobs[command](list(arguments))
    except KeyboardInterrupt:
        return notebooks.STOPPED
    except ServiceError as error:
        sys.exit(str(error))


sys.exit(main(*sys.argv[1:]))
