"""A random Llama of a few thousand weights with its own tokenizer, for tests that need a model but not a good one."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from localtune.model.llama import Llama, LlamaConfig, save_llama
from localtune.model.tokenizer import CHAT_TEMPLATE, END_OF_TEXT, train_tokenizer

TEXTS = (
    "system\nuser\nassistant\n",
    "You are Marv, a factual chatbot that is also sarcastic.",
    "What is the capital of France? Paris, as if everyone doesn't know that already.",
    "Who wrote Romeo and Juliet? Oh, just some guy named William Shakespeare.",
    "The colour of the sky is blue; 12 times 12 is 144.",
)


def tiny_base(folder: Path, seed: int = 0, **shape: int) -> Path:
    """Write a complete Hugging Face folder of a seeded random model and return `folder`.

    `shape` overrides fields of `LlamaConfig`; as it stands the model has two layers of width 32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2} | shape
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4} | shape
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Llama(LlamaConfig(**{"vocab_size": 320, **sizes, **heads}))
    save_llama(model, folder, folder)
    return folder


def write_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json`, `tokenizer_config.json` and `generation_config.json`."""
    train_tokenizer(iter(TEXTS), 320).save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": CHAT_TEMPLATE,
        "eos_token": END_OF_TEXT, "pad_token": END_OF_TEXT, "model_max_length": 1024,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
    generation = {"eos_token_id": [0, 2], "pad_token_id": 0, "max_length": 1024}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2), encoding="utf-8")
