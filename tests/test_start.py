"""start.py and tools/: what they decide and run, without making a real environment."""
from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

import start
from tools import notebooks
from tools.service import ROOT

PIN = "torch==2.0.0\nother==1.0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with requirements, and with a .venv that counts as being in working order."""
    for name, value in {"ROOT": tmp_path, "VENV": tmp_path / ".venv", "STAMP": tmp_path / ".venv" / "installed.json",
                        "PYTHON": tmp_path / ".venv" / "python"}.items():
        monkeypatch.setattr(start, name, value)
    monkeypatch.setattr(start, "make_venv", lambda: (start.VENV.mkdir(exist_ok=True), start.PYTHON.touch()))
    monkeypatch.setattr(start, "cpu_index_answers", lambda: True)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "requirements.txt").write_text(PIN, encoding="utf-8")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The pip commands that would have run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(start, "quietly", lambda command: ran.append(command[command.index("--no-input") + 1:]))
    return ran


def ensure(project: Path, flag: str | None = "cpu") -> None:
    start.ensure_environment(flag, [project / "requirements.txt"])


# --- the environment -------------------------------------------------------------------------------------------------

def test_installs_once(project: Path, commands: list[list[str]]) -> None:
    ensure(project)
    assert [command[:2] for command in commands] == [["install", "torch==2.0.0"], ["install", "-r"]]
    ensure(project)
    ensure(project, flag=None)
    assert len(commands) == 2


@pytest.mark.parametrize("change", ["requirements", "python", "stamp unreadable", "no python"])
def test_installs_again_after_a_change(project: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch,
                                       change: str) -> None:
    ensure(project)
    if change == "requirements":
        (project / "requirements.txt").write_text(PIN + "more==2\n", encoding="utf-8")
    elif change == "python":
        monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    elif change == "stamp unreadable":
        start.STAMP.write_text("{", encoding="utf-8")
    else:
        start.PYTHON.unlink()
    ensure(project)
    assert len(commands) == 4


