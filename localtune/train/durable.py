"""Writes that are either complete or absent, whatever moment the process dies at."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localtune.crash import crash_point

# Held during every write; whoever ends the process takes it first, so that no write is cut short on an orderly exit.
writing = threading.Lock()


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary neighbour of `folder`, then move it into place; an existing `folder` stays."""
    with writing:
        if folder.exists():
            return
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        fill(part)
        crash_point("checkpoint.write")
        for path in part.iterdir():
            sync_file(path)
        sync_folder(part)
        os.replace(part, folder)
        crash_point("checkpoint.rename")
        sync_folder(folder.parent)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Replace `path` by a `torch.save` of `state`."""
    import torch  # whoever has a state has it loaded; who writes folders need not wait for it

    with writing:
        part = path.with_name(f".{path.name}.part")
        torch.save(state, part)
        crash_point("state.write")
        sync_file(part)
        os.replace(part, path)
        crash_point("state.rename")
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders, and its renames need no such help
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
