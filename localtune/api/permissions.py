"""`/fine_tuning/checkpoints/{checkpoint}/permissions`: which other projects may ask a checkpoint."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from openai.types.fine_tuning.checkpoints import PermissionCreateResponse, PermissionDeleteResponse
from pydantic import Field

from localtune.api.admin import Admin
from localtune.api.errors import APIError
from localtune.api.lists import After, Limit, listing_with_ends
from localtune.api.schema import Body, invalid
from localtune.store.permissions import UnknownProject

router = APIRouter(prefix="/fine_tuning/checkpoints/{checkpoint}/permissions")


class CreatePermissions(Body):
    project_ids: Annotated[list[str], Field(min_length=1, max_length=100)]


@router.post("")
def create_permissions(request: Request, project: Admin, checkpoint: str, body: CreatePermissions) -> dict[str, Any]:
    find(request, project, checkpoint)
    try:
        rows = request.app.state.store.permissions.grant(project, checkpoint, body.project_ids)
    except UnknownProject as error:
        raise invalid("project_ids", str(error), "no such project") from None
    return listing_with_ends([shown(row) for row in rows], has_more=False, none=None)


@router.get("")
def list_permissions(
    request: Request, project: Admin, checkpoint: str, after: After = None, limit: Limit = 10,
    order: Annotated[Literal["ascending", "descending"], Query()] = "descending", project_id: str | None = None,
) -> dict[str, Any]:
    find(request, project, checkpoint)
    newest_first = order == "descending"
    page = request.app.state.store.permissions.page(project, checkpoint, project_id, after, limit, newest_first)
    return listing_with_ends([shown(row) for row in page.rows], page.has_more, none=None)


@router.delete("/{permission_id}")
def delete_permission(request: Request, project: Admin, checkpoint: str, permission_id: str) -> dict[str, Any]:
    if not request.app.state.store.permissions.revoke(project, checkpoint, permission_id):
        raise APIError(404, f"No such checkpoint permission: {permission_id}", param="permission_id")
    return PermissionDeleteResponse(id=permission_id, object="checkpoint.permission", deleted=True).to_dict()


def find(request: Request, project: str, checkpoint: str) -> None:
    """404 unless the checkpoint is a model of the admin key's project."""
    if request.app.state.store.models.find(project, checkpoint) is None:
        message = f"The model `{checkpoint}` does not exist or you do not have access to it."
        raise APIError(404, message, code="model_not_found")


def shown(row: sqlite3.Row) -> dict[str, Any]:
    return PermissionCreateResponse(
        id=row["id"], object="checkpoint.permission", created_at=row["created_at"], project_id=row["granted_project"]
    ).to_dict()
