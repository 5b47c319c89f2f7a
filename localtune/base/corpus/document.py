"""The unit every corpus generator yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Document:
    """One training document.

    ``chat`` uses ``messages`` ({"role", "content"} each), ``completion`` uses ``prompt`` and ``text`` (the completion),
    ``text`` uses ``text`` alone. ``source`` names the generator.
    """

    kind: Literal["chat", "completion", "text"]
    messages: tuple[dict[str, str], ...] = ()
    prompt: str = ""
    text: str = ""
    source: str = ""
