"""A real service with open-weight bases."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import openai

ROOT = Path(__file__).parents[2]


class Served:
    """One service process; `client` is the SDK's."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        command = [sys.executable, "-m", "localtune", "serve", "--port", "0", "--state", str(state), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        self.client = openai.OpenAI(base_url=line.split()[1], api_key="sk-local", max_retries=0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()

    def names(self) -> list[str]:
        return [model.id for model in self.client.models.list()]
