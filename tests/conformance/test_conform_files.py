"""Files and uploads in parts."""

from __future__ import annotations

import hashlib
import io
import time

import openai
import pytest

from tests.conformance.surface import covers
from tests.conformance.target import Target, chat_lines, upload

LIVE = pytest.mark.live


@LIVE
@covers("files.create", "file", "purpose")
@covers("files.retrieve", "file_id")
@covers("files.content", "file_id")
@covers("files.delete", "file_id")
def test_a_file_comes_back_whole_until_it_is_deleted(client: openai.OpenAI) -> None:
    before = int(time.time()) - 60
    data = chat_lines(12)
    file = client.files.create(file=("train.jsonl", data), purpose="fine-tune")
    assert file.id.startswith("file-") and (file.object, file.purpose) == ("file", "fine-tune")
    assert (file.bytes, file.filename) == (len(data), "train.jsonl") and before < file.created_at < before + 120
    assert client.files.retrieve(file.id).id == file.id
    assert client.files.content(file.id).read() == data
    deleted = client.files.delete(file.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (file.id, True, "file")
    with pytest.raises(openai.NotFoundError) as error:
        client.files.retrieve(file.id)
    assert (error.value.param, error.value.code) == ("id", None)
    assert error.value.body["message"] == f"No such File object: {file.id}"


@covers("files.create", "file")
def test_bytes_without_a_name_are_no_training_file(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Must be .jsonl"):
        client.files.create(file=chat_lines(), purpose="fine-tune")


@covers("files.create", "purpose")
@pytest.mark.parametrize("purpose", ["assistants", "batch", "user_data", "vision"])
def test_every_purpose_is_kept(client: openai.OpenAI, purpose: str) -> None:
    file = client.files.create(file=("note.txt", b"text"), purpose=purpose)
    assert (file.purpose, file.filename, file.bytes) == (purpose, "note.txt", 4)
    assert client.files.retrieve(file.id).purpose == purpose
    assert [one.id for one in client.files.list(purpose=purpose, limit=1).data] == [file.id]
    client.files.delete(file.id)


@LIVE
@covers("files.create", "purpose")
def test_an_unknown_purpose_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.files.create(file=("a.jsonl", chat_lines()), purpose="fine-tuning")
    assert error.value.param == "purpose"
    assert "'fine-tuning' is not one of ['fine-tune', 'assistants', 'batch'" in error.value.body["message"]


@LIVE
@covers("files.create", "file")
@pytest.mark.parametrize(("name", "data", "message"), [
    ("train.csv", b"a,b\n", "Invalid file format for Fine-Tuning API. Must be .jsonl"),
    ("train.jsonl", b"[1]\n", "Expected file to have JSONL format, where every line is a valid JSON dictionary."),
])
def test_what_is_no_training_file_is_refused(client: openai.OpenAI, name: str, data: bytes, message: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        upload(client, data, name)
    assert message in error.value.body["message"]


@LIVE
@covers("files.create", "expires_after")
def test_a_file_expires_when_it_was_told_to(client: openai.OpenAI) -> None:
    file = client.files.create(
        file=("a.jsonl", chat_lines()), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert file.expires_at == file.created_at + 3600
    client.files.delete(file.id)


@covers("files.create", "expires_after")
def test_files_for_batches_expire_after_thirty_days(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.jsonl", b"{}\n"), purpose="batch")
    assert file.expires_at - file.created_at == 30 * 86_400
    client.files.delete(file.id)


@covers("files.create", "expires_after")
@pytest.mark.parametrize("after", [
    {"anchor": "created_at", "seconds": 3599}, {"anchor": "created_at", "seconds": 2_592_001},
    {"anchor": "last_active_at", "seconds": 3600},
])
def test_expiry_out_of_bounds_is_refused(client: openai.OpenAI, after: dict[str, object]) -> None:
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        client.files.create(file=("a.jsonl", chat_lines()), purpose="fine-tune", expires_after=after)


@covers("files.list", "after", "limit", "order", "purpose")
def test_files_are_paged_both_ways(client: openai.OpenAI) -> None:
    ids = [client.files.create(file=("a.txt", b"x"), purpose="vision").id for _ in range(5)]
    newest = client.files.list(purpose="vision", limit=2)
    assert [file.id for file in newest.data] == ids[:-3:-1] and newest.has_more
    mine = [file.id for file in client.files.list(purpose="vision", limit=2) if file.id in ids]
    assert mine == ids[::-1]
    assert [file.id for file in client.files.list(purpose="vision", order="asc", limit=3) if file.id in ids] == ids
    after = client.files.list(purpose="vision", after=ids[3]).data
    assert [file.id for file in after if file.id in ids] == ids[2::-1]
    for file_id in ids:
        client.files.delete(file_id)


@covers("files.content", "file_id")
def test_files_of_assistants_are_not_handed_out(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"x"), purpose="assistants")
    with pytest.raises(openai.BadRequestError, match="Not allowed to download files of purpose: assistants"):
        client.files.content(file.id)
    client.files.delete(file.id)


@covers("uploads.create", "bytes", "filename", "mime_type", "purpose", "expires_after")
@covers("uploads.parts.create", "upload_id", "data")
@covers("uploads.complete", "upload_id", "part_ids", "md5")
def test_an_upload_in_parts_becomes_one_file(client: openai.OpenAI) -> None:
    data = chat_lines(20)
    made = client.uploads.create(
        bytes=len(data), filename="parts.jsonl", mime_type="application/jsonl", purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 7200},
    )
    assert made.id.startswith("upload_") and made.status == "pending" and made.expires_at == made.created_at + 3600
    second = client.uploads.parts.create(made.id, data=data[100:])
    first = client.uploads.parts.create(made.id, data=io.BytesIO(data[:100]))
    assert first.id.startswith("part_") and first.upload_id == made.id
    done = client.uploads.complete(
        made.id, part_ids=[first.id, second.id], md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
    )
    assert done.status == "completed" and done.file.filename == "parts.jsonl"
    assert done.file.expires_at == done.file.created_at + 7200
    assert client.files.content(done.file.id).read() == data
    client.files.delete(done.file.id)


@covers("uploads.complete", "part_ids")
def test_the_sdk_uploads_in_chunks(client: openai.OpenAI) -> None:
    data = chat_lines(30)
    done = client.uploads.upload_file_chunked(
        file=data, filename="chunks.jsonl", bytes=len(data), mime_type="text/jsonl", purpose="fine-tune", part_size=500,
    )
    assert client.files.content(done.file.id).read() == data
    client.files.delete(done.file.id)


@covers("uploads.complete", "part_ids", "md5")
@covers("uploads.parts.create", "data")
def test_an_upload_that_does_not_fit_stays_open(client: openai.OpenAI) -> None:
    made = client.uploads.create(bytes=10, filename="a.txt", mime_type="text/plain", purpose="vision")
    part = client.uploads.parts.create(made.id, data=b"12345")
    with pytest.raises(openai.BadRequestError, match="5 bytes"):
        client.uploads.complete(made.id, part_ids=[part.id])
    with pytest.raises(openai.BadRequestError, match="part_ids"):
        client.uploads.complete(made.id, part_ids=["part_x"])
    with pytest.raises(openai.BadRequestError):
        client.uploads.parts.create(made.id, data=b"123456")
    rest = client.uploads.parts.create(made.id, data=b"67890")
    with pytest.raises(openai.BadRequestError, match="md5"):
        client.uploads.complete(made.id, part_ids=[part.id, rest.id], md5="0" * 32)
    assert client.uploads.complete(made.id, part_ids=[part.id, rest.id]).status == "completed"


@covers("uploads.complete", "part_ids")
def test_parts_that_make_no_training_file_are_refused(client: openai.OpenAI) -> None:
    made = client.uploads.create(bytes=3, filename="a.jsonl", mime_type="text/jsonl", purpose="fine-tune")
    part = client.uploads.parts.create(made.id, data=b"no\n")
    with pytest.raises(openai.BadRequestError, match="Expected file to have JSONL format"):
        client.uploads.complete(made.id, part_ids=[part.id])


@covers("uploads.cancel", "upload_id")
def test_a_cancelled_upload_takes_nothing_more(client: openai.OpenAI) -> None:
    made = client.uploads.create(bytes=5, filename="a.txt", mime_type="text/plain", purpose="assistants")
    assert client.uploads.cancel(made.id).status == "cancelled"
    for again in (
        lambda: client.uploads.cancel(made.id), lambda: client.uploads.parts.create(made.id, data=b"12345"),
        lambda: client.uploads.complete(made.id, part_ids=["part_x"]),
    ):
        with pytest.raises(openai.BadRequestError, match="cancelled"):
            again()


@covers("uploads.create", "bytes", "filename", "mime_type", "purpose", "expires_after")
@pytest.mark.parametrize(("change", "param"), [
    ({"bytes": 0}, "bytes"), ({"bytes": 2**40}, "bytes"), ({"purpose": "x"}, "purpose"), ({"mime_type": ""}, "mime_type"),
    ({"filename": ""}, "filename"), ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds"),
])
def test_uploads_out_of_bounds_are_refused(client: openai.OpenAI, change: dict[str, object], param: str) -> None:
    fits = {"bytes": 5, "filename": "a.txt", "mime_type": "text/plain", "purpose": "vision"}
    with pytest.raises(openai.BadRequestError) as error:
        client.uploads.create(**{**fits, **change})
    assert error.value.param == param


@covers("uploads.parts.create", "upload_id")
@covers("uploads.cancel", "upload_id")
def test_unknown_uploads_are_not_found(target: Target, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.uploads.parts.create("upload_x", data=b"1")
    with pytest.raises(openai.NotFoundError):
        client.uploads.cancel("upload_x")
