"""Reading an uploaded file: streamed to disk with a limit, checked before it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from localtune.api.errors import APIError
from localtune.api.schema import invalid
from localtune.config import MAX_UPLOAD_BYTES
from localtune.jobs.jsonl import BadLine, dictionaries

FINE_TUNE = "fine-tune"
PURPOSES = (FINE_TUNE, "assistants", "batch", "user_data", "vision")
ANCHOR, SECONDS = "expires_after[anchor]", "expires_after[seconds]"
FIELDS = {"file", "purpose", ANCHOR, SECONDS}
ROOM_FOR_FIELDS = 64 * 1024  # bytes of the request that are not the file
SHORTEST, LONGEST = 3_600, 2_592_000  # seconds


@dataclass(frozen=True)
class Upload:
    """A checked upload whose bytes are still in the parser's temporary file."""

    filename: str
    purpose: str
    expires_after: int | None  # seconds
    file: BinaryIO


async def read_form(request: Request) -> FormData:
    """The multipart form; files above 1 MB are on disk. Raises APIError 413 beyond the limit."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise APIError(400, "'file' is a required property")
    if int(request.headers.get("content-length", 0)) > MAX_UPLOAD_BYTES + ROOM_FOR_FIELDS:
        raise too_large()
    try:
        return await MultiPartParser(request.headers, limited(request), max_files=1, max_fields=len(FIELDS)).parse()
    except MultiPartException as error:
        raise APIError(400, f"The multipart form could not be read: {error.message}") from None


async def limited(request: Request) -> AsyncIterator[bytes]:
    """The request's body, cut off with an error when it is longer than any file may be."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES + ROOM_FOR_FIELDS:
            raise too_large()
        yield chunk


def too_large() -> APIError:
    return APIError(413, f"Maximum content size limit ({MAX_UPLOAD_BYTES}) exceeded", param="file")


def check(form: FormData) -> Upload:
    """Everything that can be wrong with an upload; raises APIError 400. Reads the file: not for the event loop."""
    for name in form:
        if name not in FIELDS:
            raise APIError(400, f"Unrecognized request argument supplied: {name}")
    file, purpose = form.get("file"), form.get("purpose")
    if not isinstance(file, UploadFile):
        raise APIError(400, "'file' is a required property")
    if purpose is None:
        raise APIError(400, "'purpose' is a required property")
    if purpose not in PURPOSES:
        raise APIError(400, f"{purpose!r} is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    if (file.size or 0) > MAX_UPLOAD_BYTES:
        raise too_large()
    filename = PurePosixPath((file.filename or "upload").replace("\\", "/")).name
    if purpose == FINE_TUNE:
        check_jsonl(filename, file.file)
    return Upload(filename, purpose, expires_after(form), file.file)


def check_jsonl(filename: str, file: BinaryIO) -> None:
    if not filename.lower().endswith(".jsonl"):
        raise APIError(400, "Invalid file format for Fine-Tuning API. Must be .jsonl")
    try:
        for _ in dictionaries(file):
            pass
    except BadLine as line:
        raise APIError(
            400, "Expected file to have JSONL format, where every line is a valid JSON dictionary. "
            f'Line {line.number} is not a dictionary (HINT: line starts with: "{line.start}...").',
        ) from None
    file.seek(0)


def expires_after(form: FormData) -> int | None:
    anchor, seconds = form.get(ANCHOR), form.get(SECONDS)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise invalid("expires_after.anchor", anchor, "unexpected value; permitted: 'created_at'")
    if not isinstance(seconds, str) or not seconds.isdecimal():
        raise invalid("expires_after.seconds", seconds, "value is not a valid integer")
    if not SHORTEST <= int(seconds) <= LONGEST:
        raise invalid("expires_after.seconds", seconds, f"ensure this value is between {SHORTEST} and {LONGEST}")
    return int(seconds)
