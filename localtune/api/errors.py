"""Errors as the client sees them: OpenAI's envelope."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse

# Waiting does not help against these, nor against a conflict (409); without the header the SDK would try again.
NOT_WORTH_RETRYING = {"insufficient_quota", "exceeded_quota", "daily_rate_limit_exceeded"}


class APIError(Exception):
    """An error for the client: HTTP status and the four fields of the envelope."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None,
        type: str = "invalid_request_error", headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.type = status, message, param, code, type
        self.headers = dict(headers or {})

    def body(self) -> dict[str, dict[str, Any]]:
        fields = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": fields}

    def response(self) -> JSONResponse:
        headers = self.headers
        if self.status == 409 or self.status == 429 and self.code in NOT_WORTH_RETRYING:
            headers = {"x-should-retry": "false", **headers}
        return JSONResponse(self.body(), self.status, headers)


def crash(request_id: str) -> APIError:
    """What the client learns of a bug: nothing but where to look."""
    message = f"The server had an error while processing your request. Its log has the details under {request_id}."
    return APIError(500, message, type="server_error")
