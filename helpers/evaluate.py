"""Ask a model over a whole data set, and judge its answers; judges take plain strings, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import openai

from helpers.progress import Progress

Messages = Sequence[Any]  # of {"role": …, "content": …}
Ngram = tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """One answer, or the reason why there is none. `pd.DataFrame(answers)` makes a table of them.

    `logprobs` are (token, natural log of its probability) of the tokens written, `top` the most likely first tokens;
    both are empty unless asked for.
    """

    question: str
    text: str | None
    error: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    top: Mapping[str, float] = field(default_factory=dict, repr=False)


def ask(
    client: openai.OpenAI,
    model: str,
    messages_list: Iterable[Messages | str],
    concurrency: int = 8,
    system: str | None = None,
    **params: Any,
) -> list[Answer]:
    """Answers to many chats, in their order; a plain string is a user's question, with `system` in front.

    `params` go to `chat.completions.create` (temperature, max_tokens, seed …). The SDK repeats what can be repeated;
    a request that still fails becomes an Answer with `error` and `text=None`, so the list is never shorter.
    """
    chats = [_messages(item, system) for item in messages_list]
    return _each(lambda group: [_chat(client, model, group[0], params)], chats, _last_user, concurrency, model)


def complete(
    client: openai.OpenAI,
    model: str,
    prompts: Iterable[str],
    concurrency: int = 8,
    per_request: int = 1,
    **params: Any,
) -> list[Answer]:
    """Like `ask` for the completions endpoint: prompts go to the model as they are, `per_request` of them together.

    Several in one request are much faster where answers are short; the provider counts their tokens together, so the
    answers tell none. A request that is refused for one of its prompts is repeated prompt by prompt.
    """
    return _each(lambda group: _completions(client, model, group, params), list(prompts), str, concurrency, model, per_request)


def ask_one(
    client: openai.OpenAI, model: str, messages: Messages | str, system: str | None = None, **params: Any
) -> Answer:
    """Like `ask` for a single chat, silently. Raises the SDK's errors."""
    chat = _messages(messages, system)
    return Answer(_last_user(chat), **_chat(client, model, chat, params))


def complete_one(client: openai.OpenAI, model: str, prompt: str, **params: Any) -> Answer:
    """Like `complete` for a single prompt, silently. Raises the SDK's errors."""
    return Answer(prompt, **_completions(client, model, [prompt], params)[0])


def logprobs(
    client: openai.OpenAI,
    model: str,
    messages_list: Iterable[Messages | str],
    top: int = 5,
    concurrency: int = 8,
    system: str | None = None,
    **params: Any,
) -> list[Answer]:
    """Like `ask`, but for the first token only: `answer.top` maps the `top` most likely tokens to log-probabilities."""
    params = {"max_tokens": 1, "temperature": 0, **params, "logprobs": True, "top_logprobs": top}
    return ask(client, model, messages_list, concurrency, system, **params)


def fact_kept(answer: str | None, accept: Iterable[str]) -> bool | None:
    """Does the answer contain one of the accepted spellings as whole words? None if there is no answer to judge."""
    if answer is None:
        return None
    text = _plain(answer)
    return any(re.search(rf"(?<!\w){re.escape(_plain(spelling))}(?!\w)", text) for spelling in accept)


def style_ngrams(train_answers: Iterable[str], reference_texts: Iterable[str], n: int = 3) -> frozenset[Ngram]:
    """Word triples (or n-grams) of the training answers that occur in none of the reference texts.

    Reference texts are questions, plain answers, anything a model without the style might say as well; what is left
    can only come from the training answers' style.
    """
    return _ngrams(train_answers, n) - _ngrams(reference_texts, n)


def style_shown(answer: str | None, ngrams: frozenset[Ngram]) -> bool | None:
    """Does the answer use at least one of the style's n-grams? None if there is no answer to judge."""
    if answer is None:
        return None
    return any(_ngrams([answer], n) & ngrams for n in {len(ngram) for ngram in ngrams})


def words(text: str) -> list[str]:
    """Words in lower case, without punctuation; an apostrophe belongs to its word."""
    return re.findall(r"\w+(?:'\w+)*", _plain(text))


