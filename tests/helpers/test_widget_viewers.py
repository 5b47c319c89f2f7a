"""What viewers other than JupyterLab need (VS Code, a page without a kernel): core widgets, plain pages, nothing remote.

No viewer is run here; that JupyterLab and an exported page show the widgets is what `tests/browser/` looks at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from helpers import monitor, outputs
from helpers.monitor import JobMonitor
from helpers.playground import Playground
from helpers.tables import ROOT

CORE = {"@jupyter-widgets/base", "@jupyter-widgets/controls"}  # what every front end for widgets brings along
SUMMARY = "application/vnd.course.summary+json"
PLAIN = {"text/plain", "text/html", "image/png", outputs.WIDGET, SUMMARY}
ACTIVE = re.compile(r"<(script|link|iframe|object)\b|\b(src|href)\s*=\s*[\"']?(https?:)?//|\bon\w+\s*=|@import", re.I)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def tree(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """A widget and all that belong to it."""
    yield widget
    for part in (*getattr(widget, "children", ()), getattr(widget, "layout", None), getattr(widget, "style", None)):
        if isinstance(part, ipywidgets.Widget):
            yield from tree(part)


@pytest.fixture
def displayed(provider: Any, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ipywidgets.Widget]]:
    """The controls of a monitor and a playground, which have filled their outputs."""
    monkeypatch.setattr(monitor, "in_notebook", lambda: True)
    monkeypatch.setattr(monitor.asyncio, "get_running_loop", lambda: None)
    provider.jobs.append(provider.job("ftjob-1", "running"))
    provider.say("Step 1/3", {"step": 1, "total_steps": 3, "train_loss": 1.0, "train_mean_token_accuracy": 0.5})
    watching, playground = JobMonitor(provider.client(), "ftjob-1", poll=300), Playground(provider.client(), ["base"])
    watching._ipython_display_()
    playground._ipython_display_()
    assert watching._view is not None
    yield [watching._view.controls, playground._controls.box]
    watching._view = None  # its thread, which waits for the next look, finds no event loop here
    watching._over.set()


def test_all_controls_are_core_widgets(displayed: list[ipywidgets.Widget]) -> None:
    widgets = [part for controls in displayed for part in tree(controls)]
    assert len(widgets) > 30 and {widget._model_module for widget in widgets} <= CORE
    assert {widget._view_module for widget in widgets if widget._view_name} <= CORE


def test_every_output_can_be_read_without_widgets(displayed: list[ipywidgets.Widget], shown: dict[str, Any]) -> None:
    assert len(shown) == 5
    for content in shown.values():
        assert set(content) <= PLAIN and content["text/plain"].strip()
        assert not ACTIVE.search(content.get("text/html", ""))


def saved_outputs(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_outputs_need_no_program_and_nothing_remote(path: Path) -> None:
    for data in saved_outputs(path):
        assert set(data) <= PLAIN, f"only some viewers know {set(data) - PLAIN}"
        assert "".join(data.get("text/plain", "")).strip(), "a viewer of plain text shows nothing"
        assert not ACTIVE.search("".join(data.get("text/html", "")))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_widgets_are_core_widgets(path: Path) -> None:
    saved = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
    states = [state for kind in saved.values() for state in kind["state"].values()]
    assert {state["model_module"] for state in states} <= CORE


@pytest.mark.parametrize("page", ["<script>", '<img src="https://x/y.png">', "<b onclick=x>", '<a href="//x">'])
def test_the_search_finds_what_it_is_for(page: str) -> None:
    assert ACTIVE.search(page)
