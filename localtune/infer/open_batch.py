"""Texts that one open-weight model generates together: their rows of transformers' cache, padded on the left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from localtune.infer.sequence import Sequence

if TYPE_CHECKING:
    from transformers import Cache


@dataclass(eq=False)
class Batch:
    """Sequence n has row n of `cache` and of `mask` [B, T], 0 where a row is padded. All have the same adapter, or none."""

    adapter: Path | None
    sequences: list[Sequence]
    cache: Cache
    mask: Tensor

    def keep(self, rows: list[int]) -> None:
        """Drop all other rows, and the places that are padding in every row left."""
        start = int(self.mask[rows].any(dim=0).int().argmax())
        self.sequences = [self.sequences[row] for row in rows]
        self.mask = self.mask[rows, start:]
        for layer in filled(self.cache):
            layer.keys, layer.values = layer.keys[rows, :, start:], layer.values[rows, :, start:]

    def join(self, other: Batch) -> None:
        """Take in the rows of another batch of the same adapter."""
        length = max(self.mask.shape[1], other.mask.shape[1])
        self.sequences += other.sequences
        self.mask = torch.cat([F.pad(mask, (length - mask.shape[1], 0)) for mask in (self.mask, other.mask)])
        for mine, theirs in zip(filled(self.cache), filled(other.cache), strict=True):
            mine.keys = stacked(mine.keys, theirs.keys, length)
            mine.values = stacked(mine.values, theirs.values, length)


def filled(cache: Cache) -> list:
    """Layers that hold keys and values; some models let several layers share one."""
    return [layer for layer in cache.layers if layer.is_initialized]


def stacked(one: Tensor, other: Tensor, length: int) -> Tensor:
    """Keys or values [B, heads, T, D] of both, padded on the left to `length`."""
    return torch.cat([F.pad(part, (0, 0, length - part.shape[2], 0)) for part in (one, other)])


def padded(prompts: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and positions [B, T] of prompts, padded on the left."""
    length = max(map(len, prompts))
    ids = torch.tensor([[0] * (length - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0)
