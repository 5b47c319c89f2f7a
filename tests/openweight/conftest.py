"""Tiny random bases, one of every family; nothing may change them."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.openweight.tiny_open import FAMILIES, tiny_open


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Threads that wait for each other make tiny models slow on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each base, by family."""
    root = tmp_path_factory.mktemp("bases")
    return {family: tiny_open(root / family, family) for family in FAMILIES}
