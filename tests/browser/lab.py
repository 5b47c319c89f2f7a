"""JupyterLab as a learner meets it, driven by a real browser: a server on a copy of the course, and one notebook at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, expect

from tools.service import ROOT, stop

SCREENSHOTS = Path(__file__).parent / "screenshots"
PATIENCE = 300.0  # seconds for anything a machine under load may take its time for
RUN_ALL_PATIENCE = 1200.0
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def browser_program() -> str | None:
    """A Chromium of this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def copy_course(folder: Path) -> Path:
    """What notebooks need, where running and saving them harms nothing."""
    for name in ("helpers", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "notebooks").mkdir()
    return folder


def stripped_copy(notebook: Path, folder: Path) -> Path:
    """A copy without outputs: whatever stands in it later was made there."""
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(content, folder / notebook.name)
    return folder / notebook.name


@contextmanager
def lab_server(folder: Path, root: Path) -> Iterator[str]:
    """Address with token of a JupyterLab on `root`, without the tabs of last time; its settings, workspaces and run files lie in `folder`."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    environment = {**os.environ, **{name: str(folder / name.lower()) for name in places}}
    environment["JUPYTER_CONFIG_PATH"] = str(ROOT / "tools" / "jupyter")  # as in `start.py lab`
    options = ["--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={root}"]
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log)
    try:
        facts = wait_until(lambda: server_facts(folder / "jupyter_runtime_dir", process), "JupyterLab did not start")
        yield f"{facts['url']}lab/tree/{{path}}?token={facts['token']}&reset"
    finally:
        stop(process)


def read_json(path: Path) -> dict[str, Any] | None:
    """None while the file is being written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def server_facts(runtime: Path, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """What the server says of itself, once it also listens: it writes this down before."""
    assert process.poll() is None, "JupyterLab ended: see lab.log in the test's folder"
    facts = next(map(read_json, runtime.glob("jpserver-*.json")), None)
    return facts if facts and accepts(facts["port"]) else None


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(look: Callable[[], Any], complaint: str, patience: float = PATIENCE) -> Any:
    """The first true value of `look`."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, complaint
        time.sleep(2)
    return found


class Notebook:
    """A notebook open in JupyterLab: `path` is its file, `page` the browser's page."""

    def __init__(self, page: Page, address: str, root: Path, path: Path) -> None:
        self.page, self.path = page, path
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        self._answer("Select Kernel", "Select")  # asked when cells shall run before the notebook has its kernel
        self._answer("File Changed", "Overwrite")  # asked when a save meets JupyterLab's own
        page.goto(address.format(path=path.relative_to(root).as_posix()))
        self.idle()

    def _answer(self, title: str, button: str) -> None:
        """Press `button` whenever JupyterLab asks this question, which covers the page."""
        question = self.page.locator(".jp-Dialog", has_text=title)
        self.page.add_locator_handler(question, lambda asked: asked.get_by_role("button", name=button).last.click())

    def idle(self) -> None:
        """Waits for a kernel that has nothing to do; before there is one, the notebook calls itself idle as well."""
        expect(self.page.locator(f"{PANEL} .jp-Toolbar-kernelName").first).not_to_have_text("No Kernel")
        expect(self.page.locator(f"{PANEL} .jp-Notebook-ExecutionIndicator").first).to_have_attribute("data-status", "idle")

    def menu(self, name: str, item: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel", has_text=name).first.click()
        self.page.locator(".lm-Menu-itemLabel", has_text=item).first.click()

    def run_all(self) -> dict[str, Any]:
        """Run All on cells that have not run yet, to the end or the first error; the saved notebook."""
        wait_until(self._ran, f"{self.path.name} was not run to its end", RUN_ALL_PATIENCE)
        saved = self.save()
        assert not errors(saved), f"{self.path.name}: {errors(saved)}"
        return saved

    def _ran(self) -> bool:
        """Asks for Run All until JupyterLab takes it up: while it is connecting to the kernel it may drop the wish, even after
        it has marked the cells as waiting."""
        prompts = "".join(self.page.locator(f"{PANEL} .jp-CodeCell .jp-InputPrompt").all_text_contents())
        started, waiting = any(map(str.isdigit, prompts)), "*" in prompts
        if not started and not waiting:
            self.menu("Run", "Run All Cells")
            self.page.wait_for_timeout(5_000)
        return started and not waiting

    def save(self) -> dict[str, Any]:
        """The notebook as it lies on the disk after saving."""
        self.page.locator(PANEL).press("ControlOrMeta+s")
        expect(self.page.locator(".lm-DockPanel-tabBar .lm-mod-current.jp-mod-dirty")).to_have_count(0)
        return wait_until(lambda: read_json(self.path), f"{self.path.name} was not saved")

    def restart_kernel(self) -> None:
        """A new kernel, as a learner starts it; nothing has run in it yet."""
        self.menu("Kernel", "Restart Kernel and Clear Outputs of All Cells…")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.idle()

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]


def errors(notebook: dict[str, Any]) -> list[str]:
    """What went wrong in which cell, tracebacks included."""
    outputs = [(number, output) for number, cell in enumerate(code_cells(notebook), 1) for output in cell["outputs"]]
    return [f"code cell {number}: {output['ename']}: {output['evalue']}" for number, output in outputs
            if output["output_type"] == "error"]
