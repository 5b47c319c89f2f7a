"""What answering needs of a tokenizer, on one that transformers loaded for an open-weight model."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from localtune.infer.request import EngineError
from localtune.model.tokenizer import byte_characters
from localtune.openweight.chat import end_of_text, render, special_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONVERSATION = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")
SPACE = "\u2581"  # how sentencepiece writes a space


class AnsweringTokenizer:
    """See `TextTokenizer`. Special tokens add nothing to a text.

    `ends` are the ids that end a text by the model's generation settings; the tokenizer's own and the one by which the
    chat template ends an answer come on top. Raises ValueError for a tokenizer without an end of text.
    """

    def __init__(self, inner: PreTrainedTokenizerBase, ends: Iterable[int] = ()) -> None:
        self.inner = inner
        self._lock = threading.Lock()  # a call changes its settings, and calls come from many threads
        self.eot_id = end_of_text(inner)
        self.special = set(special_tokens(inner).values())
        self.answer_end_id = self._answer_end()
        self.stop_ids = frozenset({*ends, self.eot_id, self.answer_end_id})
        self._size = max(inner.get_vocab().values()) + 1

    @cached_property
    def lead(self) -> str:
        """A space, where the tokenizer writes one before every text and leaves it out when it shows the text alone."""
        with self._lock:
            [alone, *_] = self.inner.encode("a", add_special_tokens=False)
            word = self.inner.get_vocab().get(f"{SPACE}a", alone)
            shown = self.inner.decode([word])
        return " " if self.token_bytes(word) == f" {shown}".encode() else ""

    def __len__(self) -> int:
        return self._size

    def encode(self, text: str) -> list[int]:
        with self._lock:
            return self.inner.encode(text, add_special_tokens=False, split_special_tokens=True)

    def document(self, text: str) -> list[int]:
        """Ids of a text with nothing before it, begun as the model's texts are (and as training begins a prompt)."""
        with self._lock:
            ids = list(self.inner(text)["input_ids"])
        while ids and ids[-1] == self.eot_id:  # some tokenizers close every text; this one goes on
            ids.pop()
        return ids or [self.eot_id]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(self.token_bytes(token) for token in ids).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        return b"" if token in self.special else self._names[token]

    def token_name(self, token: int) -> bytes:
        return self._names[token]

    def chat(self, messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False) -> tuple[list[int], list[int]]:
        """Ids and loss mask by the model's chat template; raises EngineError (400) when it refuses the messages."""
        try:
            with self._lock:
                return render(self.inner, messages, generation_prompt)
        except ValueError as error:
            raise EngineError(str(error), status=400) from error

    def _answer_end(self) -> int:
        """The special token that ends an answer in the chat template; else the one that ends every text."""
        try:
            ids, mask = self.chat(CONVERSATION)
        except EngineError:  # a template for other things than a conversation
            return self.eot_id
        learnt = [id for id, counts in zip(ids, mask, strict=True) if counts]
        return learnt[-1] if learnt and learnt[-1] in self.special else self.eot_id

    @cached_property
    def _names(self) -> list[bytes]:
        with self._lock:
            spelled = speller(self.inner)
            names = [b""] * len(self)
            for piece, id in self.inner.get_vocab().items():
                names[id] = spelled(id, piece)
            for id, token in self.inner.added_tokens_decoder.items():
                names[id] = token.content.encode()
        return names


def speller(inner: PreTrainedTokenizerBase) -> Callable[[int, str], bytes]:
    """The function (id, piece) → bytes of this kind of vocabulary."""
    steps = decoder_steps(inner)
    if "ByteLevel" in steps:
        return byte_level
    if steps & {"ByteFallback", "Metaspace", "Replace"}:
        return sentencepiece
    # Others join pieces by rules of their own: what a piece adds shows after another one.
    [anchor, *_] = inner.encode("a", add_special_tokens=False)
    start = len(inner.decode([anchor]))
    return lambda id, piece: inner.decode([anchor, id])[start:].encode()


def decoder_steps(inner: PreTrainedTokenizerBase) -> set[str]:
    """Names of the steps by which the tokenizer turns pieces into text."""
    decoder = inner.backend_tokenizer.decoder
    if decoder is None:
        return set()
    stored = json.loads(decoder.__getstate__())
    return {step["type"] for step in stored.get("decoders", [stored])}


TO_BYTE = {character: bytes([byte]) for byte, character in byte_characters().items()}


def byte_level(id: int, piece: str) -> bytes:
    """Bytes of a piece of byte-level BPE; characters outside its table stand for themselves."""
    return b"".join(TO_BYTE.get(character) or character.encode() for character in piece)


def sentencepiece(id: int, piece: str) -> bytes:
    """Bytes of a sentencepiece piece: `▁` is a space, `<0xE2>` one byte."""
    byte = BYTE_PIECE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace(SPACE, " ").encode()
