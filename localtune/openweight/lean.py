"""What a model of transformers and peft computes, in fewer steps: rows without padding, adapters without copies."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from peft.tuners.lora.layer import Linear
    from transformers import PreTrainedModel

ROWS = "rows_apart"  # the name of `rows_apart` among transformers' attention functions
WINDOWED = {"full_attention", "sliding_attention"}


def take_rows(model: PreTrainedModel) -> bool:
    """Let the model read rows laid end to end (`row_lengths` names their lengths). False: its layers are not of that kind.

    They have to attend by transformers' attention functions, which get every keyword of a call, and nothing else may pass
    from token to token.
    """
    from transformers import AttentionInterface, DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    config = model.config.get_text_config()
    kinds = {type(layer) for layer in DynamicCache(config=config).layers}
    fits = (
        model._supports_attention_backend and config._attn_implementation == "sdpa"
        and kinds <= {DynamicLayer, DynamicSlidingWindowLayer} and set(getattr(config, "layer_types", None) or ()) <= WINDOWED
        and "position_ids" in inspect.signature(model.forward).parameters
    )
    if fits:
        AttentionInterface.register(ROWS, rows_apart)
        model.set_attn_implementation(ROWS)
    return fits


def rows_apart(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None = None,
    row_lengths: list[int] | None = None, sliding_window: int | None = None, **options: Any,
) -> tuple[Tensor, None]:
    """Causal attention of [B, heads, T, D] → [B, T, heads, D]. With `row_lengths` T holds rows end to end, which see
    themselves alone; without, padding is on the right and needs no mask."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    parts = zip(*(tensor.split(row_lengths or tensor.shape[2], dim=2) for tensor in (query, key, value)))
    answers = []
    for part in parts:
        mask = window(part[0].shape[2], sliding_window, query.device)
        answers.append(sdpa_attention_forward(module, *part, attention_mask=mask, **options)[0])
    return torch.cat(answers, dim=1), None


def window(length: int, size: int | None, device: torch.device) -> Tensor | None:
    """Which of `length` places see which [T, T], the last `size` and themselves; None where all before them are that."""
    if size is None or length <= size:
        return None
    return torch.ones(length, length, dtype=torch.bool, device=device).tril().triu(1 - size)


def add_in_place(model: PreTrainedModel) -> None:
    """Let plain LoRA layers add their product to the base layer's output where that lies."""
    if not hasattr(model, "peft_config"):
        return  # and peft, which takes seconds to import, stays out

    from peft.tuners.lora.layer import Linear

    for module in model.modules():
        if type(module) is Linear and plain(module):
            module.forward = partial(adapted, module)


def plain(layer: Linear) -> bool:
    """One adapter, without a bias of its own and none of LoRA's variants. Dropout does nothing in evaluation mode."""
    [name, *others] = layer.lora_A
    return not others and not layer.lora_variant and layer.lora_B[name].bias is None


def adapted(layer: Linear, x: Tensor) -> Tensor:
    """base(x) + B(scale · A(x)) of x [..., in]: peft scales the wide product instead, and adds it into a new tensor."""
    [name] = layer.lora_A
    result, down = layer.base_layer(x), layer.lora_A[name]
    low = down(x.to(down.weight.dtype)) * layer.scaling[name]
    return result.add_(layer.lora_B[name](low))
