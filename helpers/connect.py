"""`connect()` → a client of the official SDK, for whoever answers: the local service or a paid provider."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

import openai
import pandas as pd
import psutil

from helpers import tables
from helpers.service import ServiceError, find_service, health, is_loopback, start_service, state_folder, takes_key

LOCAL_KEY = "sk-local"
OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Answerer:
    """Who answers a client's requests. `local` means the course's own service: free, nothing leaves its machine."""

    name: str
    url: str
    local: bool
    note: str

    def __str__(self) -> str:
        return f"{self.name} at {self.url} · {self.note}"


def connect(base_url: str | None = None, api_key: str | None = None) -> openai.OpenAI:
    """Client for the notebook; prints who answers and what that costs.

    The first that applies: the arguments · `COURSE_MODE=live` with `OPENAI_API_KEY` (and `OPENAI_BASE_URL`) ·
    an `OPENAI_BASE_URL` on this machine · the local service, which is started if none runs.
    Raises ValueError for contradictory settings, ServiceError if the local service cannot be reached.
    """
    pd.set_option("display.max_colwidth", 200)  # the course's tables hold sentences; pandas would cut them at 50
    url, key = _address(base_url, api_key)
    # A proxy set for the internet must not be asked for an address on this machine.
    transport = openai.DefaultHttpxClient(trust_env=False) if is_loopback(url) else None
    client = openai.OpenAI(base_url=url, api_key=key, http_client=transport)
    print(who(client))
    return client


def who(client: openai.OpenAI) -> Answerer:
    """Finds out who answers a client, by asking the address itself; never guesses that something is free."""
    url = str(client.base_url).rstrip("/")
    if facts := health(url):
        bases = [f"{name} ({base['parameters'] / 1e6:.1f} M parameters)" for name, base in facts["base"].items()]
        place = "nothing leaves this machine" if is_loopback(url) else "free, but it is not on this machine"
        note = f"model: {', '.join(bases) or 'none'} · no cost, {place}"
        return Answerer(f"Local service {facts['version']}", url, True, note)
    host = urlsplit(url).hostname or ""
    table = tables.providers().dropna(subset=["host"])
    name = next((row.provider for row in table.itertuples() if _is_host(host, row.host)), host)
    return Answerer(name, url, False, "LIVE: requests and training are billed to your account")


def preflight(client: openai.OpenAI) -> pd.DataFrame:
    """What this notebook has to work with: machine, mode, who answers, what the account may do, the next shutdown."""
    memory, disk, answerer = psutil.virtual_memory(), shutil.disk_usage(tables.ROOT), who(client)
    coming = calendar()[lambda table: table["state"] == "ahead"]
    rows = [
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}", _python_note()),
        ("Memory", f"{_gib(memory.available)} of {_gib(memory.total)} free", _enough(memory.available, 2)),
        ("Disk", f"{_gib(disk.free)} free", _enough(disk.free, 5)),
        ("Mode", *(("local", "no key, no cost") if answerer.local else ("live", "a job needs your yes"))),
        ("Who answers", answerer.name, answerer.note),
        ("Models", *_account(client)),
        ("New jobs", *_new_jobs(answerer)),
        ("Next shutdown", f"{coming['shutdown_date'].min()}" if len(coming) else "–", "see calendar()"),
    ]
    return pd.DataFrame(rows, columns=["check", "found", "note"]).set_index("check")


def calendar(today: date | None = None) -> pd.DataFrame:
    """Models with a shutdown date at their provider, soonest first; `state` is "over" or "ahead" on `today`."""
    table = tables.models().dropna(subset=["shutdown_date"]).sort_values(["shutdown_date", "id"])
    day = (today or date.today()).isoformat()
    table["state"] = ["over" if when <= day else "ahead" for when in table["shutdown_date"]]
    return table.set_index("id")[["shutdown_date", "state", "note"]]


def _address(base_url: str | None, api_key: str | None) -> tuple[str, str]:
    env_url, env_key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY")
    mode = os.environ.get("COURSE_MODE", "local").strip().lower() or "local"
    if mode not in ("local", "live"):
        raise ValueError(f"COURSE_MODE is {mode!r}; it can be 'local' (default) or 'live'")
    if base_url or api_key:
        url = base_url or env_url or OPENAI_URL
        return url, api_key or (LOCAL_KEY if is_loopback(url) else _needed_key(env_key))
    if mode == "live":
        return env_url or OPENAI_URL, _needed_key(env_key)
    if env_url and is_loopback(env_url):
        if not health(env_url):
            raise ServiceError(f"OPENAI_BASE_URL is {env_url}, but nobody answers there: start it or unset it")
        # A paid provider's key may stand in the environment: it is used here only if the local one is refused.
        return env_url, LOCAL_KEY if takes_key(env_url, LOCAL_KEY) else _needed_key(env_key)
    if env_url:
        print(f"OPENAI_BASE_URL={env_url} is not used: paid providers need COURSE_MODE=live as well.")
    return find_service(state_folder()) or start_service(state_folder()), LOCAL_KEY


def _needed_key(key: str | None) -> str:
    if not key:
        raise ValueError("this address needs OPENAI_API_KEY; unset COURSE_MODE and OPENAI_BASE_URL to work locally")
    return key


def _is_host(host: str, known: str) -> bool:
    return host == known or host.endswith("." + known)


def _python_note() -> str:
    return "fine" if sys.version_info >= (3, 10) else "too old: the course needs 3.10 or newer"


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def _enough(free: int, gib: int) -> str:
    return "fine" if free >= gib * 2**30 else f"little: {gib} GiB free are recommended"


def _account(client: openai.OpenAI) -> tuple[str, str]:
    try:
        names = [model.id for model in client.models.list()]
    except openai.OpenAIError as error:
        return "not available", str(error)
    tuned = sum(tables.base_of(name) != name for name in names)
    return f"{len(names)} usable", f"{tuned} of them fine-tuned"


def _new_jobs(answerer: Answerer) -> tuple[str, str]:
    if answerer.local:
        return "yes", "no limit, no cost"
    if _is_host(urlsplit(answerer.url).hostname or "", "api.openai.com"):
        note = "OpenAI is winding fine-tuning down: most accounts get 403 training_not_available, all from 2027-01-06"
        return "only old accounts", note
    return "ask the provider", "see data/providers.csv"
