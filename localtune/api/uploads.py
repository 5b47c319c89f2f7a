"""`/uploads`: one file in several parts."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Request
from openai.types import Upload
from openai.types.uploads import UploadPart
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from localtune.api import files
from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.file_form import (
    DEFAULT_EXPIRY, FINE_TUNE, LONGEST, PART_DESCRIPTION, SHORTEST, base_name, check_extension, check_jsonl,
    check_purpose, read_form, the_file,
)
from localtune.api.schema import Body, invalid
from localtune.blobs import CHUNK
from localtune.config import Settings
from localtune.store.uploads import status_of

router = APIRouter(prefix="/uploads")


class ExpiresAfter(Body):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=SHORTEST, le=LONGEST)]


class CreateUpload(Body):
    filename: Annotated[str, Field(min_length=1, max_length=512)]
    purpose: str
    bytes: Annotated[int, Field(ge=1)]
    mime_type: Annotated[str, Field(min_length=1, max_length=255)]
    expires_after: ExpiresAfter | None = None


class CompleteUpload(Body):
    part_ids: Annotated[list[str], Field(min_length=1)]
    md5: str | None = None


@router.post("")
def create_upload(request: Request, project: Project, body: CreateUpload) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    check_purpose(body.purpose)
    if body.bytes > settings.max_file_bytes:
        raise invalid("bytes", body.bytes, f"ensure this value is less than or equal to {settings.max_file_bytes}")
    filename = base_name(body.filename)
    if body.purpose == FINE_TUNE:
        check_extension(filename)
    after = body.expires_after.seconds if body.expires_after else DEFAULT_EXPIRY.get(body.purpose)
    columns = {
        "project": project, "filename": filename, "purpose": body.purpose, "bytes": body.bytes,
        "mime_type": body.mime_type, "file_expires_after": after,
    }
    return shown(request.app.state.store.uploads.create(columns, settings.upload_seconds))


@router.post("/{upload_id}/parts", openapi_extra=PART_DESCRIPTION)
async def add_part(request: Request, project: Project, upload_id: str) -> dict[str, Any]:
    await run_in_threadpool(find_open, request, project, upload_id)  # before 64 MB are read for nothing
    await run_in_threadpool(request.app.state.limits.check_disk, int(request.headers.get("content-length", 0)))
    form = await read_form(request, "data", request.app.state.settings.max_part_bytes)
    try:
        return await run_in_threadpool(keep_part, request, project, upload_id, form)
    finally:
        await form.close()


def keep_part(request: Request, project: str, upload_id: str, form: FormData) -> dict[str, Any]:
    state = request.app.state
    data = the_file(form, "data", {"data"}, state.settings.max_part_bytes)
    if len(state.store.uploads.parts(project, upload_id)) >= state.settings.max_parts:
        raise APIError(400, f"An Upload has at most {state.settings.max_parts} parts.", param="data")

    def record(sha256: str, size: int) -> sqlite3.Row | None:
        return state.store.uploads.add_part(project, upload_id, sha256, size)

    part = state.blobs.keep(data.file, record)
    if part is None:
        state.blobs.sweep(state.store.files.blobs_in_use)
        total = find_open(request, project, upload_id)["bytes"]
        raise APIError(400, f"The parts of this Upload would be longer than its {total} bytes.", param="data")
    return UploadPart(
        id=part["id"], object="upload.part", created_at=part["created_at"], upload_id=part["upload_id"]
    ).to_dict()


@router.post("/{upload_id}/complete")
def complete_upload(request: Request, project: Project, upload_id: str, body: CompleteUpload) -> dict[str, Any]:
    """Join the parts in the order given; everything that is checked of a file in one piece is checked here."""
    state = request.app.state
    upload = find_open(request, project, upload_id)
    parts = chosen_parts(state.store.uploads.parts(project, upload_id), body.part_ids)
    check_size(upload, parts)
    state.limits.check_disk(upload["bytes"])
    with joined([state.blobs.path(part["sha256"]) for part in parts]) as whole:
        check_md5(whole, body.md5)
        if upload["purpose"] == FINE_TUNE:
            check_jsonl(upload["filename"], whole, state.settings.max_line_bytes)
        file = state.blobs.keep(whole, lambda sha256, size: state.store.uploads.complete(upload, sha256))
    state.blobs.sweep(state.store.files.blobs_in_use)
    if file is None:
        raise not_open(find(request, project, upload_id))
    return shown(find(request, project, upload_id), files.shown(file))


@router.post("/{upload_id}/cancel")
def cancel_upload(request: Request, project: Project, upload_id: str) -> dict[str, Any]:
    state = request.app.state
    if not state.store.uploads.cancel(find(request, project, upload_id)):
        raise not_open(find(request, project, upload_id))
    state.blobs.sweep(state.store.files.blobs_in_use)
    return shown(find(request, project, upload_id))


def find(request: Request, project: str, upload_id: str) -> sqlite3.Row:
    row = request.app.state.store.uploads.find(project, upload_id)
    if row is None:
        raise APIError(404, f"No such Upload object: {upload_id}", param="upload_id")
    return row


def find_open(request: Request, project: str, upload_id: str) -> sqlite3.Row:
    row = find(request, project, upload_id)
    if status_of(row) != "pending":
        raise not_open(row)
    return row


def not_open(row: sqlite3.Row) -> APIError:
    return APIError(400, f"Upload {row['id']} is {status_of(row)}; only a pending one can be changed.")


def chosen_parts(parts: dict[str, sqlite3.Row], part_ids: Sequence[str]) -> list[sqlite3.Row]:
    for position, part_id in enumerate(part_ids):
        if part_id not in parts:
            raise invalid("part_ids", part_id, "no such part of this Upload")
        if part_id in part_ids[:position]:
            raise invalid("part_ids", part_id, "each part can be used once")
    return [parts[part_id] for part_id in part_ids]


def check_size(upload: sqlite3.Row, parts: Sequence[sqlite3.Row]) -> None:
    total = sum(part["bytes"] for part in parts)
    if total != upload["bytes"]:
        message = f"The parts have {total} bytes, but the Upload was created with {upload['bytes']}."
        raise APIError(400, message, param="part_ids")


def check_md5(whole: BinaryIO, md5: str | None) -> None:
    """Compare checksums if the client gave one; `whole` is at its start again afterwards."""
    if md5 is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := whole.read(CHUNK):
        digest.update(chunk)
    whole.seek(0)
    if digest.hexdigest() != md5.lower():
        raise invalid("md5", md5, f"the parts have the checksum {digest.hexdigest()}")


class Joined(io.RawIOBase):
    """Files read as one, forwards only; `seek(0)` starts again."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("only back to the start")
        self._chunks, self._left, self._position = chunks(self.paths), b"", 0
        return 0

    def readinto(self, buffer: memoryview) -> int:
        chunk = self._left or next(self._chunks, b"")
        size = min(len(chunk), len(buffer))
        buffer[:size], self._left = chunk[:size], chunk[size:]
        self._position += size
        return size


def joined(paths: Sequence[Path]) -> io.BufferedReader:
    return io.BufferedReader(Joined(paths), CHUNK)


def chunks(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def shown(row: sqlite3.Row, file: dict[str, Any] | None = None) -> dict[str, Any]:
    same = ("id", "bytes", "created_at", "expires_at", "filename", "purpose")
    nested = {"file": file} if file else {}
    fields = {name: row[name] for name in same}
    return Upload.model_validate({**fields, "object": "upload", "status": status_of(row), **nested}).to_dict()
