"""What the service makes of an Accelerate configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from localtune.config import Settings
from localtune.jobs.spec import JobSpec, Sharding
from localtune.openweight.accelerate_file import read_sharding
from localtune.openweight.load import load_model
from localtune.openweight.shard import layers
from localtune.train.errors import JobError
from tests.openweight.open_jobs import open_spec

SHIPPED = Path(__file__).parents[2] / "data" / "accelerate"
HEAD = "distributed_type: FSDP\nnum_processes: 2\n"
ZERO = "distributed_type: DEEPSPEED\nnum_processes: 2\ndeepspeed_config: "
V2 = "fsdp_config:\n  fsdp_version: 2\n"
SPREAD = Sharding(processes=8, precision="bfloat16", layers=None, reshard=True, offload=False, recompute=True)


def written(folder: Path, text: str) -> Path:
    path = folder / "accelerate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_is_followed() -> None:
    assert read_sharding(SHIPPED / "fsdp.yaml") == SPREAD


def test_zero_s_third_stage_is_followed_by_fsdp() -> None:
    """The shipped file; its moments wait in the machine's memory."""
    assert read_sharding(SHIPPED / "zero3.yaml") == replace(SPREAD, offload=True, recompute=False, zero_stage=3)


@pytest.mark.parametrize("stage", [1, 2])
def test_lower_stages_keep_the_weights_between_the_ways(stage: int, tmp_path: Path) -> None:
    read = read_sharding(written(tmp_path, f"{ZERO}{{zero_stage: {stage}, gradient_clipping: auto}}\n"))
    assert not read.reshard and not read.offload and read.zero_stage == stage


def test_what_is_left_out_is_what_accelerate_takes(tmp_path: Path) -> None:
    """Whole weights between the ways of one root, in the device's own precision."""
    assert read_sharding(written(tmp_path, HEAD + V2)) == Sharding(
        processes=2, precision=None, layers=[], reshard=True, offload=False, recompute=False
    )


@pytest.mark.parametrize(("text", "reason"), [
    ("distributed_type: MULTI_GPU\nnum_processes: 2\n", "leave --accelerate out"),
    (ZERO + "{zero_stage: 0}\n", "zero_stage is 0"),
    (ZERO + "{zero_stage: 3, offload_param_device: nvme}\n", "offloading to nvme"),
    (ZERO + "{zero_stage: 3, gradient_accumulation_steps: 4}\n", "gradient_accumulation_steps must be 1 or auto"),
    (ZERO + "{zero_stage: 3, gradient_clipping: 0.5}\n", "gradient_clipping must be 1.0 or auto"),
    (ZERO + "{deepspeed_config_file: zero.json}\n", "deepspeed_config_file: not followed"),
    (HEAD + "fsdp_config: {fsdp_sharding_strategy: FULL_SHARD}\n", "accelerate to-fsdp2"),
    (HEAD + V2 + "  fsdp_ignored_modules: lm_head\n", "fsdp_ignored_modules: not followed"),
    (HEAD + V2 + "  fsdp_reshard_after_forward: FULL_SHARD\n", "must be true or false"),
    (HEAD + V2 + "  fsdp_auto_wrap_policy: SIZE_BASED_WRAP\n", "TRANSFORMER_BASED_WRAP, NO_WRAP"),
    (HEAD + V2 + "  fsdp_activation_checkpointing: true\n", "goes by layers"),
    (HEAD + "num_machines: 2\n" + V2, "num_machines must be 1"),
    (HEAD + "mixed_precision: fp8\n" + V2, "mixed_precision is fp8"),
    (HEAD + "gpu_ids: '0,1'\n" + V2, "gpu_ids is not followed"),
    (HEAD + "colour: red\n" + V2, "unknown keys"), ("{", "not YAML"), ("42", "--accelerate"),
])
def test_what_cannot_be_followed_is_refused_with_its_name(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        read_sharding(written(tmp_path, text))
    assert str(tmp_path) in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        read_sharding(tmp_path / "none.yaml")


def test_one_process_has_nobody_to_share_with(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--processes 2"):
        Settings(state=tmp_path, launcher="torchrun", sharding=SPREAD)


def test_a_specification_carries_it(folders: dict[str, Path], tmp_path: Path) -> None:
    spec = open_spec(tmp_path, folders["llama"], sharding=SPREAD)
    spec.save(tmp_path / "job.json")
    assert JobSpec.load(tmp_path / "job.json") == spec


def test_layers_that_the_model_has_not_are_told(folders: dict[str, Path]) -> None:
    model = load_model(folders["llama"], "cpu", torch.float32)
    assert [type(layer).__name__ for layer in layers(model, SPREAD)] == ["LlamaDecoderLayer"] * 2
    wrong = Sharding(processes=2, precision=None, layers=["GPT2Block"], reshard=True, offload=False, recompute=False)
    with pytest.raises(JobError, match=r"\(GPT2Block\).*names LlamaDecoderLayer"):
        layers(model, wrong)
