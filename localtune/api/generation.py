"""What chat and legacy completions share: sampling parameters, running the choices, streaming."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import torch
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from openai.types.completion_usage import CompletionTokensDetails, CompletionUsage, PromptTokensDetails
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from localtune import __version__
from localtune.api.errors import APIError
from localtune.api.schema import Body, invalid
from localtune.infer.engine import Engine, EngineError, Finish, GenerateRequest, Token
from localtune.infer.texts import TextTokenizer

Result = TypeVar("Result")

Penalty = Annotated[float, Field(ge=-2, le=2)]
Bias = Annotated[float, Field(ge=-100, le=100)]

MAX_STOPS = 4
MAX_VALUES = 250_000  # tokens and log-probabilities of one answer

# Choices of one request differ although they share a seed.
SEED_STRIDE = 1_000_003


class StreamOptions(Body):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # padding against eavesdroppers; there is no network to listen on


class SamplingBody(Body):
    """Parameters that both endpoints have; null means the default."""

    model: str
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None

    @property
    def include_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def check(self) -> None:
        """Raise a 400 for parameters that do not go together."""
        if self.stream_options and not self.stream:
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise APIError(400, message, param="stream_options")
        if isinstance(self.stop, list) and len(self.stop) > MAX_STOPS:
            raise invalid("stop", self.stop, f"ensure this value has at most {MAX_STOPS} items")

    def sampling(self, vocabulary: int) -> dict[str, Any]:
        """The fields of a GenerateRequest that come straight from the body, except the seed."""
        return {
            "temperature": 1.0 if self.temperature is None else self.temperature,
            "top_p": 1.0 if self.top_p is None else self.top_p,
            "frequency_penalty": self.frequency_penalty or 0.0,
            "presence_penalty": self.presence_penalty or 0.0,
            "stop": tuple([self.stop] if isinstance(self.stop, str) else self.stop or ()),
            "logit_bias": token_bias(self.logit_bias or {}, vocabulary),
        }

    def seed_of(self, choice: int) -> int | None:
        return None if self.seed is None else self.seed + SEED_STRIDE * choice


@dataclass
class Output:
    """One finished choice."""

    tokens: list[Token] = field(default_factory=list)
    finish: Finish = Finish("length", 0)

    @property
    def text(self) -> str:
        return joined(self.tokens)

    def mean_logprob(self) -> float:
        return sum(token.logprob or 0.0 for token in self.tokens) / max(1, len(self.tokens))


def joined(tokens: list[Token]) -> str:
    """The text that the tokens show."""
    return "".join(token.text for token in tokens)


def token_bias(bias: dict[str, float], vocabulary: int) -> dict[int, float]:
    """Keys of `logit_bias` as token ids; 400 for one that is not in the vocabulary."""
    for key in bias:
        if not (key.isascii() and key.isdigit() and len(key) <= len(str(vocabulary)) and int(key) < vocabulary):
            raise invalid("logit_bias", key, f"keys must be token ids from 0 to {vocabulary - 1}")
    return {int(key): value for key, value in bias.items()}


def check_length(texts: Iterable[str], tokenizer: TextTokenizer, context: int, param: str) -> None:
    """A 400 for text that cannot fit: to count the tokens of megabytes takes minutes, and nobody needs the number."""
    if sum(len(text.encode("utf-8")) for text in texts) > context * longest_token(tokenizer):
        raise APIError(
            400, f"This model's maximum context length is {context} tokens. However, your {param} resulted in more than "
            f"{context} tokens. Please reduce the length of the {param}.", param=param, code="context_length_exceeded",
        )


def check_size(tokens: int, alternatives: int | None, param: str) -> None:
    """A 400 for an answer of so many tokens, each with its alternatives, that it would fill the memory."""
    values = tokens * (1 + (alternatives or 0))
    if values > MAX_VALUES:
        raise APIError(
            400, f"This request asks for up to {values:,} tokens and log-probabilities in all its texts; at most "
            f"{MAX_VALUES:,} are given at once. Please ask for fewer texts, tokens or log-probabilities.", param=param,
        )


@lru_cache(maxsize=8)
def longest_token(tokenizer: TextTokenizer) -> int:
    """Bytes of the longest token."""
    return max(len(tokenizer.token_name(id)) for id in range(len(tokenizer)))


def refuse_unsupported(body: Body, neutral: dict[str, tuple[Any, ...]]) -> None:
    """A 400 for every parameter that would change the answer and is not built; `neutral` values may be sent."""
    for name, allowed in neutral.items():
        value = getattr(body, name)
        if value is None or value in allowed:
            continue
        if not allowed:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise APIError(400, message, param=name, code="unsupported_parameter")
        message = f"Unsupported value: '{name}' does not support {value!r} with this model. Supported: {allowed[0]!r}."
        raise APIError(400, message, param=name, code="unsupported_value")


async def merged(engine: Engine, requests: list[GenerateRequest]) -> AsyncIterator[tuple[int, Token | Finish]]:
    """Items of several requests as they come, each with the index of its request."""
    items: asyncio.Queue[tuple[int, Token | Finish | Exception]] = asyncio.Queue()

    async def pump(index: int, request: GenerateRequest) -> None:
        try:
            async with aclosing(engine.generate(request)) as stream:
                async for item in stream:
                    items.put_nowait((index, item))
        except Exception as error:
            items.put_nowait((index, error))

    tasks = [asyncio.create_task(pump(index, request)) for index, request in enumerate(requests)]
    try:
        unfinished = len(tasks)
        while unfinished:
            index, item = await items.get()
            if isinstance(item, Exception):
                raise item
            unfinished -= isinstance(item, Finish)
            yield index, item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def complete(engine: Engine, requests: list[GenerateRequest]) -> list[Output]:
    """Run requests to their end; raises a 500 when the engine fails."""
    outputs = [Output() for _ in requests]
    try:
        async with aclosing(merged(engine, requests)) as items:
            async for index, item in items:
                if isinstance(item, Finish):
                    outputs[index].finish = item
                else:
                    outputs[index].tokens.append(item)
    except EngineError as error:
        raise engine_failure(error) from error
    return outputs


def engine_failure(error: EngineError) -> APIError:
    """Where asking again would fail again, the SDK is told not to."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    headers = {} if error.retry else {"x-should-retry": "false"}
    return APIError(error.status, str(error), code=error.code, type=kind, headers=headers)


