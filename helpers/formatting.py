"""Rows of your data → lines of a training file, and a view of what the model will really read."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

# Okabe-Ito colours: distinguishable with every common form of colour blindness.
ROLE_COLOURS = {"system": "#E69F00", "developer": "#E69F00", "user": "#0072B2", "assistant": "#009E73"}
OTHER_COLOUR = "#999999"
SEPARATOR, ENDING = "\n\n###\n\n", " END"


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


def chat_rows(
    rows: Iterable[Mapping[str, Any]], user: str, assistant: str, system: str | None = None
) -> list[dict[str, list[dict[str, str]]]]:
    """Rows of a table → chat examples; `user` and `assistant` name the columns, `system` is the text of all examples.

    Takes dictionaries or `frame.to_dict("records")`. Raises ValueError that names the row if a column is missing.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        if missing := [name for name in (user, assistant) if not isinstance(row.get(name), str)]:
            raise ValueError(f"row {number}: {', '.join(missing)} is missing or no text; the columns are {', '.join(row)}")
        found.append(chat_row(system, row[user], row[assistant]))
    return found


def chat_to_flat(row: Mapping[str, Any]) -> dict[str, str | None]:
    """A chat of one question and one answer → {"system", "user", "assistant"}; system is None if there is none.

    Raises ValueError for longer chats: `expand_turns` first, or `chat_to_completion`.
    """
    roles = [message["role"] for message in row["messages"]]
    if roles not in (["user", "assistant"], ["system", "user", "assistant"], ["developer", "user", "assistant"]):
        raise ValueError(f"not one question and one answer: the roles are {', '.join(roles)}")
    texts = [message_text(message) for message in row["messages"]]
    return {"system": texts[0] if len(texts) == 3 else None, "user": texts[-2], "assistant": texts[-1]}


def expand_turns(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A chat with several answers → one example per learnt answer, each with everything said before it.

    Earlier answers get weight 0, so that every answer is learnt exactly once; answers of weight 0 make no example.
    """
    messages = row["messages"]
    ends = [n for n, m in enumerate(messages) if m["role"] == "assistant" and m.get("weight", 1) != 0]
    return [{**row, "messages": [*map(_unlearnt, messages[:end]), dict(messages[end])]} for end in ends]


def chat_to_completion(row: Mapping[str, Any], separator: str = SEPARATOR, ending: str = ENDING) -> dict[str, str]:
    """A chat that ends with an answer → prompt/completion; the prompt names the speakers if there are several turns.

    The opposite of `completion_to_chat` for one question without system message.
    """
    *before, answer = row["messages"]
    if answer["role"] != "assistant":
        raise ValueError(f"the last message is of role {answer['role']}, not assistant")
    texts = [message_text(message) for message in before]
    named = [f"{message['role'].capitalize()}: {text}" for message, text in zip(before, texts)]
    return completion_row("\n".join(texts if len(before) == 1 else named), message_text(answer), separator, ending)


def completion_to_chat(
    row: Mapping[str, str], system: str | None = None, separator: str = SEPARATOR, ending: str = ENDING
) -> dict[str, list[dict[str, str]]]:
    """Prompt/completion → chat, without separator, leading space and ending: a chat needs none of them."""
    prompt, completion = row["prompt"].removesuffix(separator), row["completion"].removesuffix(ending)
    return chat_row(system, prompt, completion.removeprefix(" "))


def message_text(message: Mapping[str, Any]) -> str:
    """What a message says in words: its content, the texts of its parts, its tool calls as JSON."""
    content, calls = message.get("content") or "", message.get("tool_calls") or message.get("function_call")
    if isinstance(content, list):
        content = "".join(part.get("text") or f"[{part.get('type')}]" for part in content)
    return content + (json.dumps(calls, ensure_ascii=False) if calls else "")


def _unlearnt(message: Mapping[str, Any]) -> dict[str, Any]:
    return {**message, "weight": 0} if message["role"] == "assistant" else dict(message)


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
    return list(iterate_jsonl(path))


def iterate_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file one by one, for files larger than memory. Raises like `read_jsonl`."""
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error


def chatml(messages: Iterable[Mapping[str, Any]], generation_prompt: bool = False) -> str:
    """The single text a chat becomes before it is cut into tokens.

    With `generation_prompt` the text ends where the model starts to write its answer.
    """
    text = "".join(f"<|im_start|>{m['role']}\n{message_text(m)}<|im_end|>\n" for m in messages)
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
    content = html.escape(message_text(message)) + html.escape("<|im_end|>")
    body = f"<b>{content}</b>" if learnt else content
    mark = html.escape(f"<|im_start|>{role}")
    return (
        f'<span style="display:block;border-left:4px solid {colour};padding-left:8px;margin:4px 0">'
        f'<span style="color:{colour}">{mark}</span>\n{body}</span>'
    )
