"""An open-weight model spread over the processes of a group: PyTorch's FSDP2, set up as Accelerate does it.

Accelerate's own `prepare` is not called, because it does this on GPUs alone: on processors it leaves FSDP aside. Here what
the tests run between processors is what runs between GPUs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from localtune.jobs.spec import Sharding
from localtune.train.errors import JobError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def shard(model: PreTrainedModel, sharding: Sharding, device: torch.device, dtype: torch.dtype) -> str:
    """Leave this process its part of every parameter, on `device`; layer after layer, so that no device holds it all.

    Every process of the group has to call it. Gradients come as sums over the processes. Returns what was done, in words
    and figures; raises JobError.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, MixedPrecisionPolicy, OffloadPolicy, fully_shard

    mixed = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    options = {
        "mesh": init_device_mesh(device.type, (torch.distributed.get_world_size(),)),
        "mp_policy": mixed if dtype != torch.float32 else MixedPrecisionPolicy(),
        "offload_policy": CPUOffloadPolicy(pin_memory=device.type == "cuda") if sharding.offload else OffloadPolicy(),
    }
    for layer in layers(model, sharding):
        if sharding.recompute:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
        fully_shard(layer, reshard_after_forward=sharding.reshard, **options)
    fully_shard(model, **options)
    for part in model.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)  # a sum and no mean: each process has weighed its part of the batch
            part.set_force_sum_reduction_for_comms(True)  # gloo knows no other
    held = sum(parameter.to_local().numel() for parameter in model.parameters())
    asked = f"As DeepSpeed's ZeRO does in stage {sharding.zero_stage}, " if sharding.zero_stage else ""
    return f"{asked}FSDP spreads the parameters over {options['mesh'].size()} processes; the first holds {held:,} of them."


def layers(model: PreTrainedModel, sharding: Sharding) -> list[nn.Module]:
    """The modules that are gathered one at a time; raises JobError when there should be some and are none."""
    own = sorted(model._no_split_modules or ())  # transformers' list, by which it spreads models, too
    names = own if sharding.layers is None else sharding.layers
    found = [module for module in model.modules() if type(module).__name__ in names]
    if not found and sharding.layers != []:
        raise JobError("wrong_sharding", (
            f"The model has no layers of the class that the service's Accelerate configuration wraps ({', '.join(names)}). "
            "Correct fsdp_transformer_layer_cls_to_wrap there, and restart the service; "
            f"the model itself names {', '.join(own) or 'none'}."
        ))
    return found
