"""What is wrong with this machine or this copy of the course, and what to do about it."""
from __future__ import annotations

import os
import platform
import shutil
import time
from typing import Callable

import psutil

from helpers.service import find_service, state_folder
from tools.service import ROOT, answered_elsewhere, service_process

GOOD, WARNING, WRONG = "ok", "note", "WRONG"
Finding = tuple[str, str, str]  # how it stands, what was found, the cure ("" where none is needed)


def about_python() -> Finding:
    return GOOD, f"{platform.python_version()}, {platform.platform()}", ""


def about_memory() -> Finding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"
    enough = memory.available > 2 * 2**30
    return (GOOD, found, "") if enough else (WARNING, found, "close other programs: training needs about 1 GiB")


def about_disk() -> Finding:
    free = shutil.disk_usage(ROOT).free / 2**30
    found = f"{free:.1f} GiB free in {ROOT}"
    return (GOOD, found, "") if free > 1 else (WRONG, found, "free at least 1 GiB")


def about_torch() -> Finding:
    """PyTorch's version, and how much faster bfloat16 is here: on most laptops it is slower, so float32 is used."""
    import torch
    seconds = []
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.ones(384, 384, dtype=dtype)
        matrix @ matrix
        started = time.perf_counter()
        for _ in range(5):
            matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return GOOD, (f"{torch.__version__}, {torch.get_num_threads()} threads, CUDA {'yes' if torch.cuda.is_available() else 'no'}; "
                  f"precision float32 (bfloat16 measured at {seconds[0] / seconds[1]:.2f} times its speed)"), ""


def about_service() -> Finding:
    state = state_folder()
    url = find_service(state)
    if url:
        return GOOD, f"running at {url} (process {service_process(state).pid}), state in {state}", ""
    if (state / "service.json").exists():
        return WARNING, f"service.json in {state} is of a service that has ended", "none needed: the next start replaces it"
    return GOOD, f"not running (lab, run and test start it), state in {state}", ""


def about_mode() -> Finding:
    if not answered_elsewhere():
        return GOOD, "local: no key, no network, no cost", ""
    address = os.environ.get("OPENAI_BASE_URL", "the SDK's default address")
    key = bool(os.environ.get("OPENAI_API_KEY"))
    paid = os.environ.get("COURSE_MODE") == "live"
    found = f"{'live, jobs cost money' if paid else 'local'}: {address}, key {'set' if key else 'not set'}"
    if paid and not key:
        return WRONG, found, "set OPENAI_API_KEY, or unset COURSE_MODE and OPENAI_BASE_URL to work locally"
    return GOOD, found, ""


def about_tokenizers() -> Finding:
    found = sorted(path.name for path in (ROOT / "data" / "tokenizers").glob("*.xz"))
    return (GOOD, ", ".join(found), "") if found else (
        WRONG, "no rank files in data/tokenizers", "get the project's files again (git checkout -- data/tokenizers)")


def about_base() -> Finding:
    weights = ROOT / "data" / "base" / "small" / "model.safetensors"
    if weights.exists():
        return GOOD, f"{weights.relative_to(ROOT)}, {weights.stat().st_size / 1e6:.1f} MB", ""
    return WRONG, f"{weights.relative_to(ROOT)} is missing", "get the project's files again (git checkout -- data/base)"


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": about_python, "memory": about_memory, "disk": about_disk, "PyTorch": about_torch, "mode": about_mode,
    "service": about_service, "tokenizers": about_tokenizers, "base model": about_base,
}


def doctor(arguments: list[str]) -> int:
    """Print every check with a cure for what is not right; 1 when something essential is wrong."""
    findings = {}
    for name, check in CHECKS.items():
        try:
            findings[name] = check()
        except Exception as error:  # a check that breaks is itself what the reader must see
            findings[name] = (WRONG, f"{type(error).__name__}: {error}", "delete the folder .venv, then start again")
        how, found, cure = findings[name]
        print(f"{how:<6}{name:<12}{found}" + (f"\n{'':<18}cure: {cure}" if cure else ""), flush=True)
    return 1 if any(how == WRONG for how, _, _ in findings.values()) else 0
