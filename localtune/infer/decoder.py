"""The decoder's forward pass rewritten for answering: the same function as `Llama`, in half the time per token.

One token of a small model is a few hundred tiny operations, so their number decides. Here the projections that read the
same input are one matrix, norm weights are part of the matrix after them, residuals are added by the product
itself, and pairs of rotary dimensions lie side by side, so that rotating is one complex multiplication.
Matrices are stored [in, out], which is faster for a single row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from localtune.infer.cache import Decode, Prefill
from localtune.model.llama import Block, Llama, LlamaConfig


@dataclass(frozen=True)
class Layer:
    """Matrices of one block, [in, out]."""

    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor


class Decoder:
    """Weights of a `Llama`, merged and transposed for inference in float32.

    Only the first `vocabulary` tokens can be answered: tables are often longer than the tokenizer.
    """

    def __init__(self, model: Llama, vocabulary: int) -> None:
        self.config = model.config
        self.embedding = model.model.embed_tokens.weight.detach()
        self.layers = [merged(block, model.config) for block in model.model.layers]
        self.head = transposed(self.embedding[:vocabulary] * folded(model.model.norm.weight))
        half = self.config.head_dim // 2
        self.turns = torch.complex(model.cos[:, :half], model.sin[:, :half])
        self.floor = torch.tensor(math.sqrt(self.config.hidden_size * self.config.rms_norm_eps))

    def forward(self, ids: Tensor, positions: Tensor, cache: Prefill | Decode) -> Tensor:
        """Token ids [B, T] at positions [B or 1, T] → normalised hidden states [B, T, H] for `logits`.

        Where the cache asks for the rows' ends alone, [B, 1, H]: the last layer then computes only keys and values of the rest.
        """
        config, (batch, length) = self.config, ids.shape
        queries, pairs = config.num_attention_heads, config.num_attention_heads + config.num_key_value_heads
        turns = self.turns[positions][:, :, None]
        x = self.embedding[ids].flatten(0, 1)
        for number, layer in enumerate(self.layers):
            qkv = (self.normalised(x) @ layer.qkv).view(batch, length, -1, config.head_dim)
            torch.view_as_complex(qkv[:, :, :pairs].unflatten(-1, (-1, 2))).mul_(turns)
            keys_values = qkv[:, :, queries:].unflatten(2, (2, -1)).permute(2, 0, 3, 1, 4)
            if cache.ends is None or number < len(self.layers) - 1:
                y = cache.attend(number, qkv[:, :, :queries].transpose(1, 2), keys_values)
            else:
                rows = torch.arange(batch)
                x = x.view(batch, length, -1)[rows, cache.ends]
                y = cache.attend_ends(number, qkv[rows, cache.ends, :queries][:, :, None], keys_values)
            x = torch.addmm(x, y.transpose(1, 2).reshape(len(x), -1), layer.out)
            gate, up = (self.normalised(x) @ layer.gate_up).chunk(2, dim=-1)
            x = torch.addmm(x, F.silu(gate).mul_(up), layer.down)
        return self.normalised(x).view(batch, -1, config.hidden_size)

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states [..., H] → logits [..., vocabulary]."""
        return hidden @ self.head

    def normalised(self, x: Tensor) -> Tensor:
        """Rows of x [N, H] over their length; the factor √H and the weights are in the next matrix."""
        return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).hypot_(self.floor)


def merged(block: Block, config: LlamaConfig) -> Layer:
    """Matrices of one block of `Llama`."""
    attention, mlp = block.self_attn, block.mlp
    into_attention, into_mlp = folded(block.input_layernorm.weight), folded(block.post_attention_layernorm.weight)
    qkv = torch.cat([
        paired(attention.q_proj.weight, config.head_dim),
        paired(attention.k_proj.weight, config.head_dim),
        attention.v_proj.weight,
    ])
    gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])
    return Layer(
        qkv=transposed(qkv * into_attention),
        out=transposed(attention.o_proj.weight),
        gate_up=transposed(gate_up * into_mlp),
        down=transposed(mlp.down_proj.weight),
    )


def folded(norm_weight: Tensor) -> Tensor:
    """A norm's weights with the factor that turns a row's length into its root mean square."""
    return norm_weight * math.sqrt(len(norm_weight))


def paired(weight: Tensor, head_dim: int) -> Tensor:
    """Rows of a query or key matrix reordered within each head, so that dimensions that rotate together are neighbours.

    Queries and keys are reordered alike, so their products stay the same.
    """
    return weight.view(-1, 2, head_dim // 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def transposed(matrix: Tensor) -> Tensor:
    return matrix.detach().t().contiguous()
