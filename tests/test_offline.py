"""With the network cut off the course works, and nothing in it even tries to leave the machine."""
from __future__ import annotations

import html
import http.server
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests import offline
from tools.notebooks import NOTEBOOKS
from tools.service import ROOT

OUTSIDE = "192.0.2.1"  # an address for documentation: nobody has it


LAB_ADDRESS = re.compile(r"(http://127\S*?/)lab/tree/notebooks/00_\S*(\?token=\w+)")
PAGE_CONFIG = re.compile(r'id="jupyter-config-data" type="application/json">(.*?)</script>', re.DOTALL)
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"


def answer_to(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read().decode()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=offline.environment(folder), capture_output=True, text=True)


@pytest.mark.parametrize("code", [
    f"import socket; socket.create_connection(('{OUTSIDE}', 80), timeout=1)",
    f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{OUTSIDE}', 53))",
    "import urllib.request; urllib.request.urlopen('http://example.invalid')",
    f"import asyncio; asyncio.run(asyncio.open_connection('{OUTSIDE}', 80))",
    f"import httpx2; httpx2.get('http://{OUTSIDE}')",
])
def test_every_way_out_is_blocked_and_recorded(tmp_path: Path, code: str) -> None:
    done = python(tmp_path, code)
    assert done.returncode == 1 and "is blocked" in done.stderr
    assert len(offline.attempts(tmp_path)) == 1


def test_grandchildren_are_blocked_too(tmp_path: Path) -> None:
    inner = f"import socket; socket.create_connection(('{OUTSIDE}', 80), timeout=1)"
    done = python(tmp_path, f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {inner!r}]))")
    assert done.returncode == 1
    assert len(offline.attempts(tmp_path)) == 1


def test_the_machine_itself_stays_reachable(tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = python(tmp_path, f"import socket; socket.create_connection(('localhost', {server.server_port}), timeout=5).close()")
    assert (done.returncode, done.stderr) == (0, "")
    assert offline.attempts(tmp_path) == []


@pytest.mark.skipif(not list(NOTEBOOKS.glob("01_*.ipynb")), reason="NOT PROVEN: there is no notebook 01 to run offline")
def test_the_first_lesson_runs_without_a_network(tmp_path: Path) -> None:
    environment = offline.environment(tmp_path) | {"LOCALTUNE_STATE": str(tmp_path / "state")}
    done = subprocess.run([sys.executable, ROOT / "start.py", "run", "01"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert offline.attempts(tmp_path) == []


@pytest.mark.skipif(not list(NOTEBOOKS.glob("00_*.ipynb")), reason="NOT PROVEN: there is no notebook 00 to open offline")
def test_lab_asks_for_no_news_and_no_updates(tmp_path: Path) -> None:
    environment = offline.environment(tmp_path) | {"LOCALTUNE_STATE": str(tmp_path / "state")}
    output = tmp_path / "output.txt"
    with output.open("wb") as out:
        command = [sys.executable, ROOT / "start.py", "lab", "--no-browser", "--allow-root"]
        lab = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        while not (address := LAB_ADDRESS.search(output.read_text(encoding="utf-8"))):
            assert lab.poll() is None, output.read_text(encoding="utf-8")
            time.sleep(0.1)
        while not accepts(urllib.parse.urlsplit(address[1]).port):  # Jupyter prints its address before it listens there
            assert lab.poll() is None, output.read_text(encoding="utf-8")
            time.sleep(0.1)
        page = answer_to(f"{address[1]}lab{address[2]}")
        assert ANNOUNCEMENTS in json.loads(html.unescape(PAGE_CONFIG.search(page)[1]))["disabledExtensions"]
        assert json.loads(answer_to(f"{address[1]}lab/api/update{address[2]}")) == {"notification": None}
    finally:
        lab.terminate()
        lab.wait()
    assert offline.attempts(tmp_path) == []
