"""Random models of a few thousand weights in the shapes of three open-weight families, with tokenizer and chat template.

The templates are written for these tests; what they have of the families' own is the shape: marks, order, what is left out
of earlier turns, what is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, PretrainedConfig, PreTrainedTokenizerFast, Qwen3Config,
)

TEXTS = (
    "system user assistant model developer think",
    "What is the capital of France? Paris, as if everyone doesn't know that already.",
    "Who wrote Romeo and Juliet? Oh, just some guy named William Shakespeare.",
    "It is a number; what is one times two? Everyone knows 0 1 2 3 4 5 6 7 8 9.",
)
LLAMA = """{{ bos_token }}{% for message in messages -%}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim + '<|eot_id|>' }}{% endfor -%}
{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""
# Thoughts are shown in the last answer alone, be they empty; earlier ones lose theirs.
QWEN = """{%- set place = namespace(last=0) %}
{%- for message in messages %}{% if message.role == 'user' %}{% set place.last = loop.index0 %}{% endif %}{% endfor %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}
{%- set said = message.content.split('</think>')[-1].lstrip('\n') %}
{%- set thought = message.content.split('</think>')[0] if '</think>' in message.content else '' %}
{%- set thought = thought.split('<think>')[-1].strip('\n') %}
{{- '<|im_start|>assistant\n' }}
{%- if loop.index0 > place.last and loop.last %}{{- '<think>\n' + thought + '\n</think>\n\n' }}{% endif %}
{{- said + '<|im_end|>\n' }}
{%- else %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{% endif %}"""
GEMMA = """{{ bos_token }}{% for message in messages -%}
{% if message.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif -%}
{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif -%}
{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' + message.content | trim -}}
{{ '<end_of_turn>\n' }}{% endfor -%}
{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""
MARKS = {
    "llama": ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "qwen3": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "gemma": ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
}
ROLES = {
    "llama": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    "qwen3": {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
    "gemma": {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"},
}
TEMPLATES = {"llama": LLAMA, "qwen3": QWEN, "gemma": GEMMA}
FAMILIES = tuple(TEMPLATES)
SHAPE = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256,
}


def tiny_open(folder: Path, family: str = "llama", seed: int = 0, **changes: Any) -> Path:
    """Write a complete folder as `save_pretrained` does and return it; `changes` go to the configuration."""
    tokenizer = tiny_tokenizer(family)
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config_of(family, tokenizer, **changes))
    with torch.no_grad():  # random weights of the usual size say nearly the same everywhere; these have opinions
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
    model.save_pretrained(folder)
    return folder


def tiny_tokenizer(family: str, template: str | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer of the family's kind; `template` instead of its own, "" for none."""
    inner = byte_level(MARKS[family]) if family != "gemma" else metaspace(MARKS[family])
    if family == "qwen3":
        inner.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **ROLES[family])
    chosen = TEMPLATES[family] if template is None else template
    tokenizer.chat_template = chosen or None
    return tokenizer


def byte_level(marks: tuple[str, ...]) -> Tokenizer:
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trained(inner, marks, pre_tokenizers.ByteLevel.alphabet())
    return inner


def metaspace(marks: tuple[str, ...]) -> Tokenizer:
    """Sentencepiece's way: spaces become a character of their own, unknown characters their bytes."""
    inner = Tokenizer(models.BPE(byte_fallback=True, unk_token=None, fuse_unk=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trained(inner, (*marks, *(f"<0x{byte:02X}>" for byte in range(256))), sorted({*"".join(TEXTS), "▁", "\n"}))
    return inner


def trained(inner: Tokenizer, marks: tuple[str, ...], alphabet: list[str]) -> None:
    special = [AddedToken(mark, special=True, normalized=False) for mark in marks]
    size = len(marks) + len(alphabet) + 60
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(TEXTS, trainer)


def config_of(family: str, tokenizer: PreTrainedTokenizerFast, **changes: Any) -> PretrainedConfig:
    marks = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    shape = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, **marks, **SHAPE, **changes}
    if family == "gemma":
        return Gemma3TextConfig(**shape, sliding_window=64)
    return (LlamaConfig if family == "llama" else Qwen3Config)(**shape)
