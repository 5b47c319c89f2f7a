"""What a task is: rows, how they become training lines and requests, and how answers are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localtune.base.evaluation.judges import Figures, Outcome, accuracy
from localtune.base.evaluation.rows import Row, drawn

Source = Callable[[], list[Row]]
Request = str | list[dict[str, str]]  # a prompt, or the messages of a chat

CHAT_LABEL_TOKENS = 6  # a label without its leading space may be several tokens


@dataclass(frozen=True)
class Task:
    """One line of the table. `prompt` and `answer` are plain text; separator, ending and chat markup come from here."""

    name: str
    held_out: Mapping[str, Source]  # by part, for the last look
    prompt: Callable[[Row], str]
    answer: Callable[[Row], str]
    judge: Callable[[Row, str], Outcome]
    training: Source = list
    n: int | None = None  # rows to draw from `training`; None: all
    validation: Mapping[str, Source] = field(default_factory=dict)  # by part, for choosing settings
    figures: Figures = accuracy
    main: str = "accuracy"
    aims: Mapping[str, float] = field(default_factory=dict)  # "part: figure" to what it should reach
    labels: bool = False  # a classification, for which the simple baselines exist
    chat: bool = False
    system: Callable[[Row], str | None] = lambda row: None
    separator: str = " ->"
    ending: str = ""
    max_tokens: int = 1

    def training_rows(self) -> list[Row]:
        return drawn(self.training(), self.n)

    def line(self, row: Row) -> dict[str, Any]:
        """The row as a line of a training file."""
        if self.chat:
            return {"messages": [*self.request(row), {"role": "assistant", "content": self.answer(row)}]}
        return {"prompt": self.request(row), "completion": f" {self.answer(row)}{self.ending}"}

    def request(self, row: Row) -> Request:
        """What the model is asked; the same text as in training."""
        if not self.chat:
            return self.prompt(row) + self.separator
        system = self.system(row)
        head = [{"role": "system", "content": system}] if system else []
        return [*head, {"role": "user", "content": self.prompt(row)}]

    @property
    def stop(self) -> tuple[str, ...]:
        return (self.ending,) if self.ending and not self.chat else ()

    @property
    def tokens(self) -> int:
        return max(self.max_tokens, CHAT_LABEL_TOKENS) if self.chat else self.max_tokens


def outcomes(task: Task, rows: Sequence[Row], answers: Sequence[str]) -> list[Outcome]:
    return [task.judge(row, answer) for row, answer in zip(rows, answers, strict=True)]
