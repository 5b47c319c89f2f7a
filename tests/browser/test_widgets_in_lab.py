"""The course's widgets and notebooks in JupyterLab: run, moved, clicked, saved; pictures stay in screenshots/."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Page, expect

from tests.browser.lab import Notebook, code_cells, stripped_copy, wait_until
from tools.notebooks import NOTEBOOKS

COURSE = ("01", "05")  # notebooks that must run in JupyterLab from the first cell to the last
WIDGET = "application/vnd.jupyter.widget-view+json"
ANSWERS = "Probability the model gave the token it wrote"
OWN = [
    """
import sys
sys.path.insert(0, "..")
from helpers.connect import connect
from helpers.formatting import read_jsonl
from helpers.jobs import create_or_reuse, upload
client = connect()
file = upload(client, read_jsonl("../data/marv.jsonl") * 20)
job = create_or_reuse(client, "small", file.id, hyperparameters={"n_epochs": 50})  # far longer than this test
""",
    """
from helpers import monitor
monitor.CONFIRM_SECONDS = 100  # a machine under load takes its time between two clicks
monitor.JobMonitor(client, job.id)
""",
    "from helpers.playground import Playground\nPlayground(client, ['small'], 'What is <u>two</u> and two?')",
]


def write_notebook(path: Path, sources: list[str]) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def data_of(cell: dict[str, Any]) -> list[dict[str, Any]]:
    return [output.get("data", {}) for output in cell["outputs"]]


def as_text(cell: dict[str, Any]) -> str:
    """What a viewer that knows plain text alone shows of a cell."""
    return "\n".join("".join(data.get("text/plain", "")) for data in data_of(cell))


def use_playground(page: Page) -> None:
    """Moves the temperature by three steps and asks; a click may overtake what the slider sent just before to a busy kernel."""
    playground = page.locator(".jp-OutputArea", has=page.get_by_role("button", name="Ask both")).last
    handle = playground.get_by_role("slider").first
    before = float(handle.get_attribute("aria-valuenow"))
    for _ in range(3):
        handle.press("ArrowRight")

    def asked() -> bool:
        playground.get_by_role("button", name="Ask both").click()
        return f"temperature: {before + 0.3:.1f} " in playground.text_content()

    wait_until(asked, "the moved temperature did not reach the kernel")
    expect(playground).to_contain_text(ANSWERS)


def test_monitor_and_playground(open_notebook: Callable[[Path], Notebook], course: Path, tmp_path: Path) -> None:
    notebook = open_notebook(write_notebook(course / "notebooks" / "own.ipynb", OWN))
    page = notebook.page
    notebook.run_all()
    expect(page.locator(".jp-OutputArea img").first).to_be_visible()  # the curves, while the cell has long returned
    use_playground(page)
    notebook.screenshot("widgets-live")

    notebook.restart_kernel()  # the job goes on; the monitor finds it by its id
    notebook.run_all()
    expect(page.locator(".jp-OutputArea img").first).to_be_visible()
    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("button", name="Click again to cancel").click()
    expect(page.locator(".jp-OutputArea", has_text="is cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel job")).to_have_count(0)
    notebook.screenshot("widgets-cancelled")

    wait_until(lambda: "is cancelled" in as_text(code_cells(notebook.save())[1]), "the end of the job was not saved")
    saved = notebook.save()
    _, monitor, playground = code_cells(saved)
    assert "Created fine-tuning job" in as_text(monitor)
    assert not any(WIDGET in data for data in data_of(monitor)) and "image/png" in data_of(monitor)[2]
    assert "What is <u>two</u>" in as_text(playground) and "tokens · ended by" in as_text(playground)
    shown, _ = HTMLExporter().from_notebook_node(nbformat.reads(json.dumps(saved), as_version=4))
    assert "is cancelled" in shown and "<u>two</u>" not in shown and ANSWERS in shown
    (tmp_path / "own.html").write_text(shown, encoding="utf-8")
    page.route("http*://**", lambda route: route.abort())  # the page would like a library from the internet
    page.goto((tmp_path / "own.html").as_uri())
    notebook.screenshot("widgets-without-a-kernel")


@pytest.mark.parametrize("number", COURSE)
def test_run_all(open_notebook: Callable[[Path], Notebook], course: Path, number: str) -> None:
    found = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    if not found:
        pytest.skip(f"NOT PROVEN: there is no notebook {number} to run in JupyterLab")
    notebook = open_notebook(stripped_copy(found[0], course / "notebooks"))
    cells = code_cells(notebook.run_all())
    counts = [cell["execution_count"] for cell in cells]
    assert len(counts) > 10 and all(counts) and counts == sorted(counts)
    if any("Playground(" in "".join(cell["source"]) for cell in cells):
        use_playground(notebook.page)
    notebook.screenshot(f"run-all-{number}")
