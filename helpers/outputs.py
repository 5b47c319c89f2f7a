"""Places in a cell's output that go on changing after the cell has returned, and can be read without widgets."""

from __future__ import annotations

import base64
import io
import uuid
from typing import Any

import ipywidgets
from IPython.display import display
from matplotlib.figure import Figure

WIDGET = "application/vnd.jupyter.widget-view+json"


class Slot:
    """One output. What it shows last is what a saved notebook keeps, and a viewer without widgets sees.

    Changes come from one thread at a time: the kernel's main one, or the one in which it handles a click.
    """

    def __init__(self, plain: str, html: str | None = None, widget: ipywidgets.Widget | None = None) -> None:
        self._id = uuid.uuid4().hex
        self._content = _bundle(plain, html, widget)
        self._displayed = False

    def display(self) -> None:
        """Shows the slot at the end of the running cell's output; shown twice, both places change together."""
        display(self._content, raw=True, display_id=self._id)  # type: ignore[no-untyped-call]
        self._displayed = True

    def show(self, plain: str, html: str | None = None) -> None:
        """Replaces what is there; the same content twice costs nothing."""
        self._replace(_bundle(plain, html))

    def draw(self, figure: Figure, plain: str) -> None:
        """Replaces what is there by a picture, and by `plain` for whoever does not see it."""
        png = io.BytesIO()
        figure.savefig(png, format="png", bbox_inches="tight")
        self._replace({"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": plain})

    def _replace(self, content: dict[str, Any]) -> None:
        if content == self._content:
            return
        self._content = content
        if self._displayed:
            display(content, raw=True, display_id=self._id, update=True)  # type: ignore[no-untyped-call]


def _bundle(plain: str, html: str | None, widget: ipywidgets.Widget | None = None) -> dict[str, Any]:
    """The same in several forms: every viewer takes the richest it knows."""
    bundle: dict[str, Any] = {"text/plain": plain}
    if html is not None:
        bundle["text/html"] = html
    if widget is not None:
        bundle[WIDGET] = widget._repr_mimebundle_()[WIDGET]
    return bundle