async def json_response(make: Callable[[], BaseModel], headers: dict[str, str]) -> Response:
    """An answer made and written by a thread of its own: with many log-probabilities that takes seconds."""
    body = await run_in_threadpool(lambda: make().model_dump_json(exclude_unset=True))
    return Response(body, media_type="application/json", headers=headers)


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled when the client closes its connection."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise APIError(499, "The client closed the connection.")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def disconnected(request: Request) -> None:
    """Returns when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def event_stream(chunks: AsyncIterator[BaseModel], headers: dict[str, str]) -> StreamingResponse:
    """Chunks as server-sent events, ended by `[DONE]`; a failing engine ends them with an error event."""

    async def events() -> AsyncIterator[str]:
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield f"data: {chunk.model_dump_json(exclude_unset=True)}\n\n"
        except EngineError as error:
            yield f"data: {engine_failure(error).response().body.decode()}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-cache", **headers})


def usage(prompt_tokens: int, completion_tokens: int) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=0, audio_tokens=0),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=0, audio_tokens=0),
    )


def fingerprint(model: str) -> str:
    """Changes when the same seed may give another text: other model, service or arithmetic."""
    return "fp_" + hashlib.sha256(f"{model} {__version__} {torch.__version__}".encode()).hexdigest()[:10]


def token_string(piece: bytes, prefix: str = "") -> str:
    """A token as text; bytes that are no complete characters are written as `\\xff`."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return prefix + "".join(f"\\x{byte:02x}" for byte in piece)
