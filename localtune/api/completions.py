"""POST /completions, the legacy endpoint: plain prompts, echo, scoring."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from openai.types import Completion, CompletionChoice
from openai.types.completion_choice import Logprobs
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.generation import (
    Output, SamplingBody, check_length, check_size, complete, engine_failure, event_stream, fingerprint, joined, json_response,
    merged, refuse_unsupported, token_string, unless_gone, usage,
)
from localtune.api.schema import invalid
from localtune.infer.engine import Engine, EngineError, Finish, GenerateRequest, Token
from localtune.infer.request import Scored
from localtune.infer.text import TextStream
from localtune.infer.texts import TextTokenizer

router = APIRouter()

DEFAULT_MAX_TOKENS = 16
MAX_TEXTS = 2_048  # prompts times texts for each
UNSUPPORTED: dict[str, tuple[Any, ...]] = {"suffix": ()}

TokenId = Annotated[int, Field(ge=0)]
Batch = Field(min_length=1, max_length=2048)


class CompletionBody(SamplingBody):
    prompt: (
        str | Annotated[list[str], Batch] | Annotated[list[TokenId], Batch] | Annotated[list[list[TokenId]], Batch]
        | None
    ) = None
    best_of: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    suffix: str | None = None

    @property
    def candidates(self) -> int:
        """Texts generated per prompt."""
        return self.best_of or self.n or 1

    def check(self) -> None:
        super().check()
        refuse_unsupported(self, UNSUPPORTED)
        if self.candidates < (self.n or 1):
            raise APIError(
                400, "You requested that the server return more choices than it will generate (HINT: you must set "
                "'n' less than or equal to 'best_of', best_of defaults to n).", param="best_of",
            )
        if self.stream and self.candidates > (self.n or 1):
            raise APIError(400, "Cannot stream results with 'best_of' greater than 'n'.", param="best_of")


@dataclass(frozen=True)
class Plan:
    """Everything to generate for one body: `requests` holds `candidates` per prompt, prompt after prompt."""

    id: str
    created: int
    model: str
    body: CompletionBody
    tokenizer: TextTokenizer
    prompts: list[list[int]]
    requests: list[GenerateRequest]
    heads: list[list[Token]]  # per prompt: its tokens as shown by echo, else none

    @property
    def fields(self) -> dict[str, Any]:
        fields = {"id": self.id, "object": "text_completion", "created": self.created, "model": self.model}
        return {**fields, "system_fingerprint": fingerprint(self.model)}

    @property
    def prompt_tokens(self) -> int:
        return sum(len(prompt) for prompt in self.prompts)

    def head(self, request: int) -> list[Token]:
        return self.heads[request // self.body.candidates]

    def offset(self, request: int) -> int:
        """Where the generated text begins, in characters from the start of the prompt."""
        return len(self.tokenizer.decode(self.prompts[request // self.body.candidates]))


@router.post("/completions")
async def create_completion(body: CompletionBody, request: Request, project: Project) -> Response:
    body.check()
    engine: Engine = request.app.state.engine
    model = await run_in_threadpool(request.app.state.catalog.resolve, project, body.model)
    headers = {"x-localtune-model": model.base}
    plan = await run_in_threadpool(planned, engine, model.folder, model.name, body, project)
    if body.echo:
        plan = replace(plan, heads=await unless_gone(request, echoed(engine, plan, model.folder)))
    if body.stream:
        return event_stream(chunks(plan, engine), headers)
    outputs = await unless_gone(request, complete(engine, plan.requests)) if plan.requests else silent(plan)
    return await json_response(partial(completion, plan, outputs), headers)


def planned(engine: Engine, folder: Path, model: str, body: CompletionBody, owner: str) -> Plan:
    """Tokenise the prompts and make one request per candidate; raises a 400 when a prompt or the answer does not fit."""
    tokenizer, context = engine.tokenizer(folder), engine.context(folder)
    prompts = prompt_ids(body, tokenizer, context)
    wanted = DEFAULT_MAX_TOKENS if body.max_tokens is None else body.max_tokens
    for prompt in prompts:
        check_room(context, len(prompt), wanted)
    tokens = sum(wanted + len(prompt) * bool(body.echo) for prompt in prompts)
    check_size(tokens * body.candidates, body.logprobs, "prompt")
    shared = dict(
        folder=folder,
        max_tokens=wanted,
        stop_ids=tokenizer.stop_ids,
        top_logprobs=0 if body.logprobs is None and body.candidates > (body.n or 1) else body.logprobs,
        owner=owner,
        **body.sampling(len(tokenizer)),
    )
    requests = [
        GenerateRequest(prompt_ids=prompt, seed=body.seed_of(candidate), **shared)
        for prompt in prompts for candidate in range(body.candidates)
    ] if wanted else []
    identity = (f"cmpl-{uuid.uuid4().hex}", int(time.time()), model)
    return Plan(*identity, body, tokenizer, prompts, requests, heads=[[] for _ in prompts])


def prompt_ids(body: CompletionBody, tokenizer: TextTokenizer, context: int) -> list[list[int]]:
    """Token ids of every prompt; an empty one is the start of a new document."""
    prompt = body.prompt
    several = prompt if isinstance(prompt, list) and not isinstance(prompt[0], int) else [prompt]
    if len(several) * body.candidates > MAX_TEXTS:
        message = f"This request asks for {len(several) * body.candidates} texts; at most {MAX_TEXTS} are made at once."
        raise APIError(400, message, param="prompt")
    for one in several:
        if isinstance(one, str):
            check_length([one], tokenizer, context, "prompt")
    ids = [tokenizer.document(one or "") if isinstance(one, str) or not one else one for one in several]
    for token in itertools.chain(*ids):
        if token >= len(tokenizer):
            raise invalid("prompt", token, f"token ids must be below {len(tokenizer)}")
    return ids


def check_room(context: int, prompt: int, wanted: int) -> None:
    if prompt + wanted > context or prompt >= context:
        raise APIError(
            400, f"This model's maximum context length is {context} tokens, however you requested {prompt + wanted} "
            f"tokens ({prompt} in your prompt; {wanted} for the completion). Please reduce your prompt; or completion "
            "length.", param="prompt", code="context_length_exceeded",
        )


async def echoed(engine: Engine, plan: Plan, folder: Path) -> list[list[Token]]:
    """The prompts as tokens, with log-probabilities if the body asks for them."""
    heads = []
    for prompt in plan.prompts:
        scores: list[Scored] = [(None, ())] * len(prompt)
        if plan.body.logprobs is not None:
            try:
                scores = await engine.score(folder, prompt, plan.body.logprobs)
            except EngineError as error:
                raise engine_failure(error) from error
        heads.append(shown(plan.tokenizer, prompt, scores))
    return heads


def shown(tokenizer: TextTokenizer, ids: list[int], scores: list[Scored]) -> list[Token]:
    """A prompt's tokens as if they had been generated."""
    text = TextStream(stop=())
    tokens = (Token(id, "", tokenizer.token_bytes(id), *score) for id, score in zip(ids, scores, strict=True))
    return [one for token in tokens for one in text.push(token)[0]]


