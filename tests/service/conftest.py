"""Services to test: each its own process, port and state folder, with the fake worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.service.harness import Service


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of six parameters: just enough for the catalog."""
    folder = tmp_path_factory.mktemp("bases")
    header = json.dumps({"weight": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}).encode()
    (folder / "small").mkdir()
    weights = len(header).to_bytes(8, "little") + header + bytes(12)
    (folder / "small" / "model.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def new_service(tmp_path: Path, bases: Path) -> Iterator[Service]:
    """A service of the test's own; not started yet."""
    service = Service(tmp_path / "state", bases)
    yield service
    if service.process is not None and service.process.poll() is None:
        service.process.kill()
        service.process.wait()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, bases: Path) -> Iterator[Service]:
    """The service that most tests share."""
    shared = Service(tmp_path_factory.mktemp("shared"), bases).start()
    yield shared
    assert shared.stop() == 0


@pytest.fixture
def client(service: Service) -> openai.OpenAI:
    return service.client()
