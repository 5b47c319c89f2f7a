"""What an Accelerate file says about DeepSpeed's ZeRO, in terms of FSDP, which spreads the same things.

Stage 3 spreads weights, gradients and moments: FSDP that drops gathered weights after the way forwards. Stages 1 and 2 keep
whole weights: FSDP that does not drop them until the way back is done. Both engines gave the same losses (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOLLOWED = {
    "zero_stage", "offload_optimizer_device", "offload_param_device", "gradient_accumulation_steps", "gradient_clipping",
}
WITHOUT_EFFECT = {"zero3_init_flag", "zero3_save_16bit_model"}  # how a trainer loads and saves
PLACES = {"none": False, "cpu": True}


def zero_fields(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a `Sharding`; raises ValueError for what would not be done."""
    if strange := sorted(asked.keys() - FOLLOWED - WITHOUT_EFFECT):
        raise ValueError(f"deepspeed_config: {', '.join(strange)}: not followed by this service; remove it")
    stage = asked.get("zero_stage", 2)
    if stage not in (1, 2, 3):
        raise ValueError(f"zero_stage is {stage}: 1, 2 and 3 spread a model; leave --accelerate out for a plain group")
    for name, usual in usual_values().items():
        if asked.get(name, usual) not in (usual, "auto"):
            raise ValueError(f"{name} must be {usual} or auto: the job's own settings count")
    places = [asked.get(f"offload_{what}_device", "none") for what in ("optimizer", "param")]
    if unknown := set(places) - PLACES.keys():
        raise ValueError(f"offloading to {', '.join(map(str, unknown))} is not followed by this service: write cpu or none")
    return {
        "layers": None, "reshard": stage == 3, "offload": any(PLACES[place] for place in places), "recompute": False,
        "zero_stage": stage,
    }


def usual_values() -> dict[str, float]:
    """Of settings that are a job's own, what every job does. The import is late, since it brings PyTorch."""
    from localtune.train.optimiser import GRADIENT_NORM

    return {"gradient_accumulation_steps": 1, "gradient_clipping": GRADIENT_NORM}
