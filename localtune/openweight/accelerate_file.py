"""Accelerate's configuration file, of which the service follows what says how a model is spread over processes (by FSDP2).

Accelerate reads the file; what it asks for and cannot be had here is refused when the service starts, never left aside.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localtune.jobs.spec import Sharding
from localtune.openweight.zero import zero_fields

if TYPE_CHECKING:
    from accelerate.commands.config.config_args import ClusterConfig

PRECISIONS = {None: None, "no": "float32", "bf16": "bfloat16"}
LAYERS = {"TRANSFORMER_BASED_WRAP": None, "NO_WRAP": []}  # see `Sharding.layers`
FOLLOWED = {
    "fsdp_version", "fsdp_reshard_after_forward", "fsdp_offload_params", "fsdp_activation_checkpointing",
    "fsdp_auto_wrap_policy", "fsdp_transformer_layer_cls_to_wrap",
}
# How a trainer loads and saves, which the service does in its own way, and what Accelerate itself ignores with FSDP2.
WITHOUT_EFFECT = {
    "fsdp_cpu_ram_efficient_loading", "fsdp_state_dict_type", "fsdp_sync_module_states", "fsdp_use_orig_params",
    "fsdp_backward_prefetch",
}
NOT_HERE = ("use_cpu", "gpu_ids", "dynamo_config", "parallelism_config", "megatron_lm_config", "fp8_config", "mpirun_config")


def read_sharding(path: Path) -> Sharding:
    """What the file says; raises ValueError naming place and cure."""
    try:
        return sharding_of(configuration(path))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"--accelerate {path}: {error}") from error


def configuration(path: Path) -> ClusterConfig:
    """The file as Accelerate reads it, which refuses keys it does not know."""
    from accelerate.commands.config.config_args import load_config_from_file
    from yaml import YAMLError

    try:
        return load_config_from_file(str(path))
    except YAMLError as error:
        raise ValueError(f"this is not YAML ({error})") from error


def sharding_of(config: ClusterConfig) -> Sharding:
    """Raises ValueError for what the service would not do."""
    kind = config.distributed_type.value
    if kind not in FIELDS:
        raise ValueError(
            f"distributed_type is {kind}: only FSDP and DEEPSPEED spread a model; leave --accelerate out for a plain group"
        )
    require_possible(config)
    fields = FIELDS[kind](config)
    return Sharding(processes=max(1, config.num_processes), precision=PRECISIONS[config.mixed_precision], **fields)


def fsdp_fields(config: ClusterConfig) -> dict[str, Any]:
    """What FSDP's part of the file says."""
    asked: dict[str, Any] = {f"fsdp_{key.removeprefix('fsdp_')}": value for key, value in config.fsdp_config.items()}
    require_known(asked)
    layers, recompute = layers_of(asked), flag(asked, "fsdp_activation_checkpointing", False)
    if recompute and layers == []:
        raise ValueError("fsdp_activation_checkpointing goes by layers: set fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP")
    return {
        "layers": layers, "recompute": recompute,
        "reshard": flag(asked, "fsdp_reshard_after_forward", True), "offload": flag(asked, "fsdp_offload_params", False),
    }


FIELDS: dict[str, Callable[[ClusterConfig], dict[str, Any]]] = {
    "FSDP": fsdp_fields, "DEEPSPEED": lambda config: zero_fields(config.deepspeed_config),
}


def require_possible(config: ClusterConfig) -> None:
    """One machine, and a precision that models are trained in here."""
    if config.num_machines != 1:
        raise ValueError("num_machines must be 1: the processes of a job run on one machine")
    if config.mixed_precision not in PRECISIONS:
        raise ValueError(f"mixed_precision is {config.mixed_precision}: write bf16, no, or nothing for the device's own")
    for name in NOT_HERE:
        if getattr(config, name, None) not in (None, False, "all", {}):
            raise ValueError(f"{name} is not followed by this service: remove it")


def require_known(asked: dict[str, Any]) -> None:
    """FSDP's second version (PyTorch's `fully_shard`), and no option that is not followed."""
    if int(asked.get("fsdp_version", 1)) != 2:
        raise ValueError("fsdp_version must be 2: `accelerate to-fsdp2 --config_file FILE` rewrites the file")
    if strange := sorted(asked.keys() - FOLLOWED - WITHOUT_EFFECT):
        raise ValueError(f"{', '.join(strange)}: not followed by this service; remove it")


def flag(asked: dict[str, Any], name: str, usual: bool) -> bool:
    value = asked.get(name, usual)
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value}")
    return value


def layers_of(asked: dict[str, Any]) -> list[str] | None:
    """Names of classes; None: those that the model itself names, [] no layer apart."""
    policy, named = asked.get("fsdp_auto_wrap_policy", "NO_WRAP"), asked.get("fsdp_transformer_layer_cls_to_wrap")
    if policy not in LAYERS:
        raise ValueError(f"fsdp_auto_wrap_policy is {policy}: write one of {', '.join(LAYERS)}")
    return named.split(",") if named and LAYERS[policy] is None else LAYERS[policy]
