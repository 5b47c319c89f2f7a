from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from helpers import service
from helpers.connect import connect, preflight, who
from helpers.service import ServiceError, find_service, start_service

STUB = Path(__file__).with_name("stub_service.py")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder whose service is the stub, stopped after the test."""
    monkeypatch.setenv("LOCALTUNE_STATE", str(tmp_path))
    monkeypatch.setattr(service, "_command", lambda folder: [sys.executable, str(STUB), str(folder)])
    yield tmp_path
    if url := find_service(tmp_path):
        httpx2.post(url, trust_env=False)


def test_starts_the_service_once_and_finds_it_again(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = connect(), connect()
    assert first.base_url == second.base_url and first.api_key == "sk-local"
    printed = capsys.readouterr().out
    assert printed.count("Local service started") == 1
    assert printed.count("small (0.0 M parameters) · no cost, nothing leaves this machine") == 2
    assert list(first.models.list()) == []


def test_two_notebooks_at_once_share_one_service(state: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        urls = list(pool.map(start_service, [state, state]))
    assert urls[0] == urls[1] == find_service(state)
    assert "state folder is in use" in (state / "service.log").read_text("utf-8")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1:9/v1"}', '{"url": 7}'])
def test_stale_files_are_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "service.json").write_text(content, encoding="utf-8")
    assert find_service(tmp_path) is None


def test_failure_shows_the_end_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "service.log").write_text("an older run\n", encoding="utf-8")
    with pytest.raises(ServiceError, match="exit status 1") as caught:
        start_service(tmp_path, [sys.executable, str(STUB), str(tmp_path), "--fail"])
    assert "No module named 'torch'" in str(caught.value) and "an older run" not in str(caught.value)


def test_a_service_that_never_answers(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="did not answer"):
        start_service(tmp_path, [sys.executable, "-c", ""], timeout=0)


def test_loopback_address_from_the_environment(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = start_service(state)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-paid-provider")
    assert connect().api_key == "sk-local"


def test_loopback_service_with_keys_of_its_own(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_KEY", "sk-pupil-7")
    monkeypatch.setenv("OPENAI_BASE_URL", start_service(state))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-pupil-7")
    assert connect().api_key == "sk-pupil-7"


def test_a_proxy_is_not_asked_for_this_machine(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert list(connect().models.list()) == []


def test_loopback_address_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(ServiceError, match="nobody answers"):
        connect()


def test_paid_address_without_live_mode_is_not_used(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-paid")
    client = connect()
    assert client.base_url.host == "127.0.0.1" and client.api_key == "sk-local"
    assert "COURSE_MODE=live" in capsys.readouterr().out


@pytest.mark.usefixtures("paid")
def test_live_mode(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COURSE_MODE", "live")
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        connect()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-paid")
    assert connect().base_url.host == "api.openai.com"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://mine.openai.azure.com/openai/v1/")
    assert connect().api_key == "sk-paid"
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" at ")[0] for line in printed] == ["OpenAI", "Azure OpenAI / Microsoft Foundry"]
    assert all("billed" in line for line in printed)


@pytest.mark.usefixtures("paid")
def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    client = connect("https://other.example/v1", "sk-mine")
    assert (client.base_url.host, client.api_key) == ("other.example", "sk-mine")
    assert not who(client).local and who(client).name == "other.example"


def test_unknown_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_MODE", "lokal")
    with pytest.raises(ValueError, match="'local'"):
        connect()


def test_a_gateway_on_this_machine_is_not_called_free(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = httpx2.Response(200, content=json.dumps({"status": "ok"}).encode())
    monkeypatch.setattr(service.httpx2, "get", lambda *args, **kwargs: reply)
    assert not who(connect("http://127.0.0.1:4000/v1", "sk")).local


def test_preflight_local(state: Path) -> None:
    table = preflight(connect())
    assert table.loc["Mode", "found"] == "local" and table.loc["Models", "found"] == "0 usable"
    assert table.loc["New jobs", "found"] == "yes"


@pytest.mark.usefixtures("paid")
def test_preflight_live_explains_the_wind_down(monkeypatch: pytest.MonkeyPatch, provider) -> None:
    provider.models = {"gpt-4.1-2025-04-14", "ft:gpt-4.1-2025-04-14:org::a"}
    table = preflight(provider.client("api.openai.com"))
    assert "403 training_not_available" in table.loc["New jobs", "note"]
    assert table.loc["Models", "note"] == "1 of them fine-tuned"
