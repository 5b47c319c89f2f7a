"""POST /chat/completions."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, ChatCompletionTokenLogprob
from openai.types.chat.chat_completion import Choice, ChoiceLogprobs
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from openai.types.chat.chat_completion_chunk import ChoiceLogprobs as ChunkLogprobs
from openai.types.chat.chat_completion_token_logprob import TopLogprob
from openai.types.completion_usage import CompletionUsage
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.generation import (
    Output, SamplingBody, check_length, check_size, complete, event_stream, fingerprint, json_response, merged,
    refuse_unsupported, token_string, unless_gone, usage,
)
from localtune.api.schema import Body, invalid
from localtune.infer.engine import Engine, Finish, GenerateRequest, Token
from localtune.infer.texts import TextTokenizer

router = APIRouter()

DEFAULT_MAX_TOKENS = 256

# Not built; the values in brackets ask for nothing and may be sent.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "audio": (), "functions": (), "function_call": ("none",), "modalities": (["text"],), "moderation": (),
    "parallel_tool_calls": (True, False), "prediction": (), "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},), "store": (False,), "tools": (), "tool_choice": ("none", "auto"),
    "verbosity": ("medium",), "web_search_options": (),
}
UNSUPPORTED_IN_MESSAGE: dict[str, tuple[Any, ...]] = {"audio": (), "function_call": (), "tool_calls": ()}


class Message(Body):
    """One message; `name` and `tool_call_id` are labels that the small models have never seen."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_call_id: str | None = None
    audio: Any = None
    function_call: Any = None
    tool_calls: Any = None


class ChatBody(SamplingBody):
    messages: Annotated[list[Message], Field(min_length=1)]
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    # Without effect on the answer of a local model.
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    # Refused, see UNSUPPORTED.
    audio: Any = None
    functions: Any = None
    function_call: Any = None
    modalities: Any = None
    moderation: Any = None
    parallel_tool_calls: Any = None
    prediction: Any = None
    reasoning_effort: Any = None
    response_format: Any = None
    store: Any = None
    tools: Any = None
    tool_choice: Any = None
    verbosity: Any = None
    web_search_options: Any = None

    def check(self) -> None:
        super().check()
        refuse_unsupported(self, UNSUPPORTED)
        if self.top_logprobs is not None and not self.logprobs:
            message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
            raise APIError(400, message, param="top_logprobs")
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
            raise APIError(400, message, param="max_tokens")


@dataclass(frozen=True)
class Reply:
    """What every part of one answer repeats."""

    id: str
    created: int
    model: str
    tokenizer: TextTokenizer
    prompt_tokens: int

    @property
    def fields(self) -> dict[str, Any]:
        fields = {"id": self.id, "created": self.created, "model": self.model}
        return {**fields, "service_tier": "default", "system_fingerprint": fingerprint(self.model)}


@router.post("/chat/completions")
async def create_chat_completion(body: ChatBody, request: Request, project: Project) -> Response:
    body.check()
    engine: Engine = request.app.state.engine
    model = await run_in_threadpool(request.app.state.catalog.resolve, project, body.model)
    headers = {"x-localtune-model": model.base}
    requests = await run_in_threadpool(generate_requests, engine, model.folder, body, project)
    tokenizer, prompt_tokens = engine.tokenizer(model.folder), len(requests[0].prompt_ids)
    reply = Reply(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), model.name, tokenizer, prompt_tokens)
    if body.stream:
        return event_stream(chunks(reply, engine, requests, body.include_usage), headers)
    outputs = await unless_gone(request, complete(engine, requests))
    return await json_response(partial(completion, reply, outputs, bool(body.logprobs)), headers)


def generate_requests(engine: Engine, folder: Path, body: ChatBody, owner: str) -> list[GenerateRequest]:
    """One request per choice; raises a 400 when the messages do not fit, or the answer were too large."""
    tokenizer, context = engine.tokenizer(folder), engine.context(folder)
    messages = plain_messages(body.messages)
    check_length((message["content"] for message in messages), tokenizer, context, "messages")
    prompt, _ = tokenizer.chat(messages, generation_prompt=True)
    shared = dict(
        folder=folder,
        prompt_ids=prompt,
        max_tokens=room(context, len(prompt), body.max_completion_tokens or body.max_tokens),
        stop_ids=tokenizer.stop_ids,
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        owner=owner,
        lead=tokenizer.lead,
        **body.sampling(len(tokenizer)),
    )
    check_size((body.n or 1) * shared["max_tokens"], shared["top_logprobs"], "n")
    return [GenerateRequest(**shared, seed=body.seed_of(choice)) for choice in range(body.n or 1)]


