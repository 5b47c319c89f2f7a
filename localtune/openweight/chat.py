"""Conversations → token ids and loss mask, by the chat template that comes with a model.

The ids are those of `apply_chat_template`, so what is trained here is asked the same way by every program that uses the
template. What of them is learnt the template says itself (`{% generation %}`), or `turns` finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from localtune.openweight.turns import MARKED, Messages, Span, answer_spans, marked_spans, written

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MESSAGE_END = "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + 'END\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NO_TEMPLATE = (
    "The base has no chat template: conversations are written as ChatML, which it has probably never seen. Completions "
    "(prompt and completion) are what such a base knows."
)
SAME_ROLE = {"developer": "system"}  # OpenAI's newer word, which templates do not know
# Around what only looks like a special token: private characters, which no text has a use for.
OPEN, CLOSE = "\ue000", "\ue001"
PIECES = re.compile(f"{OPEN}(.*?){CLOSE}|[^{OPEN}{CLOSE}]+", re.DOTALL)


class OpenTokenizer:
    """The small tokenizer's training side, for a model's own one: `chat`, `completion`, `eot_id` (also the padding)."""

    def __init__(self, inner: PreTrainedTokenizerBase) -> None:
        self.inner = inner
        self.warning = ensure_template(inner)
        self.eot_id = end_of_text(inner)

    def chat(self, messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False) -> tuple[list[int], list[int]]:
        return render(self.inner, messages, generation_prompt)

    def completion(self, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        return completed(self.inner, prompt, completion)


def render(
    tokenizer: PreTrainedTokenizerBase, messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False
) -> tuple[list[int], list[int]]:
    """Ids and loss mask of a conversation: 1 on every answer with its end mark, unless its `weight` is 0.

    Raises ValueError where the template refuses the conversation, or writes an answer in a way that cannot be found again.
    """
    ensure_template(tokenizer)
    rows = [plain(tokenizer, message) for message in messages]
    text = written(tokenizer, rows, generation_prompt)
    ids, offsets = encoded(tokenizer, text)
    mask = [0] * len(ids)
    specials = set(special_tokens(tokenizer).values())
    marked = MARKED.search(tokenizer.get_chat_template())
    for span, row in zip(spans_of(tokenizer, rows, text, bool(marked)), answers(rows), strict=True):
        if row.get("weight", 1) != 0:
            learn(mask, offsets, span if marked else (span[0], end_mark(ids, offsets, span, text, specials)))
    if not marked and not generation_prompt and mask and needs_end(ids, mask, specials, rows):
        ids, mask = [*ids, end_of_text(tokenizer)], [*mask, 1]
    return ids, mask


def completed(tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str) -> tuple[list[int], list[int]]:
    """Ids and loss mask of a prompt/completion pair; the completion ends with the end-of-text token.

    A prompt begins as the model's texts do (with its begin mark, if it has one), and never shares a token with the completion.
    """
    head = list(tokenizer(prompt)["input_ids"])
    while head and head[-1] == tokenizer.eos_token_id:  # some close every text; this one goes on
        head.pop()
    whole = list(tokenizer(prompt + completion)["input_ids"])
    apart = list(tokenizer(completion, add_special_tokens=False)["input_ids"])
    tail = whole[len(head) :] if whole[: len(head)] == head else apart
    while tail and tail[-1] == tokenizer.eos_token_id:
        tail.pop()
    return [*head, *tail, end_of_text(tokenizer)], [0] * len(head) + [1] * (len(tail) + 1)


def ensure_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Gives a tokenizer without chat template the ChatML one, and says so; None where it has one of its own.

    `<|im_end|>` is the end mark where it is a token. Else it is the end-of-text token: a mark of several pieces could not
    stop a text.
    """
    if tokenizer.chat_template is not None:
        return None
    end = MESSAGE_END if MESSAGE_END in tokenizer.get_vocab() else tokenizer.eos_token or MESSAGE_END
    tokenizer.chat_template = CHATML.replace("END", end)
    return NO_TEMPLATE


def end_of_text(tokenizer: PreTrainedTokenizerBase) -> int:
    """The token that ends a text; raises ValueError for a tokenizer that names none."""
    if tokenizer.eos_token_id is None:
        raise ValueError("the tokenizer names no eos_token, so a model could not learn where to stop")
    return tokenizer.eos_token_id


@lru_cache(maxsize=8)  # some families have thousands
def special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Text and id of every token that no plain text may turn into."""
    added = {token.content: id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return added | dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids))


@lru_cache(maxsize=8)
def special_text(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str]:
    """Matches what looks like a special token; nothing where there is none."""
    names = sorted(special_tokens(tokenizer), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")


def plain(tokenizer: PreTrainedTokenizerBase, message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as templates take it, with everything in its text marked that only looks like a special token."""
    content = message["content"].replace(OPEN, "").replace(CLOSE, "")
    content = special_text(tokenizer).sub(lambda found: f"{OPEN}{found[0]}{CLOSE}", content)
    return {**message, "role": SAME_ROLE.get(message["role"], message["role"]), "content": content}


def encoded(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[Span]]:
    """Ids, and the characters of `text` each stands for. The template has written the special tokens already."""
    ids: list[int] = []
    offsets: list[Span] = []
    for piece in PIECES.finditer(text):
        looks_special = piece[1] is not None
        start = piece.start(1) if looks_special else piece.start()
        found = tokenizer(
            piece[1] if looks_special else piece[0], add_special_tokens=False, return_offsets_mapping=True,
            split_special_tokens=looks_special,
        )
        ids += found["input_ids"]
        offsets += [(start + begin, start + end) for begin, end in found["offset_mapping"]]
    return ids, offsets


def answers(messages: Messages) -> list[Mapping[str, Any]]:
    return [message for message in messages if message["role"] == "assistant"]


def spans_of(tokenizer: PreTrainedTokenizerBase, messages: Messages, text: str, marked: bool) -> list[Span]:
    """Where the answers stand in `text`; raises ValueError when not each of them can be found."""
    spans = marked_spans(tokenizer, messages) if marked else answer_spans(tokenizer, messages, text)
    if len(spans) != len(answers(messages)):
        raise ValueError(f"the chat template marks {len(spans)} of {len(answers(messages))} answers")
    return spans


def end_mark(ids: list[int], offsets: list[Span], span: Span, text: str, ends: set[int]) -> int:
    """Where an answer is over: a line break after its end mark is the template's, and nobody has to write it."""
    marks = [end for id, (start, end) in zip(ids, offsets) if id in ends and span[0] < end <= span[1]]
    return marks[-1] if marks and not text[marks[-1] : span[1]].strip() else span[1]


def learn(mask: list[int], offsets: list[Span], span: Span) -> None:
    """Marks the tokens that cover a character of the span."""
    for n, (start, end) in enumerate(offsets):
        if end > span[0] and start < span[1]:
            mask[n] = 1


def needs_end(ids: list[int], mask: list[int], ends: set[int], messages: Messages) -> bool:
    """Whether the conversation closes with a learnt answer that has no end mark: some templates write one only where the
    next turn begins, and a model trained so would never stop."""
    last = max((n for n, learnt in enumerate(mask) if learnt), default=0)
    return messages[-1]["role"] == "assistant" and messages[-1].get("weight", 1) != 0 and ids[last] not in ends
