"""Notebooks in JupyterLab (`lab`) or executed without a browser (`run`), with the service they need."""
from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tools.service import ROOT, course_service, wait_for

NOTEBOOKS = ROOT / "notebooks"
SUMMARY = "application/vnd.course.summary+json"  # a notebook's last cell may display such a dictionary: run prints it
CELL_SECONDS = 600
STOPPED = 130  # exit status after a signal, as shells have it for Ctrl-C
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def find_notebook(name: str) -> Path:
    """The notebook of a number (`1`, `01`) or path; exits with the list of notebooks when there is none."""
    found = [Path(name)] if name.endswith(".ipynb") else sorted(NOTEBOOKS.glob(f"{name.zfill(2)}_*.ipynb"))
    if len(found) == 1 and found[0].exists():
        return found[0].resolve()
    there = ", ".join(sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))) or "none yet"
    sys.exit(f"there is no notebook {name}; there are: {there}")


def lab(arguments: list[str]) -> int:
    first = find_notebook("00").relative_to(ROOT).as_posix()
    offline = ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
               "--LabApp.extension_manager=readonly"]
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{first}"]
    # No question about news from the internet: the page settings beside this file turn it off.
    os.environ["JUPYTER_CONFIG_PATH"] = str(ROOT / "tools" / "jupyter")
    with course_service() as url:
        print(f"fine-tuning service: {url}", flush=True)
        return wait_for([*command, *offline, *arguments])


def cell_titles(cells: list[Any]) -> dict[int, str]:
    """Index of each code cell -> its first comment, else the heading right above it, else its first line after the imports."""
    titles, heading = {}, ""
    for index, cell in enumerate(cells):
        lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
        if cell.cell_type == "markdown":
            heading = next((line.lstrip("# ") for line in lines if line.startswith("#")), heading)
        elif cell.cell_type == "code" and lines:
            work = next((line for line in lines if not line.startswith(("import ", "from "))), lines[0])
            titles[index] = lines[0].lstrip("# ") if lines[0].startswith("#") else heading or work
            heading = ""
    return titles


class Progress:
    """One line for each code cell: k/n, its title, its seconds."""

    def __init__(self, cells: list[Any]) -> None:
        self.titles = cell_titles(cells)
        self.done = 0
        self.started = time.monotonic()
        self.stopped = False

    def watch_signals(self, notebook: Any) -> None:
        """Let a signal cancel the execution, which shuts the kernel down: nbclient's own handlers break off halfway."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end() -> None:
            self.stopped = True
            task.cancel()

        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows: KeyboardInterrupt does it
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                loop.add_signal_handler(getattr(signal, name), end)

    def start(self, cell: Any, cell_index: int) -> None:
        if cell_index in self.titles:
            self.done += 1
            self.started = time.monotonic()
            print(f"{self.done:>3}/{len(self.titles)}  {self.titles[cell_index][:70]:<70}", end="", flush=True)

    def executed(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if cell_index in self.titles:
            print(f"{time.monotonic() - self.started:7.1f} s", flush=True)


def summary_of(cells: list[Any]) -> dict[str, Any]:
    """What the last cell with a course summary among its outputs shows; {} where none does."""
    bundles = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return next((bundle[SUMMARY] for bundle in reversed(bundles) if SUMMARY in bundle), {})


def execute(path: Path, save: bool) -> bool:
    """Execute one notebook in memory, reporting cell by cell; `save` writes the outputs back. True: no cell failed."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    progress, started = Progress(notebook.cells), time.monotonic()
    print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}", flush=True)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False,
                            resources={"metadata": {"path": str(path.parent)}},
                            extra_arguments=["--IPKernelApp.log_level=ERROR"],
                            on_notebook_start=progress.watch_signals, on_cell_start=progress.start,
                            on_cell_executed=progress.executed)
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError, TimeoutError, asyncio.CancelledError) as error:
        if progress.stopped:
            sys.exit(STOPPED)
        shown = str(error) if sys.stdout.isatty() else COLOURS.sub("", str(error))
        print(f"\n{shown}\ncell {progress.done} of {len(progress.titles)} failed: the notebook was not changed", flush=True)
        return False
    if save:
        nbformat.write(notebook, path)
    for label, value in summary_of(notebook.cells).items():
        print(f"{label}: {value}")
    print(f"{progress.done} cells in {time.monotonic() - started:.1f} s{', outputs saved' if save else ''}", flush=True)
    return True


def run(arguments: list[str]) -> int:
    save = "--save" in arguments
    paths = [find_notebook(name) for name in arguments if name != "--save"]
    with course_service() as url:
        print(f"who answers: {url}", flush=True)
        return 0 if all(execute(path, save) for path in paths) else 1
