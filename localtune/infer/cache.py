"""Keys and values of many sequences in one preallocated tensor, so that they decode as one batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from localtune.model.llama import LlamaConfig

SMALLEST = (1, 128)


class SlotCache:
    """Rows of cached positions; row n belongs to sequence n, and rows in use are always 0, 1, 2 … without gaps.

    Storage [layers, 2, rows, heads, positions, head size] grows in powers of two up to what was asked for; `clear`
    gives it back.
    """

    def __init__(self, config: LlamaConfig) -> None:
        self.config = config
        self.clear()

    def clear(self) -> None:
        """Forget everything and shrink to the smallest size."""
        self.storage = self._empty(*SMALLEST)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and positions that have room now."""
        return self.storage.shape[2], self.storage.shape[4]

    def reserve(self, rows: int, positions: int) -> None:
        """Make room for at least this many rows of this many positions; keeps what is stored."""
        old_rows, old_positions = self.size
        if rows > old_rows or positions > old_positions:
            old = self.storage
            self.storage = self._empty(power_of_two(max(rows, old_rows)), power_of_two(max(positions, old_positions)))
            self.storage[:, :, :old_rows, :, :old_positions] = old

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of one row to another."""
        self.storage[:, :, target, :, :length] = self.storage[:, :, source, :, :length]

    def spread(self, source: int, rows: int, length: int) -> None:
        """Copy the first `length` positions of one row to those that follow it, so that `rows` rows have them."""
        self.storage[:, :, source + 1 : source + rows, :, :length] = self.storage[:, :, source : source + 1, :, :length]

    def prefill(self, first_row: int, rows: int, length: int, start: int = 0, ends: Tensor | None = None) -> Prefill:
        """For a pass over prompts, which go to rows first_row … first_row+rows-1 from position `start`; see `Prefill`."""
        return Prefill(self.storage[:, :, first_row : first_row + rows, :, : start + length], start, ends)

    def decode(self, positions: Tensor) -> Decode:
        """For a pass over one new token per row, at `positions` [rows]."""
        return Decode(self.storage, positions)

    def _empty(self, rows: int, positions: int) -> Tensor:
        c = self.config
        return torch.zeros(c.num_hidden_layers, 2, rows, c.num_key_value_heads, positions, c.head_dim)


class Prefill:
    """Attention of prompts, padded on the right, to themselves and to the `start` positions stored before them; stores their
    keys and values.

    `ends` [B] are the places of the prompts' last tokens, where nothing else is asked for; None: every token is.
    """

    def __init__(self, storage: Tensor, start: int, ends: Tensor | None) -> None:
        self.storage, self.start, self.ends = storage, start, ends
        length = storage.shape[4]
        self.mask = torch.full((length - start, length), -torch.inf).triu_(start + 1) if start else None
        self.ends_mask = None if ends is None else additive_mask(start + ends, length)

    def attend(self, layer: int, queries: Tensor, keys_values: Tensor) -> Tensor:
        """Queries [B, heads, T, D], keys and values [2, B, kv heads, T, D] → values attended to [B, heads, T, D]."""
        self.storage[layer, :, :, :, self.start :] = keys_values
        keys, values = self.storage[layer] if self.start else keys_values
        grouped = queries.shape[1] != keys.shape[1]
        causal = self.mask is None
        return F.scaled_dot_product_attention(queries, keys, values, self.mask, is_causal=causal, enable_gqa=grouped)

    def attend_ends(self, layer: int, queries: Tensor, keys_values: Tensor) -> Tensor:
        """As `attend`, with the queries [B, heads, 1, D] of the ends alone."""
        self.storage[layer, :, :, :, self.start :] = keys_values
        keys, values = self.storage[layer]
        grouped = queries.shape[1] != keys.shape[1]
        return F.scaled_dot_product_attention(queries, keys, values, self.ends_mask, enable_gqa=grouped)


class Decode:
    """Attention of one new position per row to all positions of its row so far; stores its key and value."""

    ends = None  # every token is asked for

    def __init__(self, storage: Tensor, positions: Tensor) -> None:
        _, two, rows, heads, room, _ = storage.shape
        used, length = len(positions), int(positions.max()) + 1
        starts = torch.arange(two * rows * heads).view(two, rows, heads)[:, :used] * room
        self.places = (starts + positions[:, None]).flatten()
        self.flat = storage.flatten(1, 4)
        self.readable = storage[:, :, :used, :, :length]
        self.mask = additive_mask(positions, length)

    def attend(self, layer: int, queries: Tensor, keys_values: Tensor) -> Tensor:
        """As `Prefill.attend`, with T = 1."""
        self.flat[layer].index_copy_(0, self.places, keys_values.flatten(0, 3))
        keys, values = self.readable[layer]
        grouped = queries.shape[1] != keys.shape[1]
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=self.mask, enable_gqa=grouped)


def additive_mask(positions: Tensor, length: int) -> Tensor | None:
    """Mask [rows, 1, 1, length], 0 where a row may look; none where every row has the same length.

    Additive and not boolean, because attention would otherwise convert it again in every layer.
    """
    if bool((positions == length - 1).all()):
        return None
    hidden = torch.arange(length) > positions[:, None]
    return torch.zeros(hidden.shape).masked_fill_(hidden, -torch.inf)[:, None, None]


def power_of_two(number: int) -> int:
    """The smallest power of two that is not below `number`."""
    return 1 << (number - 1).bit_length()
