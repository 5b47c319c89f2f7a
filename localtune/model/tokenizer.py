"""Byte-level BPE with the ChatML pieces the small models are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers

END_OF_TEXT, MESSAGE_START, MESSAGE_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, MESSAGE_START, MESSAGE_END)

# Digits go in pairs, so that class numbers up to 99 are one token and longer numbers are always cut alike.
SPLIT = r"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}{1,2}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Tokenizer:
    """Text ↔ token ids. Plain text can never turn into a special token."""

    lead = ""  # nothing comes between a message's header and its text

    def __init__(self, inner: tokenizers.Tokenizer) -> None:
        self.inner = inner
        self.inner.encode_special_tokens = True
        self.eot_id, self.im_start_id, self.im_end_id = (inner.token_to_id(token) for token in SPECIAL_TOKENS)

    @classmethod
    def from_folder(cls, folder: Path) -> Tokenizer:
        """Read `tokenizer.json`; raises FileNotFoundError when it is missing."""
        return cls(tokenizers.Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8")))

    def __len__(self) -> int:
        return self.inner.get_vocab_size()

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer and are not part of it."""
        return frozenset({self.im_end_id, self.im_start_id, self.eot_id})

    @property
    def answer_end_id(self) -> int:
        """The token that ends an answer in a chat."""
        return self.im_end_id

    def encode(self, text: str) -> list[int]:
        return self.inner.encode(text, add_special_tokens=False).ids

    def document(self, text: str) -> list[int]:
        """Ids of a text with nothing before it; an empty one is the end of the text before."""
        return self.encode(text) or [self.eot_id]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`; bytes that form no character become U+FFFD, special tokens are shown."""
        return b"".join(self.token_bytes(token) for token in ids).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """The bytes one token stands for."""
        return self._bytes[token]

    def token_name(self, token: int) -> bytes:
        """By what a list of alternatives calls a token: its bytes."""
        return self.token_bytes(token)

    def chat(
        self, messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False
    ) -> tuple[list[int], list[int]]:
        """ChatML ids and loss mask (1 on what the assistant says and its end mark, unless `weight` is 0)."""
        ids: list[int] = []
        mask: list[int] = []
        for message in messages:
            learnt = int(message["role"] == "assistant" and message.get("weight", 1) != 0)
            header = [self.im_start_id, *self.encode(f"{message['role']}\n")]
            content = [*self.encode(message["content"]), self.im_end_id]
            ids += [*header, *content, *self.encode("\n")]
            mask += [0] * len(header) + [learnt] * len(content) + [0]
        if generation_prompt:
            header = [self.im_start_id, *self.encode("assistant\n")]
            ids, mask = ids + header, mask + [0] * len(header)
        return ids, mask

    def completion(self, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        """Ids and loss mask of a prompt/completion pair; the completion ends with the end-of-text token."""
        head, tail = self.encode(prompt), [*self.encode(completion), self.eot_id]
        return head + tail, [0] * len(head) + [1] * len(tail)

    @cached_property
    def _bytes(self) -> list[bytes]:
        to_byte = {char: byte for byte, char in byte_characters().items()}
        pieces = (self.inner.id_to_token(token) for token in range(len(self)))
        return [
            piece.encode() if piece in SPECIAL_TOKENS else bytes(to_byte[char] for char in piece) for piece in pieces
        ]


def byte_characters() -> dict[int, str]:
    """The printable character by which byte-level BPE writes each byte (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def train_tokenizer(texts: Iterator[str], vocab_size: int, words: Iterable[str] = ()) -> tokenizers.Tokenizer:
    """Byte-level BPE learnt from `texts`; each of `words` becomes a single token."""
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=sorted(byte_characters().values()),
        show_progress=False,
    )
    inner.train_from_iterator(emphasised(texts, words), trainer)
    return inner


def emphasised(texts: Iterator[str], words: Iterable[str]) -> Iterator[str]:
    """The texts, then every word often enough to be merged whole."""
    yield from texts
    for word in words:
        yield from [word] * 20_000