def silent(plan: Plan) -> list[Output]:
    """What `max_tokens` 0 generates."""
    return [Output() for _ in range(len(plan.prompts) * plan.body.candidates)]


def completion(plan: Plan, outputs: list[Output]) -> Completion:
    chosen = itertools.chain(*(best_of(group, plan.body.n or 1) for group in grouped(outputs, plan.body.candidates)))
    choices = [choice(plan, index, request, output) for index, (request, output) in enumerate(chosen)]
    generated = sum(output.finish.completion_tokens for output in outputs)
    return Completion(choices=choices, usage=usage(plan.prompt_tokens, generated), **plan.fields)


def grouped(outputs: list[Output], size: int) -> Iterable[list[tuple[int, Output]]]:
    """Numbered outputs, `size` at a time."""
    numbered = list(enumerate(outputs))
    return (numbered[start : start + size] for start in range(0, len(numbered), size))


def best_of(group: list[tuple[int, Output]], n: int) -> list[tuple[int, Output]]:
    """The n candidates with the highest log-probability per token; all of them in their order if none is left out."""
    return group if n == len(group) else sorted(group, key=lambda numbered: -numbered[1].mean_logprob())[:n]


def choice(plan: Plan, index: int, request: int, output: Output) -> CompletionChoice:
    tokens = plan.head(request) + output.tokens
    offset = 0 if plan.body.echo else plan.offset(request)
    return CompletionChoice(
        index=index,
        text=joined(tokens),
        finish_reason=output.finish.reason,
        logprobs=None if plan.body.logprobs is None else logprobs(plan.tokenizer, tokens, offset),
    )


async def chunks(plan: Plan, engine: Engine) -> AsyncIterator[Completion]:
    """The answer in parts: the prompt if echoed, one part per token, why it ended, usage if wanted."""
    generated, offsets = 0, [plan.offset(request) for request in range(len(plan.requests))]
    for index in range(len(plan.prompts) * plan.body.candidates):
        if plan.body.echo:
            yield part(plan, index, plan.head(index), 0)
        if not plan.requests:
            yield part(plan, index, [], 0, Output().finish)
    async with aclosing(merged(engine, plan.requests)) as items:
        async for index, item in items:
            if isinstance(item, Finish):
                generated += item.completion_tokens
                yield part(plan, index, [], offsets[index], item)
            elif item.text or item.logprob is not None:
                yield part(plan, index, [item], offsets[index])
                offsets[index] += len(item.text)
    if plan.body.include_usage:
        yield Completion(choices=[], usage=usage(plan.prompt_tokens, generated), **plan.fields)


def part(plan: Plan, index: int, tokens: list[Token], offset: int, finish: Finish | None = None) -> Completion:
    """One event of a stream. Built unchecked: until the last part the reason is null, which the SDK's type forbids."""
    scored = plan.body.logprobs is not None and tokens
    one = CompletionChoice.model_construct(
        index=index,
        text=joined(tokens),
        finish_reason=finish.reason if finish else None,
        logprobs=logprobs(plan.tokenizer, tokens, offset) if scored else None,
    )
    used = {"usage": None} if plan.body.include_usage else {}
    return Completion.model_construct(choices=[one], **plan.fields, **used)


def logprobs(tokenizer: TextTokenizer, tokens: list[Token], offset: int) -> Logprobs:
    """The legacy shape: parallel lists. Built unchecked: the first token of an echoed prompt has null."""
    names = [token_string(token.bytes, "bytes:") for token in tokens]
    return Logprobs.model_construct(
        tokens=names,
        token_logprobs=[token.logprob for token in tokens],
        top_logprobs=[None if token.logprob is None else alternatives(tokenizer, token) for token in tokens],
        text_offset=list(itertools.accumulate((len(token.text) for token in tokens), initial=offset))[:-1],
    )


def alternatives(tokenizer: TextTokenizer, token: Token) -> dict[str, float]:
    """The best tokens of one place by name; the chosen one is always among them."""
    best = {token_string(tokenizer.token_name(id), "bytes:"): value for id, value in token.top}
    return {**best, token_string(token.bytes, "bytes:"): token.logprob}
