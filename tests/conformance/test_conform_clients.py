"""The main flow once more through the official Node SDK and through curl."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.surface import covers
from tests.conformance.target import HERE, Target, chat_lines, wait_for

NODE = HERE / "node"  # the flow, and the SDK's version and checksum
INSTALL_SECONDS = 180


def missing(why: str) -> None:
    """Skip, and say so in the summary of warnings: a run without this client has proved less."""
    warnings.warn(f"NOT TESTED: {why}", stacklevel=2)
    pytest.skip(why)


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flow and, from npm, the official Node SDK."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        missing("the Node SDK: node and npm are not installed")
    folder = Path(shutil.copytree(NODE, tmp_path_factory.mktemp("npm") / "node"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        missing(f"the Node SDK: npm did not install it within {INSTALL_SECONDS} s")
    if done.returncode:
        missing(f"the Node SDK: npm could not install it: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@covers("wire", "Node SDK")
def test_the_node_sdk_from_file_to_answer(target: Target, node_folder: Path) -> None:
    training = node_folder / "train.jsonl"
    training.write_bytes(chat_lines())
    done = subprocess.run(
        ["node", "flow.mjs", target.url, target.key, target.model, str(training)],
        cwd=node_folder, capture_output=True, text=True, encoding="utf-8", timeout=2 * target.patience,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] > 20


def curl(target: Target, *arguments: str) -> Any:
    """The answer as JSON, or as text where it is none; the status is on stderr."""
    command = ["curl", "-sS", "-H", f"Authorization: Bearer {target.key}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=target.patience, check=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return done.stdout


@covers("wire", "curl")
def test_curl_from_file_to_answer(target: Target, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        missing("curl is not installed")
    training = tmp_path / "train.jsonl"
    training.write_bytes(chat_lines())
    as_json = ("-H", "Content-Type: application/json", "-d")
    file = curl(target, "-F", "purpose=fine-tune", "-F", f"file=@{training}", f"{target.url}/files")
    assert curl(target, f"{target.url}/files/{file['id']}/content") == training.read_text(encoding="utf-8")
    asked = {"model": target.model, "training_file": file["id"], "hyperparameters": {"n_epochs": 1}}
    job = curl(target, f"{target.url}/fine_tuning/jobs", *as_json, json.dumps(asked))
    done = wait_for(target, job["id"])
    assert curl(target, f"{target.url}/fine_tuning/jobs/{job['id']}")["status"] == done.status == "succeeded"
    events = curl(target, f"{target.url}/fine_tuning/jobs/{job['id']}/events?limit=2")
    assert [event["message"] for event in events["data"]][0] == "The job has successfully completed" and events["has_more"]
    chat = {"model": done.fine_tuned_model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "stream": True}
    stream = curl(target, "-N", f"{target.url}/chat/completions", *as_json, json.dumps(chat))
    assert stream.startswith("data: {") and stream.endswith("data: [DONE]\n\n")
    error = curl(target, f"{target.url}/fine_tuning/jobs", *as_json, "{}")["error"]
    assert (error["param"], error["type"]) == ("model", "invalid_request_error")
    assert curl(target, "-X", "DELETE", f"{target.url}/files/{file['id']}") == {
        "id": file["id"], "object": "file", "deleted": True,
    }
