#!/usr/bin/env python3
"""One command for everything: makes the environment, then does the job.

    python3 start.py lab             JupyterLab on the first notebook
    python3 start.py run [NN ...]    execute notebooks without a browser (default: 01)
    python3 start.py test            every test and every notebook; more arguments go to pytest
    python3 start.py serve           the fine-tuning service alone; more arguments go to it
    python3 start.py doctor          what is wrong with this machine, and what to do about it
    python3 start.py bench [NAME]    a measurement of tests/bench/, or their list

The first start makes .venv beside this file and installs requirements.txt into it; later starts only do so after a change.
This file needs Python 3.10 or newer and its standard library; what the jobs need is imported inside .venv.
"""
from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.json"
BENCH = ROOT / "tests" / "bench"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CURES = {  # what pip says -> what helps
    "No space left": "free about 2 GB of disk space, then start again",
    "No matching distribution": f"this Python is {platform.python_version()}; use one from 3.10 to 3.13, 64-bit",
    "SSL": "the certificate was refused: set PIP_CERT to your organisation's certificate file, then start again",
    "": "check the network (behind a proxy set HTTPS_PROXY), then start again: what is done is kept",
}


def say(text: str) -> None:
    print(text, flush=True)


# --- the environment -------------------------------------------------------------------------------------------------

def wanted_torch(flag: str | None, recorded: str | None) -> str:
    """Which PyTorch build to install: a flag wins, then what is there, then the hardware; only Linux has the choice."""
    if sys.platform != "linux":
        return "default"
    nvidia = shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()
    return flag or recorded or ("gpu" if nvidia else "cpu")


def wanted_stamp(files: list[Path], torch: str) -> dict[str, str]:
    """What a complete installation is recorded as; another value of any entry means: install again."""
    hashes = {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"python": "%d.%d" % sys.version_info[:2], "torch": torch, **hashes}


def read_stamp() -> dict[str, str]:
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def cpu_index_answers() -> bool:
    """Whether PyTorch's own index of CPU builds can be reached within two seconds."""
    try:
        request = urllib.request.Request(CPU_INDEX + "/torch/", method="HEAD")
        return urllib.request.urlopen(request, timeout=2).status == 200
    except (OSError, http.client.HTTPException):
        return False


def install_steps(files: list[Path], torch: str, installed: str | None, probe: Callable[[], bool]) -> list[list[str]]:
    """The pip commands that lead to `files` with the `torch` build, where `installed` is the build there now."""
    steps = [["uninstall", "-y", "torch"]] if installed not in (None, torch) else []
    pin = re.search(r"^torch==[^\s;#]+", files[0].read_text(encoding="utf-8"), re.MULTILINE)
    if torch == "cpu" and pin and probe():  # else pip's default build would bring gigabytes of CUDA along
        steps.append(["install", pin.group(), "--index-url", CPU_INDEX])
    return steps + [["install", *(part for path in files for part in ("-r", str(path)))]]


