"""Where the answers stand in a rendered conversation: the same conversation is rendered again, shorter or changed, and the
texts are compared. Nothing of a template has to be known for that."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[Mapping[str, Any]]
Span = tuple[int, int]  # of characters, the end not included

MARKED = re.compile(r"\{%-?\s*generation\s*-?%\}")
SENTINELS = ("0", "1")  # two contents that differ from their first character to their last
NOT_FOUND = "the chat template does not write every answer where it can be found again, so it cannot be told what is learnt"


def written(tokenizer: PreTrainedTokenizerBase, messages: Messages, generation_prompt: bool = False) -> str:
    """The conversation as the template writes it; raises ValueError with the template's own words."""
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=generation_prompt)
    except (TemplateError, TypeError, IndexError) as error:
        raise ValueError(f"the model's chat template refuses the conversation: {error}") from error


def marked_spans(tokenizer: PreTrainedTokenizerBase, messages: Messages) -> list[Span]:
    """What the template puts between `{% generation %}` and `{% endgeneration %}`, one span an answer."""
    from transformers.utils.chat_template_utils import render_jinja_template

    _, [spans] = render_jinja_template(
        [list(messages)], chat_template=tokenizer.get_chat_template(), return_assistant_tokens_mask=True,
        **tokenizer.special_tokens_map,
    )
    return [(start, end) for start, end in spans]


def answer_spans(tokenizer: PreTrainedTokenizerBase, messages: Messages, text: str) -> list[Span]:
    """Every answer in `text`: from where a model would begin to write it to where its turn ends."""
    spans = []
    for n, message in enumerate(messages):
        if message["role"] == "assistant":
            start = answer_start(tokenizer, messages, n, text)
            spans.append((start, turn_end(tokenizer, messages, n, text, start)))
    return spans


def answer_start(tokenizer: PreTrainedTokenizerBase, messages: Messages, n: int, text: str) -> int:
    """The prompt of an answer is the text before it; where the template writes a shorter conversation in another way, the
    answer begins where its content does."""
    if n > 0:
        prompt = written(tokenizer, messages[:n], generation_prompt=True)
        if text.startswith(prompt):
            return len(prompt)
    return content_start(tokenizer, messages, n, text)


def turn_end(tokenizer: PreTrainedTokenizerBase, messages: Messages, n: int, text: str, start: int) -> int:
    """Where the turn of message n is over: with the conversation up to it, or after what the template writes behind it."""
    if n == len(messages) - 1:
        return len(text)
    through = messages[: n + 1]
    whole = written(tokenizer, through)
    if text.startswith(whole):
        return len(whole)
    tail = shared([written(tokenizer, replaced(through, n, content))[::-1] for content in SENTINELS])[::-1]
    end = text.find(tail, start, content_start(tokenizer, messages, n + 1, text))
    if end < 0:
        raise ValueError(NOT_FOUND)
    return end + len(tail)


def content_start(tokenizer: PreTrainedTokenizerBase, messages: Messages, n: int, text: str) -> int:
    """Where the content of message n stands: what changes when nothing else does."""
    before = shared([written(tokenizer, replaced(messages, n, content)) for content in SENTINELS])
    if not text.startswith(before):
        raise ValueError(NOT_FOUND)
    return len(before)


def replaced(messages: Messages, n: int, content: str) -> list[Mapping[str, Any]]:
    return [*messages[:n], {**messages[n], "content": content}, *messages[n + 1 :]]


def shared(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    return os.path.commonprefix(list(texts))
