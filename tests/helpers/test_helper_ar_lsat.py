"""AR-LSAT's loader on made-up files, on the real ones where they are, and without any; rows made of what it loads."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers import ar_lsat
from helpers.metrics import rate
from helpers.validation import check, is_accepted

REAL = os.environ.get(ar_lsat.FOLDER_SETTING)


def game(number: int, passage: str, questions: int = 2, **changed: Any) -> dict[str, Any]:
    asked = {"question": "Who sits first?", "options": ["Ann", "Ben", "Cy", "Di", "Ed"], "answer": "C", **changed}
    return {"id": f"g{number}", "passage": passage, "questions": [{"id": f"g{number}_{n}", **asked} for n in range(questions)]}


def write(folder: Path, **splits: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    for split, name in ar_lsat.FILES.items():
        content = splits.get(split, [game(1, f"A passage of {split}.")])
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ar_lsat.FOLDER_SETTING, raising=False)


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A public place with three files whose hashes are known, and an empty cache."""
    folder = write(tmp_path / "public")
    hashes = {name: ar_lsat._sha256((folder / name).read_bytes()) for name in ar_lsat.FILES.values()}
    monkeypatch.setattr(ar_lsat, "ADDRESS", folder.as_uri())
    monkeypatch.setattr(ar_lsat, "SHA256", hashes)
    monkeypatch.setattr(ar_lsat.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    return folder


def test_one_row_per_question_from_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ar_lsat.load(write(tmp_path, train=[game(1, "One."), game(2, "Two — naïve.", 3)]))
    assert list(data.train["id"]) == ["g1_0", "g1_1", "g2_0", "g2_1", "g2_2"]
    assert data.train.loc[4, ["game", "passage", "answer"]].tolist() == ["g2", "Two — naïve.", "C"]
    assert "from a folder: 5 train, 2 validation, 2 test questions" in capsys.readouterr().out


def test_the_folder_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ar_lsat.FOLDER_SETTING, str(write(tmp_path)))
    assert ar_lsat.load().source == "AR-LSAT, from a folder"


def test_a_folder_without_the_files_is_no_reason_to_use_other_data(tmp_path: Path) -> None:
    (write(tmp_path) / "AR_TestData.json").unlink()
    with pytest.raises(FileNotFoundError, match="lacks AR_TestData.json: put the three files"):
        ar_lsat.load(tmp_path)


