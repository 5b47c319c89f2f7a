"""Cuts Python programs off from every network but this machine's own, and records what they tried.

`environment(folder)` gives the environment for a program: it and all its Python descendants load `install` at start-up, by
way of a sitecustomize module on PYTHONPATH. Programs in other languages are not covered, nor is `python -I`.
"""
from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

RECORD = "OFFLINE_RECORD"
OWN_NAMES = {"", "localhost", socket.gethostname()}


def is_local(host: Any) -> bool:
    """Whether a host, as Python's socket calls take it, is this machine."""
    name = host.decode() if isinstance(host, bytes) else host or ""
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return name in OWN_NAMES
    return address.is_loopback or address.is_unspecified


def hosts_of(event: str, arguments: tuple[Any, ...]) -> list[Any]:
    """The hosts that an audit event of the socket module is about; none for events and addresses without a host."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        return [address[0]] if isinstance(address, tuple) and arguments[0].family in (socket.AF_INET, socket.AF_INET6) else []
    return [arguments[0]] if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr") else []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    for host in hosts_of(event, arguments):
        if not is_local(host):
            with open(os.environ[RECORD], "a", encoding="utf-8") as record:
                record.write(f"{os.getpid()} {event} {host!r} by {' '.join(sys.orig_argv)[:200]}\n")
            raise ConnectionRefusedError(f"offline: {event} to {host!r} is blocked")


def install() -> None:
    """Block from now on, for the life of this process: an audit hook sees every socket call and cannot be removed."""
    sys.addaudithook(watch)


def environment(folder: Path) -> dict[str, str]:
    """Today's environment with the block in it; `attempts(folder)` reads what was recorded."""
    (folder / "sitecustomize.py").write_text(
        f"import importlib.util\nspec = importlib.util.spec_from_file_location('offline', {str(Path(__file__).resolve())!r})\n"
        "offline = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(offline)\noffline.install()\n",
        encoding="utf-8",
    )
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, RECORD: str(folder / "attempts.txt")}


def attempts(folder: Path) -> list[str]:
    record = folder / "attempts.txt"
    return record.read_text(encoding="utf-8").splitlines() if record.exists() else []
