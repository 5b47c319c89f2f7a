"""A Llama-shaped decoder in plain PyTorch, weight-compatible with transformers' `LlamaForCausalLM`.

Written out here because importing transformers takes longer than a whole small job; a test keeps the logits equal.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

if TYPE_CHECKING:
    from localtune.train.data import Batch

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")


@dataclass(frozen=True)
class LlamaConfig:
    """Shape of the decoder; field names as in Hugging Face's `config.json`."""

    vocab_size: int = 4096
    hidden_size: int = 192
    intermediate_size: int = 512
    num_hidden_layers: int = 6
    num_attention_heads: int = 6
    num_key_value_heads: int = 6
    max_position_embeddings: int = 1024
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5

    @classmethod
    def from_folder(cls, folder: Path) -> LlamaConfig:
        """Read `config.json`; the rotary base may stand in `rope_parameters`, as newer transformers write it."""
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        stored = {**stored, **stored.get("rope_parameters", {})}
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def to_json(self) -> str:
        """Text of a `config.json` that transformers loads as `LlamaForCausalLM`."""
        shape = asdict(self)
        rope = {"rope_type": "default", "rope_theta": shape.pop("rope_theta")}
        fixed = {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
            "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False,
            "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0, "rope_parameters": rope,
        }
        return json.dumps({**fixed, **shape, "head_dim": self.head_dim}, indent=2) + "\n"


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


@dataclass(frozen=True)
class Layout:
    """Where tokens [N] stand in a batch of `rows` × `length`; `places` None: it has no padding, and N is the product.

    Only attention needs rows; everything else is computed on the tokens alone, so padding costs next to nothing.
    """

    rows: int
    length: int
    places: Tensor | None

    def spread(self, x: Tensor) -> Tensor:
        """Tokens [N, ...] → rows [B, T, ...], zero at padding."""
        if self.places is not None:
            x = x.new_zeros(self.rows * self.length, *x.shape[1:]).index_copy(0, self.places, x)
        return x.view(self.rows, self.length, *x.shape[1:])

    def gather(self, x: Tensor) -> Tensor:
        """Rows [B, T, ...] → tokens [N, ...]."""
        x = x.reshape(self.rows * self.length, *x.shape[2:])
        return x if self.places is None else x.index_select(0, self.places)

    def only(self, wanted: Tensor) -> Layout:
        """Where those tokens [M] of [N] stand whose indices are `wanted`."""
        return Layout(self.rows, self.length, wanted if self.places is None else self.places[wanted])


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of x [N, heads, D] by cos and sin [N, 1, D]."""
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin


def chosen(x: Tensor, wanted: Tensor | None) -> Tensor:
    """Rows [M, ...] of x [N, ...], or all of them."""
    return x if wanted is None else x.index_select(0, wanted)


class Attention(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.groups = config.num_attention_heads // config.num_key_value_heads
        kv_size = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, kv_size, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, kv_size, bias=False)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, layout: Layout, wanted: Tensor | None) -> Tensor:
        """What tokens [N] see in those before them; with `wanted` [M], what the tokens of these indices alone see."""
        q, k, v = (
            projection(tokens).view(len(tokens), -1, self.head_dim)
            for projection, tokens in ((self.q_proj, chosen(x, wanted)), (self.k_proj, x), (self.v_proj, x))
        )
        q, k = rotate(q, chosen(cos, wanted), chosen(sin, wanted)), rotate(k, cos, sin)
        asking = layout if wanted is None else layout.only(wanted)
        q, k, v = (where.spread(heads).transpose(1, 2) for where, heads in ((asking, q), (layout, k), (layout, v)))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.groups > 1)
        return self.o_proj(asking.gather(y.transpose(1, 2)).flatten(1))


class MLP(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, layout: Layout, wanted: Tensor | None = None) -> Tensor:
        """Tokens [N, H] → [N, H], or [M, H] where only the tokens of the indices `wanted` [M] are needed afterwards."""
        x = chosen(x, wanted) + self.self_attn(self.input_layernorm(x), cos, sin, layout, wanted)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Everything under the `model.` prefix of a Hugging Face checkpoint."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class Llama(nn.Module):
    """Causal language model with tied input and output embeddings."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        cos, sin = rotary_tables(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.apply(initialise)

    def forward(self, ids: Tensor, places: Tensor | None = None, wanted: Tensor | None = None) -> Tensor:
        """Token ids [B, T] → hidden states [B, T, H] after the last norm; with `places`, [N, H] of those tokens only.

        `places` are the flat positions of all tokens that are no padding. With `wanted` [M], indices among these (or among
        all), [M, H] of those alone: the last layer then computes nothing but keys and values for the others. Attention is
        causal over the row, so padding belongs on the right.
        """
        layout = Layout(*ids.shape, places)
        positions = layout.gather(torch.arange(ids.shape[1]).expand_as(ids))
        cos, sin = self.cos[positions, None], self.sin[positions, None]
        x = self.model.embed_tokens(layout.gather(ids))
        *lower, last = self.model.layers
        for block in lower:
            x = block(x, cos, sin, layout)
        x = self.model.norm(last(x, cos, sin, layout, wanted))
        return layout.spread(x) if places is None and wanted is None else x

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states [..., H] → logits [..., vocabulary]."""
        return F.linear(hidden, self.model.embed_tokens.weight)

    def logits_at(self, batch: Batch) -> Tensor:
        """Logits [N, V] at the learnt positions of a batch.

        Nothing else is computed behind the last layer's keys and values: most of a row is prompt.
        """
        return self.logits(self(batch.ids, batch.places, batch.learnt))

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def rotary_tables(config: LlamaConfig) -> tuple[Tensor, Tensor]:
    """Cosines and sines [positions, head_dim] of the rotary embedding."""
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    angles = torch.outer(torch.arange(config.max_position_embeddings).float(), config.rope_theta**-exponents)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def initialise(module: nn.Module) -> None:
    """Normal weights with standard deviation 0.02, as Llama's reference does."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)


def load_llama(folder: Path) -> Llama:
    """Read a Hugging Face folder into a float32 model in evaluation mode.

    Raises FileNotFoundError when the folder lacks `config.json` or `model.safetensors`.
    """
    model = Llama(LlamaConfig.from_folder(folder))
    weights = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
    weights.pop("lm_head.weight", None)
    model.load_state_dict(weights)
    return model.eval()


def save_llama(model: Llama, folder: Path, tokenizer_from: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a folder that transformers, vLLM and `load_llama` read; tokenizer files are copied."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().to(dtype).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(model.config.to_json(), encoding="utf-8")
    for name in TOKENIZER_FILES:
        if folder.resolve() != tokenizer_from.resolve():
            shutil.copyfile(tokenizer_from / name, folder / name)
