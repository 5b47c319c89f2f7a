"""Rows of your data → lines of a training file, and a view of what the model will really read."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

# Okabe-Ito colours: distinguishable with every common form of colour blindness.
ROLE_COLOURS = {"system": "#E69F00", "developer": "#E69F00", "user": "#0072B2", "assistant": "#009E73"}
OTHER_COLOUR = "#999999"


def chat_row(system: str | None, user: str, assistant: str) -> dict[str, list[dict[str, str]]]:
    """One chat example: what the model is told, what it is asked, what it shall answer. No system message if None."""
    messages = [("system", system), ("user", user), ("assistant", assistant)]
    return {"messages": [{"role": role, "content": text} for role, text in messages if text is not None]}


def completion_row(prompt: str, completion: str, separator: str = "", ending: str = "") -> dict[str, str]:
    """One legacy example: `prompt + separator` → a space, `completion`, `ending`.

    The separator tells where the prompt is over, the ending where to stop; the leading space makes the
    completion's first word the token the model knows from running text.
    """
    return {"prompt": prompt.rstrip() + separator, "completion": " " + completion.strip() + ending}


def write_jsonl(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Writes one JSON object per line (UTF-8, line feeds on every system) and returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json_line(row) for row in rows)
    return path


def json_line(row: Mapping[str, Any]) -> str:
    """One row as a line of a training file, line feed included; letters stay letters (no \\u escapes)."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """All rows of a JSONL file. Raises ValueError that names the line if one is not JSON."""
    rows = []
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    return rows


def chatml(messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False) -> str:
    """The single text a chat becomes before it is cut into tokens.

    With `generation_prompt` the text ends where the model starts to write its answer.
    """
    text = "".join(f"<|im_start|>{m['role']}\n{m.get('content') or ''}<|im_end|>\n" for m in messages)
    return text + ("<|im_start|>assistant\n" if generation_prompt else "")


@dataclass(frozen=True)
class ChatView:
    """A chat in ChatML: coloured by role in a notebook (learnt parts are bold), plain text elsewhere."""

    messages: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return chatml(self.messages)

    def _repr_html_(self) -> str:
        return f'<pre style="line-height:1.5;white-space:pre-wrap">{"".join(map(_html_message, self.messages))}</pre>'


def show_chat(row: Mapping[str, Any]) -> ChatView:
    """View of a chat example (`{"messages": […]}`): leave it as a cell's last line."""
    return ChatView(tuple(row["messages"]))


@dataclass(frozen=True)
class TableView:
    """A table of texts, whole and aligned on the left. Styles stand in the cells: Jupyter drops others until it trusts."""

    frame: pd.DataFrame

    def __repr__(self) -> str:
        return self.frame.to_string()

    def _repr_html_(self) -> str:
        left = ' style="text-align:left;vertical-align:top"'
        with pd.option_context("display.max_colwidth", None):
            table = self.frame.to_html(justify="left")
        return table.replace("<td>", f"<td{left}>").replace("<th>", f"<th{left}>")


def show_table(frame: pd.DataFrame) -> TableView:
    """View of a table of texts: leave it as a cell's last line."""
    return TableView(frame)


def _html_message(message: Mapping[str, Any]) -> str:
    role = message["role"]
    colour = ROLE_COLOURS.get(role, OTHER_COLOUR)
    learnt = role == "assistant" and message.get("weight", 1) != 0
    content = html.escape(str(message.get("content") or "")) + html.escape("<|im_end|>")
    body = f"<b>{content}</b>" if learnt else content
    mark = html.escape(f"<|im_start|>{role}")
    return (
        f'<span style="display:block;border-left:4px solid {colour};padding-left:8px;margin:4px 0">'
        f'<span style="color:{colour}">{mark}</span>\n{body}</span>'
    )
