"""Conversations in three families' templates: the ids are the template's, and exactly the answers are learnt."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from localtune.openweight.chat import NO_TEMPLATE, OpenTokenizer, ensure_template, render
from tests.openweight.tiny_open import FAMILIES, QWEN, tiny_tokenizer

END = {"llama": "<|eot_id|>", "qwen3": "<|im_end|>", "gemma": "<end_of_turn>"}
THOUGHT = {"llama": "", "qwen3": "<think>\n\n</think>\n\n", "gemma": ""}  # what the template puts before the last answer
MARKED = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}{% if message.role == 'assistant' %}"
    "{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ message.content + '<|im_end|>' }}"
    "{% endif %}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The system prompt stands in the last question alone, so a shorter conversation is no beginning of a longer one.
MOVING = (
    "{% set system = messages[0].content if messages[0].role == 'system' else '' %}"
    "{% for message in messages %}{% if message.role == 'user' %}{{ '[' }}"
    "{% if messages[loop.index0 + 1:] | selectattr('role', 'equalto', 'user') | list | length == 0 %}{{ system + ': ' }}"
    "{% endif %}{{ message.content + ']' }}{% elif message.role == 'assistant' %}{{ message.content + eos_token }}"
    "{% endif %}{% endfor %}"
)
UNENDED = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def tokenizer(family: str) -> PreTrainedTokenizerFast:
    return tiny_tokenizer(family)


def turns(*contents: str, **last: Any) -> list[dict[str, Any]]:
    rows = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(contents)]
    return [*rows[:-1], {**rows[-1], **last}]


def learnt(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, Any]]) -> list[str]:
    """The learnt texts, one for each run of learnt tokens."""
    ids, mask = render(tokenizer, messages)
    assert len(ids) == len(mask)
    runs: list[list[int]] = []
    for n, (token, wanted) in enumerate(zip(ids, mask)):
        if wanted and (n == 0 or not mask[n - 1]):
            runs.append([])
        if wanted:
            runs[-1].append(token)
    return [tokenizer.decode(run) for run in runs]


TALK = turns("What is one?", "A number.", "And Paris?", "The capital of France.")


def test_ids_are_those_of_the_template(tokenizer: PreTrainedTokenizerFast) -> None:
    assert render(tokenizer, TALK)[0] == tokenizer.apply_chat_template(TALK)["input_ids"]
    prompt = tokenizer.apply_chat_template(TALK[:3], add_generation_prompt=True)["input_ids"]
    ids, mask = render(tokenizer, TALK[:3], generation_prompt=True)
    assert ids == prompt and not any(mask[-10:])


def test_every_answer_is_learnt_with_its_end_mark(family: str, tokenizer: PreTrainedTokenizerFast) -> None:
    assert learnt(tokenizer, TALK) == [f"A number.{END[family]}", f"{THOUGHT[family]}The capital of France.{END[family]}"]


def test_what_is_learnt_follows_the_prompt_of_an_answer(tokenizer: PreTrainedTokenizerFast) -> None:
    ids, mask = render(tokenizer, TALK)
    prompt, _ = render(tokenizer, TALK[:3], generation_prompt=True)
    assert ids[: len(prompt)] == prompt and mask[len(prompt) - 1 : len(prompt) + 1] == [0, 1]


def test_weight_zero_is_left_out(family: str, tokenizer: PreTrainedTokenizerFast) -> None:
    first = [*TALK[:1], {**TALK[1], "weight": 0}, *TALK[2:]]
    assert learnt(tokenizer, first) == [f"{THOUGHT[family]}The capital of France.{END[family]}"]
    assert learnt(tokenizer, [*TALK[:3], {**TALK[3], "weight": 0}]) == [f"A number.{END[family]}"]


def test_plain_text_is_no_special_token(family: str, tokenizer: PreTrainedTokenizerFast) -> None:
    end = tokenizer.convert_tokens_to_ids(END[family])
    count = render(tokenizer, TALK)[0].count(end)
    ids, mask = render(tokenizer, turns("What is one?", f"It {END[family]} is", "And Paris?", "The capital of France."))
    assert ids.count(end) == count
    runs = learnt(tokenizer, turns("What?", f"It {END[family]} is"))
    assert [text.replace(" ", "") for text in runs] == [f"{THOUGHT[family]}It{END[family]}is{END[family]}".replace(" ", "")]


def test_completion_ends_with_the_end_of_text(family: str, tokenizer: PreTrainedTokenizerFast) -> None:
    ids, mask = OpenTokenizer(tokenizer).completion("one times two =", " 2")
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode([id for id, wanted in zip(ids, mask) if wanted][:-1]) == " 2"
    assert mask == sorted(mask)


def test_refusals_are_told_in_the_templates_words() -> None:
    gemma = tiny_tokenizer("gemma")
    with pytest.raises(ValueError, match="System role not supported"):
        render(gemma, [{"role": "system", "content": "Be kind."}, *TALK])


def test_developer_is_a_system_message() -> None:
    llama = tiny_tokenizer("llama")
    said = [[{"role": role, "content": "Be kind."}, *TALK] for role in ("developer", "system")]
    assert render(llama, said[0]) == render(llama, said[1])


def test_thoughts_are_learnt_where_the_template_shows_them() -> None:
    qwen = tiny_tokenizer("qwen3")
    said = turns("What?", "<think>one</think>A number.", "And?", "<think>Paris</think>The capital.")
    assert learnt(qwen, said) == ["A number.<|im_end|>", "<think>\nParis\n</think>\n\nThe capital.<|im_end|>"]


def test_marked_templates_say_what_is_learnt() -> None:
    marked = tiny_tokenizer("qwen3", MARKED)
    assert learnt(marked, TALK) == ["A number.<|im_end|>", "The capital of France.<|im_end|>"]
    assert learnt(marked, [*TALK[:1], {**TALK[1], "weight": 0}, *TALK[2:]]) == ["The capital of France.<|im_end|>"]
    both = marked.apply_chat_template(TALK, return_assistant_tokens_mask=True)
    assert render(marked, TALK) == (both["input_ids"], both["assistant_masks"])


def test_a_system_prompt_that_moves() -> None:
    moving = tiny_tokenizer("llama", MOVING)
    said = [{"role": "system", "content": "Be kind"}, *TALK]
    assert learnt(moving, said) == ["A number.<|eot_id|>", "The capital of France.<|eot_id|>"]


def test_an_answer_without_end_mark_gets_one() -> None:
    unended = tiny_tokenizer("qwen3", UNENDED)
    assert learnt(unended, TALK) == ["A number.", "The capital of France.<|im_end|>"]


def test_no_template_means_chatml_and_a_warning() -> None:
    with_marks, without = tiny_tokenizer("qwen3", ""), tiny_tokenizer("llama", "")
    assert [ensure_template(one) for one in (with_marks, without)] == [NO_TEMPLATE] * 2
    assert [learnt(one, TALK) for one in (with_marks, without)] == [
        ["A number.<|im_end|>", "The capital of France.<|im_end|>"],
        ["A number.<|eot_id|>", "The capital of France.<|eot_id|>"],
    ]
    assert OpenTokenizer(with_marks).warning is None and tiny_tokenizer("qwen3", QWEN).chat_template == QWEN


def test_an_answer_that_comes_first() -> None:
    llama = tiny_tokenizer("llama")
    assert learnt(llama, [{"role": "assistant", "content": "A number."}, *TALK])[0] == "A number.<|eot_id|>"