def quietly(command: list[str]) -> None:
    """Run a command; shows nothing unless it fails: then the end of its output and a cure."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        cure = next(cure for sign, cure in CURES.items() if sign in done.stdout)
        sys.exit("\n".join(done.stdout.splitlines()[-15:]) + f"\n\nfailed: {' '.join(command)}\ncure: {cure}")


def inside_venv() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def make_venv() -> None:
    """Make .venv, unless there is one of this Python version in working order."""
    minor = "%d.%d" % sys.version_info[:2]
    config = VENV / "pyvenv.cfg"
    same = config.exists() and re.search(rf"^version\S* = {re.escape(minor)}\.", config.read_text(encoding="utf-8"), re.M)
    if same and PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        sys.exit("this Python has no venv module.\n"
                 f"cure: sudo apt install python3-venv (or python{minor}-venv), then start again")
    say(f"making .venv with Python {platform.python_version()}")
    quietly([sys.executable, "-m", "venv", "--clear", str(VENV)])


def try_lock(handle: Any) -> bool:
    try:
        if os.name == "nt":
            import msvcrt
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; a second start waits here. The system frees it when the process ends, however it ends."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as handle:
        if not try_lock(handle):
            say("another start is installing: waiting for it")
            while not try_lock(handle):
                time.sleep(0.2)
        yield


def ensure_environment(flag: str | None, files: list[Path]) -> None:
    """Make .venv and install `files`, unless the stamp says that this is done."""
    def missing() -> bool:
        recorded = read_stamp()
        return not recorded.items() >= wanted_stamp(files, wanted_torch(flag, recorded.get("torch"))).items()

    if PYTHON.exists() and not missing():
        return
    with one_at_a_time(ROOT / "build" / "start.lock"):
        if PYTHON.exists() and not missing():
            return
        install(flag, files)


def install(flag: str | None, files: list[Path]) -> None:
    torch = wanted_torch(flag, read_stamp().get("torch"))
    if not inside_venv():
        make_venv()
    recorded = read_stamp()
    STAMP.unlink(missing_ok=True)  # an interrupted installation must be repeated
    say(f"installing {', '.join(path.relative_to(ROOT).as_posix() for path in files)} (PyTorch build: {torch}): "
        "minutes the first time, seconds later")
    for step in install_steps(files, torch, recorded.get("torch"), cpu_index_answers):
        quietly([str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *step])
    STAMP.write_text(json.dumps({**recorded, **wanted_stamp(files, torch)}, indent=1), encoding="utf-8")


# --- handing over ----------------------------------------------------------------------------------------------------

def bench_command(arguments: list[str]) -> list[str]:
    """The measurement to run; without a name, their list."""
    names = sorted(path.stem for path in BENCH.glob("*.py"))
    if arguments and arguments[0] in names:
        return [str(PYTHON), str(BENCH / f"{arguments[0]}.py"), *arguments[1:]]
    say("\n".join(["measurements (python3 start.py bench NAME):", *(f"  {name}" for name in names)]))
    raise SystemExit(f"there is no measurement {arguments[0]}" if arguments else 0)


def command_of(options: argparse.Namespace, rest: list[str]) -> list[str]:
    """What is executed inside .venv."""
    if options.command == "serve":
        return [str(PYTHON), "-m", "localtune", "serve", *rest]
    if options.command == "bench":
        return bench_command(rest)
    if options.command == "run":
        rest = [*options.notebooks, *(["--save"] if options.save else [])]
    return [str(PYTHON), str(ROOT / "tools"), options.command, *rest]


def hand_over(command: list[str]) -> None:
    """Become `command`; where processes cannot be replaced (Windows), run it and pass its exit status on."""
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([path] if path else [])])
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the child too: it decides, we wait
            raise SystemExit(process.wait())


def parser() -> argparse.ArgumentParser:
    torch = argparse.ArgumentParser(add_help=False)
    build = torch.add_mutually_exclusive_group()
    build.add_argument("--cpu", dest="torch", action="store_const", const="cpu", help="Linux: install PyTorch's CPU build")
    build.add_argument("--gpu", dest="torch", action="store_const", const="gpu", help="Linux: install PyTorch's CUDA build")
    top = argparse.ArgumentParser(prog="python3 start.py", usage="python3 start.py COMMAND [--cpu | --gpu] ...",
                                  description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="python3 start.py",
                                  help="COMMAND --help says more")

    def command(name: str, text: str, **more: Any) -> argparse.ArgumentParser:
        return commands.add_parser(name, description=text, parents=[torch], allow_abbrev=False, **more)

    command("lab", "JupyterLab on the first notebook, with the service. More arguments (--no-browser) go to JupyterLab.")
    run = command("run", "Executes notebooks cell by cell, with the service. The files stay as they are.")
    run.add_argument("notebooks", nargs="*", default=["01"], metavar="NN", help="number or path of a notebook (default: 01)")
    run.add_argument("--save", action="store_true", help="write the outputs into the notebook: how committed outputs are made")
    command("test", "Every test and notebook, in a state folder of their own. More arguments go to pytest.")
    command("serve", "The fine-tuning service. More arguments go to python -m localtune serve.", add_help=False)
    command("doctor", "Looks at Python, memory, disk, PyTorch, the service and the course's files.")
    command("bench", "Runs tests/bench/NAME.py with the arguments after it; without a name, lists them.")
    return top


def main(argv: list[str]) -> None:
    if sys.version_info < (3, 10):
        sys.exit(f"this is Python {platform.python_version()}; the course needs 3.10 or newer.\n"
                 "cure: install one from python.org or your system's packages and call it by name: python3.12 start.py ...")
    options, rest = parser().parse_known_args(argv)
    if rest and options.command in ("run", "doctor"):
        parser().error(f"{options.command} does not know {' '.join(rest)}")
    command = command_of(options, rest)
    extra = ROOT / "tests" / "requirements.txt"
    tests_too = options.command == "test" and extra.exists()
    ensure_environment(options.torch, [ROOT / "requirements.txt", *([extra] if tests_too else [])])
    hand_over(command)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nstopped; the next start goes on from here")
