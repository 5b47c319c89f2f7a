"""One browser and one JupyterLab for the browser tests; without a Chromium they are skipped, and that is said aloud."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    collect_ignore_glob = ["test_*.py"]
    warnings.warn("NOT PROVEN: no browser test runs, playwright is missing (tests/requirements.txt)", stacklevel=1)
else:
    from tests.browser import lab


@pytest.fixture(scope="module")  # not longer: while playwright runs, asyncio.run does not work in this thread
def browser() -> Iterator[Any]:
    program = lab.browser_program()
    if program is None:
        reason = "NOT PROVEN: the widgets were not tried in a browser, for there is no Chromium here (apt install chromium)"
        warnings.warn(reason, stacklevel=1)  # a skip alone is only a letter in a long row
        pytest.skip(reason)
    root = getattr(os, "geteuid", lambda: 1)() == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"] if root else [])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.copy_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def address(browser: Any, course: Path, service: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where JupyterLab shows a file of `course`; its kernels find the run's `service`."""
    with lab.lab_server(tmp_path_factory.mktemp("lab"), course) as url:
        yield url


@pytest.fixture
def open_notebook(browser: Any, address: str, course: Path) -> Iterator[Callable[[Path], Any]]:
    """Opens a notebook of `course` on a page of its own."""
    context = browser.new_context(viewport={"width": 1400, "height": 1500})
    yield lambda path: lab.Notebook(context.new_page(), address, course, path)
    context.close()