def _ngrams(texts: Iterable[str], n: int) -> frozenset[Ngram]:
    lists = [words(text) for text in texts]
    return frozenset(tuple(w[i : i + n]) for w in lists for i in range(len(w) - n + 1))


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").casefold().split())


def _messages(item: Messages | str, system: str | None) -> Messages:
    chat = [{"role": "user", "content": item}] if isinstance(item, str) else item
    return [{"role": "system", "content": system}, *chat] if system else chat


def _last_user(chat: Messages) -> str:
    return next((str(m.get("content")) for m in reversed(chat) if m.get("role") == "user"), "")


def _each(
    request: Callable[[list[Any]], list[dict[str, Any]]],
    items: list[Any],
    question: Callable[[Any], str],
    concurrency: int,
    label: str,
    per_request: int = 1,
) -> list[Answer]:
    """Runs `request` for groups of items on a few threads; order is kept, failures become answers with an error.

    Items of like length travel together: who reads them side by side then computes little on padding.
    """
    progress, answers = Progress(f"Asking {label}", len(items)), [Answer("", None)] * len(items)
    order = sorted(range(len(items)), key=lambda index: len(str(items[index])))
    groups = [order[start : start + per_request] for start in range(0, len(order), per_request)]
    pool, done = ThreadPoolExecutor(max_workers=max(1, concurrency)), 0
    try:
        waiting = {pool.submit(_answers, request, [items[index] for index in group], question): group for group in groups}
        for future in as_completed(waiting):
            for index, answer in zip(waiting[future], future.result(), strict=True):
                answers[index] = answer
            done += len(waiting[future])
            progress.update(done, len(items), f"Asking {label}")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        progress.close(_summary(label, answers))
    return answers


def _answers(
    request: Callable[[list[Any]], list[dict[str, Any]]], group: list[Any], question: Callable[[Any], str]
) -> list[Answer]:
    try:
        return [Answer(question(item), **found) for item, found in zip(group, request(group), strict=True)]
    except openai.OpenAIError as error:
        if len(group) > 1 and isinstance(error, openai.BadRequestError):
            return [answer for item in group for answer in _answers(request, [item], question)]
        return [Answer(question(item), None, error=f"{type(error).__name__}: {error}") for item in group]


def _summary(label: str, answers: list[Answer]) -> str:
    errors = [answer.error for answer in answers if answer.error]
    done = sum(answer.text is not None for answer in answers)
    line = f"{label}: {done} answers to {len(answers)} questions"
    return line + (f"; {len(errors)} failed, the first with {errors[0]}" if errors else "")


def _chat(client: openai.OpenAI, model: str, chat: Messages, params: Mapping[str, Any]) -> dict[str, Any]:
    reply = client.chat.completions.create(model=model, messages=list(chat), **params)
    choice = reply.choices[0]
    tokens = (choice.logprobs and choice.logprobs.content) or []
    return {
        "text": choice.message.content or choice.message.refusal or "",
        "logprobs": tuple((token.token, token.logprob) for token in tokens),
        "top": {t.token: t.logprob for t in tokens[0].top_logprobs} if tokens else {},
        **_common(choice, reply.usage),
    }


def _completions(client: openai.OpenAI, model: str, prompts: list[str], params: Mapping[str, Any]) -> list[dict[str, Any]]:
    reply = client.completions.create(model=model, prompt=prompts if len(prompts) > 1 else prompts[0], **params)
    texts = max(1, len(reply.choices) // len(prompts))  # for each prompt; the first of them is the answer
    choices = sorted(reply.choices, key=lambda choice: choice.index)[::texts]
    return [_completion(choice, reply.usage if len(prompts) == 1 else None) for choice in choices]


def _completion(choice: Any, usage: Any) -> dict[str, Any]:
    scores = choice.logprobs
    return {
        "text": choice.text,
        "logprobs": tuple(zip(scores.tokens or [], scores.token_logprobs or [])) if scores else (),
        "top": dict(scores.top_logprobs[0]) if scores and scores.top_logprobs else {},
        **_common(choice, usage),
    }


def _common(choice: Any, usage: Any) -> dict[str, Any]:
    return {
        "finish_reason": choice.finish_reason,
        "prompt_tokens": usage.prompt_tokens if usage else 0,
        "completion_tokens": usage.completion_tokens if usage else 0,
    }
