"""The service around a job: started when none runs, shared when one does, gone afterwards."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers.service import find_service
from tools import service as keeping
from tools.notebooks import STOPPED
from tools.service import ROOT


def test_started_shared_and_stopped(tmp_path: Path) -> None:
    with keeping.service(tmp_path) as url:
        process = keeping.service_process(tmp_path)
        assert process is not None and process.is_running() and find_service(tmp_path) == url
        with keeping.service(tmp_path) as again:
            assert again == url
        assert find_service(tmp_path) == url, "who found it running must leave it running"
    assert not process.is_running() and keeping.service_process(tmp_path) is None
    keeping.stop_service(tmp_path)  # with none running: no error


@pytest.mark.parametrize("ours", [True, False])
def test_only_a_service_of_ours_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: bool) -> None:
    """When two start at once one gives way, and both get the service of the other."""
    stopped: list[Path] = []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        monkeypatch.setattr(keeping, "start_service", lambda state, command: "url")
        monkeypatch.setattr(keeping, "service_process", lambda state: psutil.Process(child.pid if ours else os.getppid()))
        monkeypatch.setattr(keeping, "stop_service", stopped.append)
        with keeping.service(tmp_path) as url:
            assert url == "url" and stopped == []
        child.communicate(b"\n")
    assert stopped == ([tmp_path] if ours else [])


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without a signal")
def test_a_terminated_run_stops_its_service(tmp_path: Path) -> None:
    notebook = tmp_path / "wait.ipynb"
    source = "import pathlib, time; pathlib.Path('started').touch(); time.sleep(600)"
    cell = {"cell_type": "code", "id": "a", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    state = tmp_path / "state"
    run = subprocess.Popen([sys.executable, ROOT / "start.py", "run", notebook], stdout=subprocess.PIPE, text=True,
                           env={**os.environ, "LOCALTUNE_STATE": str(state)})
    while not (tmp_path / "started").exists():
        assert run.poll() is None
        time.sleep(0.1)
    family = [run, *psutil.Process(run.pid).children(recursive=True)]
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=300)
    assert run.returncode == STOPPED
    gone, alive = psutil.wait_procs(family[1:], timeout=300)
    assert len(gone) >= 2 and alive == []
