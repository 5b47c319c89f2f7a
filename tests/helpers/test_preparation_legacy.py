"""With all its mistakes switched on, `helpers.preparation` writes the very bytes of the tool that it succeeds.

The real one, openai==0.28.1, is installed into an environment of its own in the user's cache folder, once. Where that is not
possible (no package registry), every test here is skipped with the reason.
"""
from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import platformdirs
import pytest

from helpers.preparation import LEGACY, PreparationError, prepare

PACKAGES = ("openai==0.28.1", f"pandas=={pd.__version__}", f"openpyxl=={openpyxl.__version__}")
CACHE = Path(platformdirs.user_cache_dir("localtune")) / f"legacy-tool-{sys.version_info[0]}.{sys.version_info[1]}"
INSTALL_SECONDS = 180

# Runs the tool's own command function on (file, quiet, answers) after the other: importing pandas each time is slow.
DRIVER = """
import argparse, contextlib, io, json, sys
from openai.cli import FineTune
outcomes = []
for name, quiet, answers in json.load(sys.stdin):
    sys.stdin, outcome = io.StringIO(answers), "done"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            FineTune.prepare_data(argparse.Namespace(file=name, quiet=quiet))
        except SystemExit:
            outcome = "refused"
        except Exception as error:
            outcome = "crashed: " + type(error).__name__
    outcomes.append(outcome)
print(json.dumps(outcomes))
"""


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(folder: Path) -> None:
    """A complete environment appears under its name, or none."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        venv.create(draft, with_pip=True, clear=True)
        subprocess.run([python_of(draft), "-m", "pip", "install", "-q", "--retries", "0", *PACKAGES], check=True,
                       capture_output=True, timeout=INSTALL_SECONDS)
        (draft / "packages.json").write_text(json.dumps(PACKAGES), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@pytest.fixture(scope="module")
def legacy_python() -> Path:
    stamp = CACHE / "packages.json"
    if not stamp.exists() or json.loads(stamp.read_text(encoding="utf-8")) != list(PACKAGES):
        try:
            install(CACHE)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"NOT COMPARED WITH THE REAL LEGACY TOOL: {PACKAGES[0]} cannot be installed here ({error})")
    return python_of(CACHE)


@dataclass(frozen=True)
class Case:
    """A file as it is given to both tools, and what a user answers; without answers it runs quietly."""

    name: str
    data: bytes
    answers: str | None = None


# --- inputs ----------------------------------------------------------------------------------------------------------

WORDS = "rain wind A/B Zürich snow METAL 雪 sun\\ \"quoted\" tab\there 100% line-end it's NA ok".split(" ")


def csv_bytes(rows: list[dict[str, str]], separator: str = ",") -> bytes:
    return pd.DataFrame(rows).to_csv(index=False, sep=separator, lineterminator="\n").encode()


def json_lines(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def excel(rows: list[dict[str, str]], folder: Path) -> bytes:
    pd.DataFrame(rows).to_excel(folder / "made.xlsx", index=False)
    return (folder / "made.xlsx").read_bytes()


def sentences(seed: int, count: int, **ends: str) -> list[dict[str, str]]:
    """Random prompts and completions, with what `ends` puts around them."""
    dice = random.Random(seed)

    def text(most: int) -> str:
        return " ".join(dice.choice(WORDS) for _ in range(dice.randint(1, most)))

    return [{"prompt": ends.get("before", "") + text(6) + ends.get("separator", ""),
             "completion": ends.get("start", "") + text(9) + ends.get("ending", "")} for _ in range(count)]


def labelled(seed: int, count: int, *labels: str) -> list[dict[str, str]]:
    dice = random.Random(seed)
    return [{**row, "completion": dice.choice(labels)} for row in sentences(seed, count)]


def plain_cases(folder: Path) -> list[Case]:
    conditional, classes = sentences(1, 12), labelled(2, 40, " positive", " negative")
    spoilt = [{**row, "completion": row["completion"] if i % 4 else ""} for i, row in enumerate(sentences(3, 12))]
    long = [{"prompt": f"{i}", "completion": f"word {i} " + "very " * (2500 if i in (9, 10) else 1) + str(i)}
            for i in range(12)]
    return [
        Case("plain.csv", csv_bytes(conditional)),
        Case("plain.tsv", csv_bytes(conditional, "\t")),
        Case("plain.xlsx", excel(conditional, folder)),
        Case("plain.jsonl", json_lines(conditional)),
        Case("plain.json", json.dumps(conditional, indent=1, ensure_ascii=False).encode()),
        Case("lines_called.json", json_lines(conditional)),
        Case("list_called.jsonl", json.dumps(conditional).encode()),
        Case("plain.txt", "first line\nSECOND LINE\n\nlast / line\n".encode()),
        Case("UPPER.CSV", csv_bytes([{k: v.upper() for k, v in row.items()} for row in conditional])),
        Case("header.csv", csv_bytes([{"Prompt": r["prompt"], "COMPLETION": r["completion"], "id": "7"} for r in conditional])),
        Case("classes.csv", csv_bytes(classes)),
        Case("classes.jsonl", json_lines(classes)),
        Case("three.csv", csv_bytes(labelled(4, 50, "yes", "no", "None"))),
        Case("spoilt.csv", csv_bytes(spoilt)),
        Case("blank.csv", csv_bytes([{**row, "completion": row["completion"] if i % 4 else "  "}
                                     for i, row in enumerate(conditional)])),
        Case("nulls.jsonl", json_lines([{"prompt": "a", "completion": None}, {"prompt": 2, "completion": True}, {"prompt": "c"},
                                        {"prompt": "d/e", "completion": 1.5}])),
        Case("twice.csv", csv_bytes(conditional + conditional[:5])),
        Case("same_when_small.csv", csv_bytes([*sentences(5, 6), {"prompt": "SNOW", "completion": "RAIN AND WIND"},
                                               {"prompt": "snow", "completion": "rain and wind"}])),
        Case("long.csv", csv_bytes(long)),
        Case("long_after_duplicates.csv", csv_bytes([long[0], long[0], *long, {"prompt": "z", "completion": "the end"}])),
        Case("long_after_an_empty_one.csv", csv_bytes([{"prompt": "a", "completion": ""}, long[9], *long[:5]])),
        Case("ready.jsonl", json_lines(sentences(6, 12, separator=" ->", start=" ", ending=" END"))),
        Case("marked.csv", csv_bytes(sentences(7, 12, separator="\n\n###\n\n", start=" ", ending=" END"))),
        Case("instruction.csv", csv_bytes(sentences(8, 12, before="Summarise this text, please: "))),
        Case("prefixed.csv", csv_bytes(sentences(9, 12, start=" The answer is: "))),
        Case("prefixed_tight.csv", csv_bytes(sentences(10, 12, start="Answer:"))),
        Case("arrows.csv", csv_bytes(sentences(11, 12, before="a -> b\n\n###\n\n"))),
        Case("identical.csv", csv_bytes([{"prompt": "p", "completion": str(i)} for i in range(5)])),
        Case("same_answer.csv", csv_bytes([{"prompt": str(i), "completion": "x"} for i in range(2)])),
        Case("missing.csv", csv_bytes([{"question": "p", "completion": "c"}])),
        Case("unknown.docx", b"prompt"), Case("no_extension", b"prompt"), Case("broken.jsonl", b'{"prompt": "a"\n'),
        Case("one_row.jsonl", json_lines(conditional[:1])),
    ]


def answered_cases() -> list[Case]:
    """The same kind of data with every fix refused, accepted, or by turns; the last answers are `split` and `proceed`."""
    shapes = {
        "fixes": sentences(12, 14, before="Tell me about: ") + sentences(12, 3, before="Tell me about: "),
        "labels": labelled(13, 30, "GOOD", "BAD", "GOODISH"),
        "endings": sentences(14, 14, ending="!"),
    }
    answers = {"yes": "\n" * 12, "no": "n\n" * 12, "turns": "n\ny\n" * 6, "other_turns": "y\nN\n" * 6}
    return [Case(f"{shape}_{how}.csv", csv_bytes(rows), given)
            for shape, rows in shapes.items() for how, given in answers.items()]


def random_cases(count: int = 40) -> list[Case]:
    """Data that nobody has in view: each trait of a file is there or not."""
    cases = []
    for seed in range(count):
        dice = random.Random(1000 + seed)
        traits = {name: value for name, value in {
            "before": dice.choice(["Q: ", "Please answer this: "]), "separator": dice.choice([" ->", "?", "\n\n###\n\n", "ab"]),
            "start": dice.choice([" ", "A: ", " So, it is "]), "ending": dice.choice([" END", ".", "ing", "\n"]),
        }.items() if dice.random() < 0.4}
        rows = sentences(seed, dice.randint(3, 60), **traits)
        if dice.random() < 0.4:
            rows = [{**row, "completion": dice.choice([" alpha", " beta", "gamma/"])} for row in rows]
        rows += rows[: dice.randint(0, 3)]
        answers = None if dice.random() < 0.5 else "".join(dice.choice("yn") + "\n" for _ in range(12))
        name, data = dice.choice([("csv", csv_bytes(rows)), ("tsv", csv_bytes(rows, "\t")), ("jsonl", json_lines(rows))])
        cases.append(Case(f"random_{seed}.{name}", data, answers))
    return cases


# --- both tools ------------------------------------------------------------------------------------------------------

def laid_out(cases: list[Case], folder: Path) -> None:
    folder.mkdir()
    for case in cases:
        (folder / case.name).write_bytes(case.data)


def run_legacy(python: Path, cases: list[Case], folder: Path) -> list[str]:
    work = [(str(folder / case.name), case.answers is None, case.answers or "") for case in cases]
    done = subprocess.run([python, "-c", DRIVER], input=json.dumps(work), capture_output=True, text=True, check=True,
                          encoding="utf-8", env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONUTF8": "1"})
    return json.loads(done.stdout)


def run_ours(case: Case, folder: Path) -> str:
    answers = iter((case.answers or "").splitlines())
    try:
        prepare(folder / case.name, quiet=case.answers is None, mistakes=LEGACY, ask=lambda _: next(answers),
                say=lambda _: None)
    except PreparationError:
        return "refused"
    except KeyError:  # rows dropped by labels that no longer exist
        return "crashed: KeyError"
    return "done"


@pytest.fixture(scope="module")
def compared(legacy_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Case], list[str], Path, Path]:
    """(cases, the legacy tool's outcomes, its folder, ours before anything ran)."""
    folder = tmp_path_factory.mktemp("compared")
    cases = [*plain_cases(folder), *answered_cases(), *random_cases()]
    for name in ("theirs", "ours"):
        laid_out(cases, folder / name)
    return cases, run_legacy(legacy_python, cases, folder / "theirs"), folder / "theirs", folder / "ours"


def test_the_same_files_with_the_same_bytes(compared: tuple[list[Case], list[str], Path, Path]) -> None:
    cases, outcomes, theirs, ours = compared
    for case, outcome in zip(cases, outcomes):
        mine = run_ours(case, ours)
        assert (mine == "done") == (outcome == "done"), f"{case.name}: {mine}, but the legacy tool {outcome}"
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())
    different = [path.name for path in sorted(theirs.iterdir()) if path.read_bytes() != (ours / path.name).read_bytes()]
    assert different == []


def test_the_inputs_reach_every_outcome(compared: tuple[list[Case], list[str], Path, Path]) -> None:
    cases, outcomes, theirs, _ = compared
    written = [path for path in theirs.glob("*_prepared*")]
    assert len(written) > 60 and len([path for path in written if "_train" in path.name]) > 10
    assert {"done", "refused"} <= set(outcomes) and any(outcome.startswith("crashed") for outcome in outcomes)


def test_the_command_itself_numbers_its_files_as_we_do(legacy_python: Path, tmp_path: Path) -> None:
    case = Case("again.csv", csv_bytes(labelled(20, 40, " up", " down")))
    for name in ("theirs", "ours"):
        laid_out([case], tmp_path / name)
    for _ in range(2):
        subprocess.run([legacy_python, "-c", "from openai._openai_scripts import main; main()", "tools",
                        "fine_tunes.prepare_data", "-q", "-f", "again.csv"],
                       cwd=tmp_path / "theirs", check=True, capture_output=True)
        run_ours(case, tmp_path / "ours")
    contents = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("theirs", "ours")]
    assert contents[0] == contents[1] and "again_prepared_train (1).jsonl" in contents[0]
