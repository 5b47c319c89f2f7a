"""The configurations that notebook 20 shows: Accelerate must know every word of them."""
from __future__ import annotations

from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser

from tools.service import ROOT

FILES = sorted((ROOT / "data" / "accelerate").glob("*.yaml"))
KNOWN = {action.dest for action in launch_command_parser()._actions}


def options(path: Path) -> set[str]:
    """The settings of a file as `accelerate launch` names them."""
    config = load_config_from_file(str(path))  # raises ValueError for an unknown key
    engine = {f"fsdp_{key.removeprefix('fsdp_')}" for key in config.fsdp_config}
    return engine | set(config.deepspeed_config)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerate_knows_every_setting(path: Path) -> None:
    asked = options(path)
    assert asked and asked <= KNOWN, f"{path.name}: accelerate launch has no {asked - KNOWN}"


def test_both_engines_are_shown() -> None:
    kinds = {load_config_from_file(str(path)).distributed_type.value for path in FILES}
    assert kinds == {"FSDP", "DEEPSPEED"}
