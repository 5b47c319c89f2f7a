"""The negative control: a server that answers every request with nonsense of exactly the right shape.

`python -m tests.conformance.nonsense` prints its address. Shapes come from the SDK's types: every text is "nonsense",
every number 1, every flag true, every list has one item, and every job has succeeded. A suite that checks shapes only
finds nothing wrong here.
"""

from __future__ import annotations

import json
import re
import types
import typing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openai import BaseModel

from tests.conformance.surface import OPERATIONS, Operation

ROUTES = [
    (operation.method, re.compile("/v1" + re.sub(r"\{\w+\}", "[^/]+", operation.path)), operation)
    for operation in OPERATIONS.values()
]


def nonsense(kind: Any) -> Any:
    """A value that fits a type of the SDK."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return nonsense(arguments[0])
    if origin is typing.Literal:
        return "succeeded" if "succeeded" in arguments else arguments[-1]
    if origin in (typing.Union, types.UnionType):
        return nonsense(next(argument for argument in arguments if argument is not type(None)))
    if origin is list:
        return [nonsense(arguments[0])]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {field.alias or name: nonsense(field.annotation) for name, field in kind.model_fields.items()}
    return {str: "nonsense", int: 1, float: 1.0, bool: True}.get(kind, {})


def answer(operation: Operation) -> Any:
    one = nonsense(operation.returns)
    if not operation.page:
        return one
    return {"object": "list", "data": [one], "first_id": "nonsense", "last_id": "nonsense", "has_more": False}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every body waits 40 ms for the client's word that the headers have come

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.split("?")[0]
        found = [one for method, route, one in ROUTES if method == self.command and route.fullmatch(path)]
        operation = found[0] if found else OPERATIONS["models.retrieve"]
        if operation.chunk and b'"stream":true' in body.replace(b" ", b""):
            self.reply(f"data: {json.dumps(nonsense(operation.chunk))}\n\ndata: [DONE]\n\n".encode(), "text/event-stream")
        elif operation.returns is bytes:
            self.reply(b"nonsense", "application/octet-stream")
        else:
            self.reply(json.dumps(answer(operation)).encode(), "application/json")

    do_GET = do_POST = do_DELETE = do_PUT = handle_any

    def reply(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {
            "content-type": kind, "content-length": str(len(body)), "x-request-id": "nonsense", "openai-version": "nonsense",
            "openai-organization": "nonsense", "openai-project": "nonsense", "openai-processing-ms": "1",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(f"ready http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
        server.serve_forever()
