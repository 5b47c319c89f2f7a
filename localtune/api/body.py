"""Bodies as they come in, looked at before anything reads them: how long, how deep, and whether they are text at all."""

from __future__ import annotations

import json
import re

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localtune.api.errors import APIError
from localtune.config import Settings

# Streamed to disk under a limit of their own; whatever else calls itself multipart is read like any other body.
UPLOADS = re.compile(r"/v1/(?:files|uploads/[^/]+/parts)")
# A string, ended or not, or a bracket. Strings match first, so that brackets inside them do not count.
BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyLimit:
    """ASGI middleware: refuses bodies that are too long, and JSON that is too deep or no text."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_upload(scope):
            return await self.app(scope, receive, send)
        try:
            body = await self._read(receive)
            # Looking at every character takes a moment, and the event loop has others to serve.
            if body and b"json" in content_type(scope):
                await anyio.to_thread.run_sync(check, body, self.settings.max_json_depth)
        except APIError as error:
            return await error.response()(scope, receive, send)
        if body is not None:
            await self.app(scope, replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None when the client left before it was there."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.settings.max_body_bytes:
                raise APIError(413, f"Maximum content size limit ({self.settings.max_body_bytes}) exceeded")
        return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then whatever comes next."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


def content_type(scope: Scope) -> bytes:
    return dict(scope["headers"]).get(b"content-type", b"").lower()


def is_upload(scope: Scope) -> bool:
    return content_type(scope).startswith(b"multipart/form-data") and UPLOADS.fullmatch(scope["path"]) is not None


def check(body: bytes, most_depth: int) -> None:
    """Raises APIError 400 for JSON that nests deeper, or is not Unicode text."""
    if depth(body, most_depth) > most_depth:
        raise unreadable(f"more than {most_depth} levels deep")
    try:
        if "\0" in body.decode("utf-8"):  # Python's parser would take it for UTF-16
            raise unreadable("it has a NUL character")
        if SURROGATE.search(body):
            json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise unreadable(f"it is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:  # the parser takes it, but no answer, no database and no tokenizer does
        raise unreadable("it has half of a surrogate pair, which is no character") from None
    except ValueError:
        return  # no JSON: told, with the place, by who reads it


def unreadable(why: str) -> APIError:
    return APIError(400, f"We could not parse the JSON body of your request: {why}.")


def depth(body: bytes, limit: int) -> int:
    """How deep brackets are nested outside strings; stops counting beyond `limit`."""
    level = deepest = 0
    for match in BRACKETS.finditer(body):
        if match[0] in b"[{":
            level += 1
            deepest = max(deepest, level)
            if level > limit:
                break
        elif match[0] in b"]}":
            level -= 1
    return deepest
