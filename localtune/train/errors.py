"""Failures of a job that its owner can do something about."""

from __future__ import annotations


class JobError(Exception):
    """A failure with the code and the message that the job shows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
