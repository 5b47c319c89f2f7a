"""A tiny random model whose answers depend clearly on the prompt, and engines on it."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from localtune.infer.engine import Engine, GenerateRequest
from localtune.model.llama import Llama, load_llama, save_llama
from localtune.model.tokenizer import Tokenizer
from tests.tiny import tiny_base


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Threads that wait for each other make tiny models slow on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with grouped queries; weights large enough that log-probabilities differ from token to token."""
    folder = tiny_base(tmp_path_factory.mktemp("models") / "tiny", num_key_value_heads=2)
    model = load_llama(folder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8 if parameter.ndim == 2 else 1.5)
    save_llama(model, folder, folder)
    return folder


@pytest.fixture(scope="session")
def model(folder: Path) -> Llama:
    return load_llama(folder)


@pytest.fixture(scope="session")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_folder(folder)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(max_models=2, max_slots=8)
    engine.start()
    yield engine
    engine.close()


@pytest.fixture
def request_for(folder: Path) -> Callable[..., GenerateRequest]:
    """A greedy request; keywords override."""

    def make(prompt_ids: list[int], **changes: Any) -> GenerateRequest:
        fields = {"max_tokens": 12, "stop_ids": frozenset(), "temperature": 0.0}
        return GenerateRequest(**{"folder": folder, "prompt_ids": prompt_ids, **fields, **changes})

    return make
