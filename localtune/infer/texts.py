"""Text and token ids of whatever model a folder holds: the embedded ones, or an open-weight one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from localtune.model.llama import LlamaConfig
from localtune.model.tokenizer import Tokenizer
from localtune.openweight.load import is_open_weight


class TextTokenizer(Protocol):
    """What answering needs of a tokenizer."""

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer and are not part of it."""

    @property
    def answer_end_id(self) -> int | None:
        """The token that ends an answer in a chat; None: this model has none."""

    @property
    def lead(self) -> str:
        """What the first token of an answer may begin with that is no part of it."""

    def __len__(self) -> int:
        """Ids are below this."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, without any marks."""

    def document(self, text: str) -> list[int]:
        """Ids of a text with nothing before it; never empty."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text that `ids` add to a text."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes that one token adds to a text."""

    def token_name(self, token: int) -> bytes:
        """By what a list of alternatives calls a token; differs from its bytes where it adds none to the text."""

    def chat(self, messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False) -> tuple[list[int], list[int]]:
        """Ids of a conversation and loss mask."""


def tokenizer_of(folder: Path) -> TextTokenizer:
    """The tokenizer of a model's folder. Raises EngineError when an open-weight model has none that works."""
    if is_open_weight(folder):
        from localtune.infer.open_model import open_tokenizer

        return open_tokenizer(folder)
    return Tokenizer.from_folder(folder)


def context_of(folder: Path) -> int:
    """How many tokens a model reads at most. Raises EngineError as `tokenizer_of` does."""
    if is_open_weight(folder):
        from localtune.infer.open_model import open_context

        return open_context(folder)
    return LlamaConfig.from_folder(folder).max_position_embeddings
