"""One progress bar for everything that waits: a widget in a notebook, a plain line elsewhere.

When the work is over a single plain line takes the bar's place, so a stored notebook stays readable without widgets.
"""

from __future__ import annotations

import sys
from typing import Any

from IPython import get_ipython
from IPython.display import display


def in_notebook() -> bool:
    """True inside a Jupyter kernel, False in a terminal, a script or a test."""
    return hasattr(get_ipython(), "kernel")


class Progress:
    """A bar with a label. `total=None` means that the end is not known yet."""

    def __init__(self, label: str, total: int | None = None) -> None:
        self._last = ""
        self._bar = _Widget() if in_notebook() else None
        self.update(0, total, label)

    def update(self, done: int, total: int | None, label: str) -> None:
        """Shows `done` of `total` with a label; the same state twice costs nothing."""
        text = f"{label} {done}/{total}" if total else label
        if text == self._last:
            return
        if self._bar:
            self._bar.show(done, total, text)
        elif sys.stdout.isatty():
            sys.stdout.write("\r" + text.ljust(len(self._last)))
            sys.stdout.flush()
        self._last = text

    def close(self, text: str) -> None:
        """Replaces the bar by one line."""
        if self._bar:
            self._bar.replace(text)
        else:
            print("\r" + text.ljust(len(self._last)) if sys.stdout.isatty() else text)


class _Widget:
    def __init__(self) -> None:
        import ipywidgets

        self._progress = ipywidgets.IntProgress(min=0, max=1)
        self._label = ipywidgets.Label()
        self._box = ipywidgets.HBox([self._progress, self._label])
        self._handle: Any = display(self._box, display_id=True)  # type: ignore[no-untyped-call]

    def show(self, done: int, total: int | None, text: str) -> None:
        self._progress.max, self._progress.value = total or 1, done if total else 0
        self._label.value = text

    def replace(self, text: str) -> None:
        self._handle.update({"text/plain": text}, raw=True)
        for widget in (self._progress, self._label, self._box):
            widget.close()
