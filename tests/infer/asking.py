"""Asking an engine, and waiting for what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from localtune.infer.engine import Engine, EngineError, Finish, GenerateRequest, Token


async def collect(engine: Engine, request: GenerateRequest) -> tuple[list[Token], Finish]:
    *tokens, finish = [item async for item in engine.generate(request)]
    return tokens, finish


def run(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Results of coroutines run concurrently."""

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*work)

    return asyncio.run(all_of_them())


def text(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def closing_ends_waiting_callers(request: GenerateRequest) -> None:
    """Close an engine in the middle of `request`, a long one; its caller, and whoever comes later, must hear of it."""
    engine = Engine()
    engine.start()

    async def scenario() -> None:
        async with aclosing(engine.generate(request)) as items:
            await anext(items)
            await asyncio.to_thread(engine.close)
            async for _ in items:
                pass

    with pytest.raises(EngineError, match="shutting down"):
        asyncio.run(scenario())
    with pytest.raises(EngineError, match="not running"):
        run(collect(engine, request))
