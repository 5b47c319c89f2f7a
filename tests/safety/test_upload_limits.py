"""Files: how long they, their lines and their parts may be, and that a big one passes through without filling memory."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest

from tests.service.conftest import bases, new_service
from tests.service.harness import Service, chat_lines, create, upload, wait_for

__all__ = ["bases", "new_service"]

MB = 1024 * 1024
BIG = 128 * MB
MOST_GROWTH = 60 * MB
LINE = chat_lines(1, "a" * 16_000)
HEAD = (
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.jsonl"\r\n\r\n'
)
TAIL = b"\r\n--x--\r\n"
SMALL = {"max_file_bytes": 2_000, "max_line_bytes": 300, "max_part_bytes": 1_000, "max_parts": 2}
PART = {"purpose": "fine-tune", "filename": "a.jsonl", "mime_type": "text/jsonl"}


def highest_memory(pid: int) -> int:
    """Bytes of memory the process had at its worst, from Linux's own book-keeping."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        why = "flat memory of uploads: this system has no /proc"
        warnings.warn(f"NOT TESTED: {why}", stacklevel=2)
        pytest.skip(why)
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text()).group(1)) * 1024


def big_form(lines: int) -> Iterator[bytes]:
    """A multipart form with a training file of so many lines, made while it is sent."""
    together = 64
    yield HEAD
    for sent in range(0, lines, together):
        yield LINE * min(together, lines - sent)
    yield TAIL


def send(service: Service, lines: int) -> dict[str, object]:
    """Upload through plain HTTP; returns the file object."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=300)
    length = len(HEAD) + lines * len(LINE) + len(TAIL)
    headers = {
        "authorization": "Bearer sk-local", "content-type": "multipart/form-data; boundary=x", "content-length": str(length),
    }
    connection.request("POST", "/v1/files", body=big_form(lines), headers=headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_a_big_file_comes_and_goes_in_flat_memory(new_service: Service) -> None:
    client = new_service.start().client()
    pid, lines = new_service.process.pid, BIG // len(LINE)
    assert client.files.content(str(send(new_service, 100)["id"])).content == LINE * 100
    before = highest_memory(pid)
    file = send(new_service, lines)
    assert file["bytes"] == lines * len(LINE) > 125 * MB
    digest = hashlib.sha256()
    with client.files.with_streaming_response.content(str(file["id"])) as answer:
        for chunk in answer.iter_bytes(MB):
            digest.update(chunk)
    expected = hashlib.sha256()
    for _ in range(lines):
        expected.update(LINE)
    assert digest.digest() == expected.digest()
    assert highest_memory(pid) - before < MOST_GROWTH
    assert client.files.delete(str(file["id"])).deleted
    assert not list((new_service.state / "tmp").iterdir())


@pytest.fixture
def small(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> openai.OpenAI:
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps(SMALL))
    return new_service.start().client()


def test_a_file_has_so_many_bytes(small: openai.OpenAI, new_service: Service) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        upload(small, b'{"a": 1}\n' * 300)
    assert (caught.value.status_code, caught.value.param) == (413, "file")
    with pytest.raises(openai.APIStatusError) as caught:  # told by its length alone, before a byte is read
        upload(small, b'{"a": 1}\n' * 30_000)
    assert caught.value.status_code == 413
    assert small.files.list().data == [] and not list((new_service.state / "tmp").iterdir())
    assert upload(small, b'{"a": 1}\n' * 200)


def test_a_line_has_so_many_bytes(small: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Line 2 of the file is longer than 300 bytes"):
        upload(small, b"{}\n" + json.dumps({"a": "x" * 300}).encode())
    assert upload(small, b"{}\n" + json.dumps({"a": "x" * 280}).encode())
    assert wait_for(small, create(small).id).status == "succeeded"


def test_an_upload_has_so_many_bytes_and_parts(small: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="invalid bytes: 2001, ensure this value is less than or equal to 2000"):
        small.uploads.create(bytes=2_001, **PART)
    made = small.uploads.create(bytes=1_500, **PART)
    with pytest.raises(openai.APIStatusError) as caught:
        small.uploads.parts.create(made.id, data=b" " * 1_001)
    assert (caught.value.status_code, caught.value.param) == (413, "data")
    data = chat_lines(10)
    parts = [small.uploads.parts.create(made.id, data=piece).id for piece in (data[:500], data[500:])]
    with pytest.raises(openai.BadRequestError, match="at most 2 parts"):
        small.uploads.parts.create(made.id, data=b"{}")
    exact = small.uploads.create(bytes=len(data), **PART)
    parts = [small.uploads.parts.create(exact.id, data=piece).id for piece in (data[:500], data[500:])]
    assert small.uploads.complete(exact.id, part_ids=parts).file.bytes == len(data)


def test_an_upload_stays_open_for_so_long(new_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SETTINGS", json.dumps({"upload_seconds": 1}))
    client = new_service.start().client()
    made = client.uploads.create(bytes=10, **PART)
    assert made.expires_at - made.created_at == 1
    with pytest.raises(openai.BadRequestError, match="is expired"):
        while True:
            client.uploads.parts.create(made.id, data=b"")