def test_an_interrupted_installation_is_repeated(project: Path, commands: list[list[str]],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(project)
    (project / "requirements.txt").write_text(PIN + "more==2\n", encoding="utf-8")

    def interrupted(command: list[str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(start, "quietly", interrupted)
        ensure(project)
    (project / "requirements.txt").write_text(PIN, encoding="utf-8")  # the old hash again, but half of the new is there
    ensure(project)
    assert len(commands) == 4


def test_switching_the_build_removes_the_other(project: Path, commands: list[list[str]]) -> None:
    ensure(project, "cpu")
    ensure(project, "gpu")
    assert commands[2:] == [["uninstall", "-y", "torch"], ["install", "-r", str(project / "requirements.txt")]]


def test_requirements_of_tests_do_not_spoil_the_stamp(project: Path, commands: list[list[str]]) -> None:
    more = project / "more.txt"
    more.write_text("extra==1\n", encoding="utf-8")
    start.ensure_environment("cpu", [project / "requirements.txt", more])
    ensure(project)
    assert len(commands) == 2
    assert {"requirements.txt", "more.txt", "python", "torch"} == json.loads(start.STAMP.read_text(encoding="utf-8")).keys()


@pytest.mark.parametrize("torch, reachable, first", [
    ("cpu", True, ["install", "torch==2.0.0", "--index-url", start.CPU_INDEX]),
    ("cpu", False, ["install", "-r"]),
    ("gpu", True, ["install", "-r"]),
    ("default", True, ["install", "-r"]),
])
def test_the_cpu_index_is_used_where_it_helps_and_answers(project: Path, torch: str, reachable: bool, first: list[str]) -> None:
    steps = start.install_steps([project / "requirements.txt"], torch, None, lambda: reachable)
    assert steps[0][:len(first)] == first


@pytest.mark.parametrize("platform, flag, recorded, nvidia, expected", [
    ("linux", None, None, False, "cpu"), ("linux", None, None, True, "gpu"), ("linux", "cpu", "gpu", True, "cpu"),
    ("linux", None, "gpu", False, "gpu"), ("darwin", "gpu", None, True, "default"), ("win32", None, None, True, "default"),
])
def test_build_of_torch(monkeypatch: pytest.MonkeyPatch, platform: str, flag: str | None, recorded: str | None,
                        nvidia: bool, expected: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(start.shutil, "which", lambda name: "/bin/nvidia-smi" if nvidia else None)
    monkeypatch.setattr(start.Path, "exists", lambda path: False)
    assert start.wanted_torch(flag, recorded) == expected


@pytest.mark.parametrize("output, cure", [
    ("ERROR: No matching distribution found for torch", "3.10 to 3.13"), ("OSError: No space left on device", "disk"),
    ("connection refused", "network"),
])
def test_a_failed_step_shows_its_end_and_a_cure(output: str, cure: str) -> None:
    program = f"print('early line'); print('line\\n' * 20 + {output!r}); raise SystemExit(1)"
    with pytest.raises(SystemExit) as end:
        start.quietly([sys.executable, "-c", program])
    shown = str(end.value)
    assert output in shown and cure in shown.splitlines()[-1] and "early line" not in shown.split("failed:")[0]


def hold_lock(path: Path, held: Any, let_go: Any) -> None:
    with start.one_at_a_time(path):
        held.set()
        let_go.wait(300)


def test_a_second_start_waits_for_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    context = multiprocessing.get_context("spawn")
    held, let_go, lock = context.Event(), context.Event(), tmp_path / "build" / "lock"
    first = context.Process(target=hold_lock, args=(lock, held, let_go))
    first.start()
    assert held.wait(300)
    monkeypatch.setattr(start.time, "sleep", lambda seconds: (let_go.set(), first.join()))
    with start.one_at_a_time(lock):
        assert not first.is_alive()
    assert "waiting" in capsys.readouterr().out


def test_no_venv_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        start.make_venv()


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match="needs 3.10 or newer"):
        start.main(["run"])


# --- the command line ------------------------------------------------------------------------------------------------

def handed_over(*argv: str) -> list[str]:
    """The command for .venv, less the interpreter."""
    return start.command_of(*start.parser().parse_known_args(argv))[1:]


@pytest.mark.parametrize("argv, expected", [
    (["run"], ["run", "01"]), (["run", "3", "--save"], ["run", "3", "--save"]),
    (["run", "00", "01", "--cpu"], ["run", "00", "01"]),
    (["lab", "--no-browser"], ["lab", "--no-browser"]), (["test", "-k", "wire", "--co"], ["test", "-k", "wire", "--co"]),
    (["test", "tests/x.py::test_y", "-x"], ["test", "tests/x.py::test_y", "-x"]),
])
def test_arguments_reach_the_job(argv: list[str], expected: list[str]) -> None:
    assert handed_over(*argv) == [str(ROOT / "tools"), *expected]


def test_serve_takes_its_own_arguments() -> None:
    arguments = ["--port", "0", "--keys", "--help"]
    assert handed_over("serve", *arguments) == ["-m", "localtune", "serve", *arguments]


def test_bench_runs_a_file_or_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert handed_over("bench", "trl_speed", "--rows", "8") == [str(ROOT / "tests" / "bench" / "trl_speed.py"), "--rows", "8"]
    with pytest.raises(SystemExit) as end:
        handed_over("bench")
    assert end.value.code == 0 and "trl_speed" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no measurement nonsense"):
        handed_over("bench", "nonsense")


@pytest.mark.parametrize("argv", [["run", "01", "--sav"], ["doctor", "x"], ["run", "--cpu", "--gpu"], [], ["dance"]])
def test_mistakes_end_with_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        start.main(argv)
    assert end.value.code == 2 and "usage" in capsys.readouterr().err


def test_start_needs_the_standard_library_only() -> None:
    done = subprocess.run([sys.executable, "-S", ROOT / "start.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "serve" in done.stdout


# --- run -------------------------------------------------------------------------------------------------------------

@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("00_first.ipynb", "01_second.ipynb"):
        (tmp_path / name).touch()
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["1", "01"])
def test_a_notebook_is_found_by_number(course: Path, name: str) -> None:
    assert notebooks.find_notebook(name) == course / "01_second.ipynb"


@pytest.mark.parametrize("name", ["07", "x", "gone.ipynb"])
def test_an_unknown_notebook_shows_what_there_is(course: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="00_first, 01_second"):
        notebooks.find_notebook(name)


def written(folder: Path, *sources: str) -> Path:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_markdown_cell(source) if source.startswith("## ") else nbformat.v4.new_code_cell(source)
                  for source in sources]
    path = folder / "book.ipynb"
    nbformat.write(book, path)
    return path


def test_run_reports_cells_and_summary_and_leaves_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bundle = f"display({{'{notebooks.SUMMARY}': {{'loss': 0.5, 'jobs': 2}}, 'text/plain': 'done'}}, raw=True)"
    path = written(tmp_path, "## A heading", "x = 1", "# a comment\nx + 1", "y = 2", bundle)
    before = path.read_bytes()
    assert notebooks.execute(path, save=False)
    lines = capfd.readouterr().out.splitlines()
    assert [line[7:].split("  ")[0] for line in lines[1:4]] == ["A heading", "a comment", "y = 2"]
    assert lines[1].startswith("  1/4") and lines[-3:-1] == ["loss: 0.5", "jobs: 2"] and lines[-1].startswith("4 cells in ")
    assert path.read_bytes() == before


def test_run_saves_outputs_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "6 * 7")
    assert notebooks.execute(path, save=True)
    cell = nbformat.read(path, as_version=4).cells[0]
    assert cell.execution_count == 1 and cell.outputs[0]["data"]["text/plain"] == "42"
    assert "execution" not in cell.metadata, "times of this run would change the file at every run"


def test_run_shows_the_failing_cell_and_changes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "x = 1", "1 / (x - 1)  # the culprit", "never = 1")
    before = path.read_bytes()
    assert not notebooks.execute(path, save=True)
    shown = capfd.readouterr().out
    assert "1 / (x - 1)  # the culprit" in shown and "ZeroDivisionError" in shown and "cell 2 of 3 failed" in shown
    assert path.read_bytes() == before
