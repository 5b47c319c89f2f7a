"""`/files`: upload, list, retrieve, content, delete."""

from __future__ import annotations

import base64
import sqlite3
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from openai.types import FileDeleted, FileObject
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, State
from starlette.types import Receive, Scope, Send

from localtune.api.auth import Project
from localtune.api.errors import APIError
from localtune.api.lists import MAX_LIMIT, After, Limit, listing_with_ends
from localtune.api.file_form import FILE_DESCRIPTION, check, read_form

router = APIRouter()

RESULTS = "fine-tune-results"
NOT_FOR_DOWNLOAD = {"assistants"}


class WholeFile(FileResponse):
    """A file in one piece: the framework's answers to a wrong `Range` header are not in the API's form."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


@router.post("/files", openapi_extra=FILE_DESCRIPTION)
async def create_file(request: Request, project: Project) -> dict[str, Any]:
    state = request.app.state
    await run_in_threadpool(state.limits.check_disk, int(request.headers.get("content-length", 0)))
    form = await read_form(request, "file", state.settings.max_file_bytes)
    try:
        return shown(await run_in_threadpool(keep, state, project, form))
    finally:
        await form.close()


def keep(state: State, project: str, form: FormData) -> sqlite3.Row:
    upload = check(form, state.settings)
    expires_at = int(time.time()) + upload.expires_after if upload.expires_after else None

    def record(sha256: str, size: int) -> sqlite3.Row:
        return state.store.files.add(project, upload.filename, upload.purpose, sha256, size, expires_at)

    return state.blobs.keep(upload.file, record)


@router.get("/files")
def list_files(
    request: Request, project: Project, purpose: str | None = None, after: After = None, limit: Limit = MAX_LIMIT,
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
) -> dict[str, Any]:
    page = request.app.state.store.files.page(project, purpose, after, limit, newest_first=order == "desc")
    # The API's description allows no null here, not even for an empty list.
    return listing_with_ends([shown(row) for row in page.rows], page.has_more, none="")


@router.get("/files/{file_id}")
def retrieve_file(request: Request, project: Project, file_id: str) -> dict[str, Any]:
    return shown(find(request, project, file_id))


@router.get("/files/{file_id}/content")
def file_content(request: Request, project: Project, file_id: str) -> Response:
    row = find(request, project, file_id)
    if row["purpose"] in NOT_FOR_DOWNLOAD:
        raise APIError(400, f"Not allowed to download files of purpose: {row['purpose']}")
    path = request.app.state.blobs.path(row["sha256"])
    if row["purpose"] == RESULTS:  # the API sends result files in base64, and nothing else
        return Response(base64.b64encode(path.read_bytes()), media_type="application/octet-stream")
    headers = {"accept-ranges": "none"}
    return WholeFile(path, filename=row["filename"], media_type="application/octet-stream", headers=headers)


@router.delete("/files/{file_id}")
def delete_file(request: Request, project: Project, file_id: str) -> dict[str, Any]:
    state = request.app.state
    if not state.store.files.delete(project, file_id):
        raise no_such_file(file_id)
    state.blobs.sweep(state.store.files.blobs_in_use)
    return FileDeleted(id=file_id, object="file", deleted=True).to_dict()


def find(request: Request, project: str, file_id: str) -> sqlite3.Row:
    row = request.app.state.store.files.find(project, file_id)
    if row is None:
        raise no_such_file(file_id)
    return row


def no_such_file(file_id: str) -> APIError:
    return APIError(404, f"No such File object: {file_id}", param="id")


def shown(row: sqlite3.Row) -> dict[str, Any]:
    expires = {"expires_at": row["expires_at"]} if row["expires_at"] else {}
    return FileObject(
        id=row["id"], object="file", bytes=row["bytes"], created_at=row["created_at"], filename=row["filename"],
        purpose=row["purpose"], status="processed", **expires,
    ).to_dict()
