"""`/v1/files` through the official SDK."""

from __future__ import annotations

import openai
import pytest
from openai.types import FileObject

from tests.service.harness import Service, chat_lines, create, upload, wait_for


def test_upload_and_read_back(client: openai.OpenAI) -> None:
    data = chat_lines(3)
    file = client.files.create(file=("train.jsonl", data), purpose="fine-tune")
    assert (file.bytes, file.filename) == (len(data), "train.jsonl")
    assert (file.purpose, file.status) == ("fine-tune", "processed")
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == data


def test_file_larger_than_the_parsers_memory_comes_back_whole(client: openai.OpenAI) -> None:
    data = bytes(range(256)) * 16_384
    file = client.files.create(file=("big.bin", data), purpose="batch")
    assert client.files.content(file.id).read() == data


def test_same_bytes_are_stored_once_and_removed_with_the_last_file(new_service: Service) -> None:
    client = new_service.start().client()
    first, second = upload(client, chat_lines(4)), upload(client, chat_lines(4))
    client.files.delete(first)
    assert client.files.content(second).read() == chat_lines(4)
    assert len(list((new_service.state / "blobs").glob("??/*"))) == 1
    client.files.delete(second)
    assert not list((new_service.state / "blobs").glob("??/*"))
    assert not list((new_service.state / "tmp").iterdir())


def test_pages_order_and_purpose(service: Service) -> None:
    client = service.client()
    ids = [client.files.create(file=("a.txt", b"x"), purpose="vision").id for _ in range(5)]
    page = client.files.list(purpose="vision", limit=2)
    assert [file.id for file in page.data] == ids[:-3:-1] and page.has_more
    assert [file.id for file in client.files.list(purpose="vision", limit=2)] == ids[::-1]
    assert [file.id for file in client.files.list(purpose="vision", limit=2, order="asc")] == ids


def test_deleting_while_paging_reaches_every_file(client: openai.OpenAI) -> None:
    ids = {client.files.create(file=("a.txt", b"x"), purpose="user_data").id for _ in range(5)}
    assert {client.files.delete(file.id).id for file in client.files.list(purpose="user_data", limit=2)} == ids
    assert client.files.list(purpose="user_data").data == []


def test_deleted_file_is_gone(client: openai.OpenAI) -> None:
    file_id = upload(client, chat_lines(1))
    assert client.files.delete(file_id).deleted
    for again in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError) as error:
            again(file_id)
        assert error.value.body == {
            "message": f"No such File object: {file_id}", "type": "invalid_request_error", "param": "id", "code": None,
        }


def test_deleting_the_file_of_a_running_job_does_not_break_it(client: openai.OpenAI) -> None:
    job = create(client, "slow")
    client.files.delete(job.training_file)
    assert wait_for(client, job.id).status == "succeeded"


@pytest.mark.parametrize(
    ("data", "number", "start"),
    [
        (b'{\n "messages": []\n}\n', 1, "{"),
        (b'["a list"]\n', 1, '["a list"]'),
        (chat_lines(2) + b'{"messages": [}\n', 3, '{"messages": [}'),
        (chat_lines(1) + b"\n" + chat_lines(1), 2, ""),
        (b'{"prompt": NaN}\n', 1, '{"prompt": NaN}'),
        (b'{"a": "\xff"}\n', 1, '{"a": "\ufffd"}'),
    ],
)
def test_lines_that_are_no_dictionary(client: openai.OpenAI, data: bytes, number: int, start: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        upload(client, data)
    assert error.value.body["message"] == (
        "Expected file to have JSONL format, where every line is a valid JSON dictionary. "
        f'Line {number} is not a dictionary (HINT: line starts with: "{start}...").'
    )


@pytest.mark.parametrize(
    ("name", "purpose", "message"),
    [
        ("train.csv", "fine-tune", "Invalid file format for Fine-Tuning API. Must be .jsonl"),
        (
            "a.jsonl", "fine-tuning",
            "'fine-tuning' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision'] - 'purpose'",
        ),
    ],
)
def test_refused_uploads(client: openai.OpenAI, name: str, purpose: str, message: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.files.create(file=(name, chat_lines(1)), purpose=purpose)
    assert error.value.body["message"] == message


def test_expiry_is_checked_and_kept(client: openai.OpenAI) -> None:
    def create(seconds: int) -> FileObject:
        after = {"anchor": "created_at", "seconds": seconds}
        return client.files.create(file=("a.txt", b"x"), purpose="batch", expires_after=after)

    file = create(3600)
    assert file.expires_at == file.created_at + 3600
    with pytest.raises(openai.BadRequestError, match="invalid expires_after.seconds: 10"):
        create(10)


def test_file_name_is_no_path(client: openai.OpenAI) -> None:
    assert client.files.create(file=("../../x.txt", b"x"), purpose="batch").filename == "x.txt"


def test_files_of_an_assistant_are_not_handed_out(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"x"), purpose="assistants")
    with pytest.raises(openai.BadRequestError, match="Not allowed to download files of purpose: assistants"):
        client.files.content(file.id)
