"""Reading the multipart form of a file: streamed to disk with a limit, checked before it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from localtune.api.errors import APIError
from localtune.api.schema import invalid
from localtune.config import Settings
from localtune.jobs.jsonl import BadLine, LongLine, dictionaries

FINE_TUNE = "fine-tune"
PURPOSES = (FINE_TUNE, "assistants", "batch", "user_data", "vision")
DEFAULT_EXPIRY = {"batch": 2_592_000}  # seconds, by purpose; files of the others stay until they are deleted
ANCHOR, SECONDS = "expires_after[anchor]", "expires_after[seconds]"
FIELDS = {"file", "purpose", ANCHOR, SECONDS}
ROOM_FOR_FIELDS = 64 * 1024  # bytes of the request that are not the file
SHORTEST, LONGEST = 3_600, 2_592_000  # seconds


def description(file: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """The multipart form in the words of OpenAPI: FastAPI cannot see what is read by hand."""
    schema = {
        "type": "object", "additionalProperties": False,
        "required": [file, *(["purpose"] if "purpose" in fields else [])],
        "properties": {file: {"type": "string", "format": "binary"}, **fields},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


FILE_DESCRIPTION = description(
    "file", purpose={"enum": list(PURPOSES)}, **{
        ANCHOR: {"enum": ["created_at"]}, SECONDS: {"type": "integer", "minimum": SHORTEST, "maximum": LONGEST},
    },
)
PART_DESCRIPTION = description("data")


@dataclass(frozen=True)
class Upload:
    """A checked upload whose bytes are still in the parser's temporary file."""

    filename: str
    purpose: str
    expires_after: int | None  # seconds
    file: BinaryIO


async def read_form(request: Request, file: str, limit: int) -> FormData:
    """The multipart form with its one file of at most `limit` bytes; above 1 MB it is on disk.

    Raises APIError: 400 for what is no such form, 413 beyond the limit.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise required(file)
    if int(request.headers.get("content-length", 0)) > limit + ROOM_FOR_FIELDS:
        raise too_large(file, limit)
    body = limited(request, file, limit)
    try:
        return await MultiPartParser(request.headers, body, max_files=1, max_fields=len(FIELDS)).parse()
    except MultiPartException as error:
        raise APIError(400, f"The multipart form could not be read: {error.message}") from None


async def limited(request: Request, file: str, limit: int) -> AsyncIterator[bytes]:
    """The request's body, cut off with an error when it is longer than any file may be."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + ROOM_FOR_FIELDS:
            raise too_large(file, limit)
        yield chunk


def too_large(param: str, limit: int) -> APIError:
    return APIError(413, f"Maximum content size limit ({limit}) exceeded", param=param)


def required(name: str) -> APIError:
    return APIError(400, f"'{name}' is a required property")


def the_file(form: FormData, name: str, known: Set[str], limit: int) -> UploadFile:
    """The form's file; raises APIError for fields not in `known`, no file, or one beyond the limit."""
    for field in form:
        if field not in known:
            raise APIError(400, f"Unrecognized request argument supplied: {field}")
    file = form.get(name)
    if not isinstance(file, UploadFile):
        raise required(name)
    if (file.size or 0) > limit:
        raise too_large(name, limit)
    return file


def check(form: FormData, settings: Settings) -> Upload:
    """Everything that can be wrong with an upload; raises APIError 400. Reads the file: not for the event loop."""
    file, purpose = the_file(form, "file", FIELDS, settings.max_file_bytes), form.get("purpose")
    if purpose is None:
        raise required("purpose")
    check_purpose(purpose)
    filename = base_name(file.filename or "upload")
    if purpose == FINE_TUNE:
        check_jsonl(filename, file.file, settings.max_line_bytes)
    return Upload(filename, purpose, expires_after(form) or DEFAULT_EXPIRY.get(purpose), file.file)


def check_purpose(purpose: object) -> None:
    if purpose not in PURPOSES:
        raise APIError(400, f"{purpose!r} is not one of {list(PURPOSES)} - 'purpose'", param="purpose")


def base_name(filename: str) -> str:
    """A file's name without folders, whichever system wrote it."""
    return PurePosixPath(filename.replace("\\", "/")).name


def check_jsonl(filename: str, file: BinaryIO, max_line_bytes: int) -> None:
    check_extension(filename)
    try:
        for _ in dictionaries(file, max_line_bytes):
            pass
    except LongLine as line:
        raise APIError(400, f"Line {line.number} of the file is longer than {max_line_bytes} bytes.", param="file") from None
    except BadLine as line:
        raise APIError(
            400, "Expected file to have JSONL format, where every line is a valid JSON dictionary. "
            f'Line {line.number} is not a dictionary (HINT: line starts with: "{line.start}...").',
        ) from None
    file.seek(0)


def check_extension(filename: str) -> None:
    if not filename.lower().endswith(".jsonl"):
        raise APIError(400, "Invalid file format for Fine-Tuning API. Must be .jsonl")


def expires_after(form: FormData) -> int | None:
    anchor, seconds = form.get(ANCHOR), form.get(SECONDS)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise invalid("expires_after.anchor", anchor, "unexpected value; permitted: 'created_at'")
    if not isinstance(seconds, str) or not seconds.isdecimal():
        raise invalid("expires_after.seconds", seconds, "value is not a valid integer")
    if len(seconds) > len(str(LONGEST)) or not SHORTEST <= int(seconds) <= LONGEST:
        raise invalid("expires_after.seconds", seconds, f"ensure this value is between {SHORTEST} and {LONGEST}")
    return int(seconds)
