"""The suite can fail: against a server that answers everything with well-shaped nonsense, every one of its tests does."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.target import HERE, ROOT, stop

# What nonsense of the right shape cannot be told from. Everything else must fail.
BLIND: set[str] = set()
SECONDS = 1200


@pytest.fixture
def nonsense() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.nonsense"], cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )
    try:
        yield process.stdout.readline().split()[1]
    finally:
        stop(process)


def test_every_test_fails_against_nonsense(nonsense: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    suite = sorted(str(path) for path in HERE.glob("test_conform_*.py"))
    names = {"--base-url": nonsense, "--admin-key": "sk-admin", "--other-key": "sk-other", "--other-project": "proj_other"}
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", f"--junitxml={report}",
        "-o", "addopts=--import-mode=importlib", "-p", "no:nbval", "-p", "no:schemathesis",  # slow to import
        *(word for pair in names.items() for word in pair), "-k", "not node_sdk", *suite,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=SECONDS)
    assert done.returncode == 1, done.stdout[-2000:]
    outcomes = {outcome: set(names) for outcome, names in outcomes_of(report).items()}
    assert outcomes.get("skipped", set()) == set()
    assert outcomes.get("passed", set()) == BLIND
    assert outcomes.get("error", set()) == set(), "these fail before they have looked at anything"


def outcomes_of(report: Path) -> dict[str, Counter[str]]:
    """Names of the test cases by how they ended."""
    found: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
        ended = next((kinds[child.tag] for child in case if child.tag in kinds), "passed")
        found.setdefault(ended, Counter())[case.attrib["name"]] += 1
    return found
