"""The unit every corpus generator yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Document:
    """One training document.

    ``chat`` uses ``messages`` ({"role", "content"} each), ``completion`` uses ``prompt`` and ``text`` (the completion),
    ``text`` uses ``text`` alone; ``turns`` are pairs of plain text (shown, answered) in a row. Of a document with
    ``answers_only`` no prompt is learnt. ``source`` names the generator.
    """

    kind: Literal["chat", "completion", "text", "turns"]
    messages: tuple[dict[str, str], ...] = ()
    prompt: str = ""
    text: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    source: str = ""
    answers_only: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """All of its text, in order."""
        said = (message["content"] for message in self.messages)
        return (*said, *filter(None, (self.prompt, self.text)), *(part for turn in self.turns for part in turn))
