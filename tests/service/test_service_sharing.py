"""What the conformance suite cannot see from outside: uploads whose hour is over, admin keys, blobs left behind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from localtune.__main__ import main
from localtune.blobs import Blobs
from localtune.store import Store
from localtune.store import uploads as upload_rows
from localtune.store.permissions import UnknownProject

PROJECT = "proj_local"
COLUMNS = {
    "project": PROJECT, "filename": "a.txt", "purpose": "vision", "bytes": 5, "mime_type": "text/plain",
    "file_expires_after": None,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    yield store
    store.close()


def test_an_upload_expires_and_gives_its_parts_back(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, upload = Blobs(tmp_path / "blobs"), store.uploads.create(COLUMNS, 3_600)
    part = blobs.keep(io.BytesIO(b"12345"), lambda sha, size: store.uploads.add_part(PROJECT, upload["id"], sha, size))
    blobs.sweep(store.files.blobs_in_use)
    assert blobs.path(part["sha256"]).exists()
    monkeypatch.setattr(upload_rows.time, "time", lambda: upload["expires_at"])
    assert upload_rows.status_of(upload) == "expired"
    assert store.uploads.add_part(PROJECT, upload["id"], part["sha256"], 0) is None
    assert store.uploads.complete(upload, part["sha256"]) is None and not store.uploads.cancel(upload)
    blobs.sweep(store.files.blobs_in_use)
    assert not blobs.path(part["sha256"]).exists()


def test_an_upload_is_completed_once_and_only_by_its_project(store: Store) -> None:
    upload = store.uploads.create(COLUMNS, 3_600)
    assert store.uploads.find("proj_other", upload["id"]) is None
    assert store.uploads.add_part("proj_other", upload["id"], "0", 1) is None
    assert store.uploads.complete(upload, "0")["filename"] == "a.txt"
    assert store.uploads.complete(upload, "0") is None


def test_admin_keys_are_kept_as_hashes_and_belong_to_a_project(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "admin", "--state", str(tmp_path)]) == 0
    key = capsys.readouterr().out.strip()
    assert store.permissions.admin(key).project == PROJECT
    assert store.permissions.admin(key + "x") is None and store.keys.find(key) is None
    assert key not in [str(value) for row in store.database.rows("SELECT * FROM admin_keys", {}) for value in row]
    assert main(["keys", "admin", "proj_x", "--state", str(tmp_path)]) == 1
    with pytest.raises(UnknownProject):
        store.permissions.add_admin_key("proj_x")
