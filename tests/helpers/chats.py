"""Small chat rows and files for the tests of validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.formatting import chat_row

GOOD = [chat_row("Be brief.", f"Question {n}?", f"Answer {n}.") for n in range(50)]
USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def chat(*messages: Any, **more: Any) -> str:
    return json.dumps({"messages": list(messages), **more})


def write(path: Path, lines: list[str | bytes]) -> Path:
    path.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return path


def rules(findings: Any) -> set[str]:
    return set(findings["rule"])
