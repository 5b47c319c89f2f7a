"""The tokenizer files of the base: vocabulary, chat template and generation defaults."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from localtune.base.corpus.mixture import stream
from localtune.model.tokenizer import CHAT_TEMPLATE, END_OF_TEXT, MESSAGE_END, Tokenizer, train_tokenizer

SIZE = 4_096
CONTEXT = 1_024
LABELS = (
    *(f" {label}" for label in ("yes", "no", "positive", "negative", "neutral", "true", "false", "->", "END")),
    *(f"{space}{letter}" for letter in "ABCDE" for space in ("", " ")),
    *(f"{space}{number}" for number in range(100) for space in ("", " ")),
    *(f"0{digit}" for digit in range(10)),
)


def write_tokenizer(folder: Path, seed: int, documents: int) -> None:
    """Learn the vocabulary from the first documents of the corpus and write the Hugging Face files."""
    texts = (text for document in islice(stream(seed), documents) for text in document.parts)
    tokenizer = Tokenizer(train_tokenizer(texts, SIZE, LABELS))
    split = [label for label in LABELS if len(tokenizer.encode(label)) != 1]
    if split:
        raise ValueError(f"labels that are not one token: {split}")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.inner.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, "chat_template": CHAT_TEMPLATE,
        "eos_token": END_OF_TEXT, "pad_token": END_OF_TEXT, "clean_up_tokenization_spaces": False,
    })
    ends = [tokenizer.eot_id, tokenizer.inner.token_to_id(MESSAGE_END)]
    write_json(folder / "generation_config.json", {"eos_token_id": ends, "pad_token_id": tokenizer.eot_id})


def write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
