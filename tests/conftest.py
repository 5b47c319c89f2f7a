"""A state folder of its own for every run of pytest, and one service in it for the tests and notebooks that need one."""
from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from helpers.service import ServiceError
from tools.notebooks import NOTEBOOKS
from tools.service import service as keep_service

CLEANUP = contextlib.ExitStack()


@dataclass(frozen=True)
class Service:
    """A running service: its address, ending in /v1, and its state folder."""

    url: str
    state: Path


def notebooks_wanted(arguments: Iterable[str]) -> bool:
    """Whether paths given to pytest (or pytest.ini's) lead to notebooks of the course."""
    paths = [Path(argument.split("::")[0]).resolve() for argument in arguments]
    return NOTEBOOKS.exists() and any(
        path == NOTEBOOKS or NOTEBOOKS in path.parents or path in NOTEBOOKS.parents for path in paths
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in ("COURSE_MODE", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        os.environ.pop(name, None)
    state = CLEANUP.enter_context(tempfile.TemporaryDirectory(prefix="course-pytest-", ignore_cleanup_errors=True))
    os.environ["LOCALTUNE_STATE"] = state
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))  # ends in pytest_unconfigure
    if notebooks_wanted(config.args) and not config.option.collectonly:
        try:  # session fixtures do not run for notebooks
            CLEANUP.enter_context(keep_service(Path(state)))
        except ServiceError as error:
            CLEANUP.close()
            raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    CLEANUP.close()


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The service of this run, started by the first test that asks. Its jobs and models are shared: count on nothing else."""
    state = Path(os.environ["LOCALTUNE_STATE"])
    with keep_service(state) as url:
        yield Service(url, state)


@pytest.fixture(scope="session")
def client(service: Service) -> openai.OpenAI:
    """The official SDK's client of `service`."""
    return openai.OpenAI(base_url=service.url, api_key="sk-local", max_retries=0)
