"""Looks for requests that the service cannot stand: 5,000 cases for each of three tests, whose short form the tests run.

`python3 start.py bench fuzz [--only NAME] [--cases N] [--seed N]`. Another seed draws other cases, so that a night's run can
be made in pieces. Fails with the smallest request that broke the service, if there is one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAFETY = "tests/safety"
TESTS = {
    "http": f"{SAFETY}/test_fuzz.py::test_no_request_is_the_services_fault",
    "schemathesis": f"{SAFETY}/test_schemathesis.py",
    "sdk": f"{SAFETY}/test_fuzz.py::test_the_sdk_gets_what_it_was_promised",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TESTS, help="one of the tests")
    parser.add_argument("--cases", type=int, default=5_000, help="of each test (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    environment = {**os.environ, "LOCALTUNE_FUZZ_CASES": str(options.cases), "LOCALTUNE_FUZZ_SEED": str(options.seed)}
    for name in [options.only] if options.only else TESTS:
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-rs", TESTS[name]]
        status = subprocess.run(command, cwd=ROOT, env=environment).returncode
        print(f"{name}: {options.cases} cases, seed {options.seed}, {time.monotonic() - began:.0f} s", flush=True)
        if status:
            raise SystemExit(status)


if __name__ == "__main__":
    main()