def plain_messages(messages: list[Message]) -> list[dict[str, str]]:
    """Role and text of every message; a 400 for what is not text."""
    plain = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        for name in UNSUPPORTED_IN_MESSAGE:
            if getattr(message, name) is not None:
                text = f"Unsupported parameter: '{where}.{name}' is not supported with this model."
                raise APIError(400, text, param=f"{where}.{name}", code="unsupported_parameter")
        plain.append({"role": message.role, "content": plain_text(message.content, f"{where}.content")})
    return plain


def plain_text(content: str | list[dict[str, Any]] | None, where: str) -> str:
    """A message's content, its text parts joined."""
    if content is None:
        raise invalid(where, None, "str type expected")
    if isinstance(content, str):
        return content
    for index, part in enumerate(content):
        if part.get("type") != "text":
            raise invalid(f"{where}[{index}].type", part.get("type"), "unexpected value; permitted: 'text'")
        if not isinstance(part.get("text"), str):
            raise invalid(f"{where}[{index}].text", part.get("text"), "str type expected")
    return "".join(part["text"] for part in content)


def room(context: int, prompt: int, wanted: int | None) -> int:
    """How many tokens may be generated; a 400 when prompt and answer are longer than the context."""
    limit = f"This model's maximum context length is {context} tokens. However, "
    if prompt >= context:
        message = f"{limit}your messages resulted in {prompt} tokens. Please reduce the length of the messages."
        raise APIError(400, message, param="messages", code="context_length_exceeded")
    if wanted is not None and prompt + wanted > context:
        message = (
            f"{limit}you requested {prompt + wanted} tokens ({prompt} in the messages, {wanted} in the completion). "
            "Please reduce the length of the messages or completion."
        )
        raise APIError(400, message, param="messages", code="context_length_exceeded")
    return wanted or min(DEFAULT_MAX_TOKENS, context - prompt)


def completion(reply: Reply, outputs: list[Output], with_logprobs: bool) -> ChatCompletion:
    choices = [
        Choice(
            index=index,
            message=ChatCompletionMessage(role="assistant", content=output.text, refusal=None),
            finish_reason=output.finish.reason,
            logprobs=ChoiceLogprobs(content=logprobs(output.tokens, reply.tokenizer), refusal=None)
            if with_logprobs else None,
        )
        for index, output in enumerate(outputs)
    ]
    generated = sum(output.finish.completion_tokens for output in outputs)
    return ChatCompletion(
        object="chat.completion", choices=choices, usage=usage(reply.prompt_tokens, generated), **reply.fields
    )


async def chunks(
    reply: Reply, engine: Engine, requests: list[GenerateRequest], include_usage: bool
) -> AsyncIterator[ChatCompletionChunk]:
    """The answer in parts: role, then one part per token, then why it ended, then usage if wanted."""
    generated = 0
    for index in range(len(requests)):
        yield chunk(reply, index, ChoiceDelta(role="assistant", content="", refusal=None), include_usage)
    async with aclosing(merged(engine, requests)) as items:
        async for index, item in items:
            if isinstance(item, Finish):
                generated += item.completion_tokens
                yield chunk(reply, index, ChoiceDelta(), include_usage, finish=item)
            elif item.text or item.logprob is not None:
                yield chunk(reply, index, ChoiceDelta(content=item.text), include_usage, token=item)
    if include_usage:
        yield whole_chunk(reply, [], {"usage": usage(reply.prompt_tokens, generated)})


def chunk(
    reply: Reply, index: int, delta: ChoiceDelta, include_usage: bool,
    token: Token | None = None, finish: Finish | None = None,
) -> ChatCompletionChunk:
    scored = token is not None and token.logprob is not None
    choice = ChunkChoice(
        index=index,
        delta=delta,
        finish_reason=finish.reason if finish else None,
        logprobs=ChunkLogprobs(content=logprobs([token], reply.tokenizer), refusal=None) if scored else None,
    )
    return whole_chunk(reply, [choice], {"usage": None} if include_usage else {})


def whole_chunk(
    reply: Reply, choices: list[ChunkChoice], used: dict[str, CompletionUsage | None]
) -> ChatCompletionChunk:
    return ChatCompletionChunk(object="chat.completion.chunk", choices=choices, **reply.fields, **used)


def logprobs(tokens: list[Token], tokenizer: TextTokenizer) -> list[ChatCompletionTokenLogprob]:
    """Log-probabilities of the tokens and of the best alternatives at each place."""
    return [
        ChatCompletionTokenLogprob(
            token=token_string(token.bytes), bytes=list(token.bytes), logprob=token.logprob,
            top_logprobs=[
                TopLogprob(token=token_string(piece), bytes=list(piece), logprob=value)
                for piece, value in ((tokenizer.token_name(id), value) for id, value in token.top)
            ],
        )
        for token in tokens
    ]