@pytest.mark.parametrize("content, said", [
    ("[{", "JSONDecodeError"), ('{"a": 1}', "TypeError"), ("[{}]", "KeyError"),
    (json.dumps([game(1, "P.", answer="F")]), "question g1_0 has 5 options and the answer 'F'"),
    (json.dumps([game(1, "P.", options=["Ann", "Ben"])]), "2 options and the answer 'C'"),
    (json.dumps([game(1, "P.", options=list("abcdef"))]), "6 options"),
    (json.dumps([game(1, "P.", answer="")]), "the answer ''"),
])
def test_a_file_of_another_form_is_named(tmp_path: Path, content: str, said: str) -> None:
    (write(tmp_path) / "AR_DevelopmentData.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="AR_DevelopmentData.json is not a file of AR-LSAT") as caught:
        ar_lsat.load(tmp_path)
    assert said in str(caught.value)


def test_without_a_folder_our_own_games_stand_in() -> None:
    data = ar_lsat.load()
    assert data.source == "logic games"
    assert {name: len(frame) for name, frame in data.splits.items()} == {"train": 1000, "validation": 150, "test": 300}
    assert list(data.test.columns) == list(ar_lsat.load().train.columns)


def test_a_download_is_kept(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ar_lsat.load(download=True).source == "AR-LSAT, downloaded"
    for name in ar_lsat.FILES.values():
        (public / name).unlink()
    assert ar_lsat.load(download=True).source == "AR-LSAT, downloaded"
    assert capsys.readouterr().out.count("AR_TestData.json: ") == 1


def test_a_damaged_cache_is_fetched_anew(public: Path, tmp_path: Path) -> None:
    ar_lsat.load(download=True)
    kept = tmp_path / "cache" / "ar-lsat" / "AR_TestData.json"
    kept.write_text("[", encoding="utf-8")
    assert len(ar_lsat.load(download=True).test) == 2 and kept.read_bytes() == (public / kept.name).read_bytes()


def test_offline_a_message_says_what_stands_in(public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (public / "AR_TestData.json").unlink()
    assert ar_lsat.load(download=True).source == "logic games"
    said = capsys.readouterr().out
    assert "cannot be downloaded" in said and ar_lsat.FOLDER_SETTING in said


def test_another_content_than_expected_is_refused_and_not_kept(public: Path, tmp_path: Path) -> None:
    (public / "AR_TestData.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"AR_TestData.json: the download is not the file it should be"):
        ar_lsat.load(download=True)
    assert sorted(path.name for path in (tmp_path / "cache" / "ar-lsat").iterdir()) == [
        "AR_DevelopmentData.json", "AR_TrainingData.json"]


class Host(BaseHTTPRequestHandler):
    """Stands in for the public host: hands out the files of a folder, as `mode` says."""

    folder: Path
    mode = "good"
    asked: list[str] = []

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        self.asked.append(name)
        content, broken = (self.folder / name).read_bytes(), name == "AR_TestData.json" and self.mode != "good"
        self.send_response(503 if broken and self.mode == "down" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:50] if broken and self.mode == "breaks off" else content[::-1] if broken else content)

    def log_message(self, *parts: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def host(public: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Host]]:
    class OneHost(Host):
        folder, asked = public, []

    with ThreadingHTTPServer(("127.0.0.1", 0), OneHost) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(ar_lsat, "ADDRESS", f"http://127.0.0.1:{server.server_port}/data")
        monkeypatch.setenv("no_proxy", "*")
        yield OneHost
        server.shutdown()
        thread.join()


def test_the_host_is_asked_once_for_each_file(host: type[Host], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert ar_lsat.load(download=True).source == "AR-LSAT, downloaded"
    assert host.asked == list(ar_lsat.FILES.values()) and capsys.readouterr().out.count(" bytes") == 3


@pytest.mark.parametrize(("mode", "said"), [("breaks off", "broke off after 50 of"), ("down", "503")])
def test_what_the_host_does_not_give_whole_is_said_and_asked_again(
    host: type[Host], tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, said: str
) -> None:
    host.mode = mode
    assert ar_lsat.load(download=True).source == "logic games"
    assert said in capsys.readouterr().out and len(list((tmp_path / "cache" / "ar-lsat").iterdir())) == 2
    host.mode = "good"
    assert ar_lsat.load(download=True).source == "AR-LSAT, downloaded"
    assert host.asked == [*ar_lsat.FILES.values(), "AR_TestData.json"]  # what had come is not asked for again


def test_other_bytes_from_the_host_are_refused(host: type[Host], tmp_path: Path) -> None:
    host.mode = "forged"
    with pytest.raises(ValueError, match=r"SHA-256 differs"):
        ar_lsat.load(download=True)
    assert not (tmp_path / "cache" / "ar-lsat" / "AR_TestData.json").exists()


def test_an_interrupted_download_leaves_nothing_behind(
    host: type[Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*shown: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("helpers.progress.Progress.update", lambda bar, done, total, label: stop() if done else None)
    monkeypatch.setattr(ar_lsat, "BLOCK", 2000)
    (host.folder / "AR_TrainingData.json").write_bytes(b" " * 10_000)
    with pytest.raises(KeyboardInterrupt):
        ar_lsat.load(download=True)
    assert list((tmp_path / "cache" / "ar-lsat").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_said(public: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    assert ar_lsat.load(download=True).source == "logic games" and "cannot be downloaded" in capsys.readouterr().out


def test_a_subset_takes_no_passage_apart() -> None:
    frame = pd.DataFrame({"passage": ["a", "A ", "b", "b", "c", "d", "d", "d"], "id": range(8)})
    subsets = [ar_lsat.whole_games(frame, 4, seed) for seed in range(20)]
    for subset in subsets:
        assert 4 <= len(subset) <= 6
        left = frame[~frame["id"].isin(subset["id"])]
        assert not set(subset["passage"].map(ar_lsat.same_text)) & set(left["passage"].map(ar_lsat.same_text))
    assert len({tuple(subset["id"]) for subset in subsets}) > 1
    assert ar_lsat.whole_games(frame, 4).equals(ar_lsat.whole_games(frame, 4)) and len(ar_lsat.whole_games(frame, 99)) == 8


@pytest.mark.parametrize("answer, found", [
    ("C", "C"), (" C\n", "C"), ("C.", None), ("AB", None), ("F", None), ("c", None), ("The answer is C", None), ("", None),
    (None, None),
])
def test_an_answer_is_a_letter_or_not(answer: str | None, found: str | None) -> None:
    assert ar_lsat.letter(answer) == found


def sources() -> list[str]:
    return ["games", *(["real"] if REAL else [])]


@pytest.fixture(params=sources())
def data(request: pytest.FixtureRequest) -> ar_lsat.Questions:
    return ar_lsat.load(REAL if request.param == "real" else None)


def test_examples_pass_the_course_s_own_check(data: ar_lsat.Questions) -> None:
    for examples in (ar_lsat.chat_examples, ar_lsat.completion_examples):
        train, validation = examples(data.train), examples(data.validation)
        report = check(train, "gpt-3.5-turbo-0613", local=True, validation=validation, tokens=True)
        assert is_accepted(report.frame()) and report.tokens, report.frame()


def test_every_option_has_its_letter_and_the_prompt_no_answer(data: ar_lsat.Questions) -> None:
    for row in data.test.to_dict("records"):
        lines = ar_lsat.question_text(row).splitlines()
        assert lines[-1] == "Answer:" and len(lines) >= 3 + len(row["options"])
        assert lines[-2].startswith(f"{ar_lsat.LETTERS[len(row['options']) - 1]}. ")


def test_splits_share_no_passage_and_no_letter_is_a_good_guess(data: ar_lsat.Questions) -> None:
    passages = [set(frame["passage"].map(ar_lsat.same_text)) for frame in data.splits.values()]
    assert sum(map(len, passages)) == len(set.union(*passages))
    most = data.train["answer"].mode()[0]
    assert rate(data.test["answer"] == most).low < 0.2
