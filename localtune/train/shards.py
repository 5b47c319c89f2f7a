"""Tensors of which each process of a group holds a part (PyTorch's DTensor). Whole tensors pass through unchanged."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor


def is_shard(tensor: Tensor) -> bool:
    """Whether this process holds a part. By the method, because importing DTensor takes as long as a small job's steps."""
    return hasattr(tensor, "full_tensor")


def gathered(tensors: Iterable[Tensor], keep: bool) -> list[Tensor]:
    """The whole tensors, parts put together in the processor's memory. Every process has to ask; only who keeps gets them."""
    wholes = []
    for tensor in tensors:
        whole = tensor.full_tensor().cpu() if is_shard(tensor) else tensor
        if keep:
            wholes.append(whole)
    return wholes


def put(whole: Tensor, place: Tensor) -> None:
    """Copy into `place` what belongs there: all of it, or this process's part."""
    if is_shard(place):
        from torch.distributed.tensor import distribute_tensor

        # Every process has read the same file, so nothing has to be sent.
        whole = distribute_tensor(whole, place.device_mesh, place.placements, src_data_rank=None)
    place.copy_(whole)
