"""Memory and hours of fine-tuning an open-weight model, by a formula: `python -m tools.scaling` writes docs/scaling.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "scaling.md"
RANK = 16
# Bytes that autograd keeps of one token in one block, for each unit of the hidden size, of the intermediate size, of all query
# heads together, and of all key heads together. 16-bit: bfloat16 products, float32 norms and residuals of them.
KEPT = {
    ("lora", "float32"): (16, 16, 16, 12), ("full", "float32"): (24, 16, 20, 16),
    ("lora", "bfloat16"): (18, 8, 10, 8), ("full", "bfloat16"): (26, 8, 12, 10),
}
# Bytes for each learnt token and entry of the vocabulary: logits, their logarithmic softmax, their gradient.
LOGITS = {"float32": 8, "bfloat16": 10}
# Bytes for each weight. LoRA holds the base in the precision it computes in; full tuning in float32, with gradient, both of
# Adam's moments, and what is computed in 16 bits as a copy.
WEIGHTS = {("lora", "float32"): 4, ("lora", "bfloat16"): 2, ("full", "float32"): 16, ("full", "bfloat16"): 18}
ADAPTER = 16  # bytes for each weight of an adapter: itself, gradient, moments


@dataclass(frozen=True)
class Shape:
    """A decoder of the Llama and Qwen kind."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool = True

    @classmethod
    def of(cls, config: Any) -> Shape:
        """From transformers' configuration."""
        return cls(
            config.hidden_size, config.intermediate_size, config.num_hidden_layers, config.num_attention_heads,
            config.num_key_value_heads, config.head_dim, config.vocab_size, config.tie_word_embeddings,
        )

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """Inputs and outputs of the linear layers of one block."""
        query, key = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = [(self.hidden, query), (self.hidden, key), (self.hidden, key), (query, self.hidden)]
        return [*attention, *[(self.hidden, self.intermediate)] * 2, (self.intermediate, self.hidden)]

    @property
    def linear(self) -> int:
        """Weights of all blocks; norms are left out, a thousandth of them."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.matrices)

    @property
    def parameters(self) -> int:
        return self.linear + self.vocabulary * self.hidden * (1 if self.tied else 2)

    def adapter(self, rank: int = RANK) -> int:
        """Weights of LoRA on every linear layer."""
        return self.layers * rank * sum(inputs + outputs for inputs, outputs in self.matrices)


def flops_per_token(shape: Shape, method: str, length: float, learnt: float) -> float:
    """Multiplications and additions that one token of a row of `length` needs, forwards and backwards.

    A weight costs 2 forwards, 2 for the gradient of its input, and 2 for its own, if it is trained. Causal attention reads
    half of the row on average. The output layer is needed for the `learnt` share alone.
    """
    weights = shape.linear + learnt * shape.vocabulary * shape.hidden
    attention = 2 * length * shape.heads * shape.head_dim * shape.layers
    trained = 6 * shape.adapter() if method == "lora" else 2 * weights
    return 4 * weights + 3 * attention + trained


@dataclass(frozen=True)
class Load:
    """What is trained on: rows on one device at a time, tokens of a row, the share of them that is learnt."""

    rows: int = 4
    length: int = 1_024
    learnt: float = 0.5


def state_bytes(shape: Shape, method: str, precision: str) -> float:
    """Weights with what belongs to them: gradients and moments of the trained ones."""
    return WEIGHTS[method, precision] * shape.parameters + (ADAPTER * shape.adapter() if method == "lora" else 0)


def activation_bytes(shape: Shape, method: str, precision: str, load: Load) -> float:
    """What the steps backwards need of a step forwards, and the logits."""
    widths = shape.hidden, shape.intermediate, shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    token = shape.layers * sum(cost * width for cost, width in zip(KEPT[method, precision], widths, strict=True))
    return load.rows * load.length * (token + load.learnt * shape.vocabulary * LOGITS[precision])


def training_bytes(shape: Shape, method: str, precision: str, load: Load, devices: int = 1) -> float:
    """Memory of each device. Several share the state among themselves (FSDP); rows and activations each has its own."""
    return state_bytes(shape, method, precision) / devices + activation_bytes(shape, method, precision, load)


# --- the document ----------------------------------------------------------------------------------------------------

MODELS = {
    "Qwen2.5-0.5B": Shape(896, 4_864, 24, 14, 2, 64, 151_936),
    "Qwen3-0.6B": Shape(1_024, 3_072, 28, 16, 8, 128, 151_936),
    "Llama-3.2-1B": Shape(2_048, 8_192, 16, 32, 8, 64, 128_256),
    "Qwen3-1.7B": Shape(2_048, 6_144, 28, 16, 8, 128, 151_936),
    "Qwen3-4B": Shape(2_560, 9_728, 36, 32, 8, 128, 151_936),
    "Qwen3-8B": Shape(4_096, 12_288, 36, 32, 8, 128, 151_936, tied=False),
}
DEVICES = (1, 2, 4, 8)
PEAK = 989e12  # bfloat16 products and sums a second by NVIDIA's data sheet of the H100 and H200
SHARE = 0.40  # of that: an assumption
TOGETHER = 0.9  # of the share, when several devices wait for each other: an assumption
TOKENS = 100e6
GB = 1e9


def hours(shape: Shape, method: str, devices: int, load: Load = Load()) -> float:
    """Of training on `TOKENS`."""
    rate = devices * PEAK * SHARE * (TOGETHER if devices > 1 else 1)
    return TOKENS * flops_per_token(shape, method, load.length, load.learnt) / rate / 3600


def table(method: str) -> str:
    """Memory and hours of every model on 1 to 8 devices."""
    columns = [f"GB on {DEVICES[0]}", *map(str, DEVICES[1:]), f"hours on {DEVICES[0]}", *map(str, DEVICES[1:])]
    lines = [f"| | parameters | {' | '.join(columns)} |", "|---" * (2 + len(columns)) + "|"]
    for name, shape in MODELS.items():
        size = f"{shape.parameters / 1e9:.2f} B" + (f" + {shape.adapter() / 1e6:.0f} M" if method == "lora" else "")
        memory = (f"{training_bytes(shape, method, 'bfloat16', Load(), devices) / GB:.0f}" for devices in DEVICES)
        time = (f"{hours(shape, method, devices):.2f}" for devices in DEVICES)
        lines.append(f"| {name} | {size} | {' | '.join(memory)} | {' | '.join(time)} |")
    return "\n".join(lines)


TEXT = """# How much memory, how many hours

For bases of 0.5 to 8 billion parameters on one to eight GPUs. **No GPU was there when this was written: the GPU tables are
computed, not measured.** What the formula says is measured where a processor can tell it: a test counts parameters, arithmetic
and what a step keeps for its way back on small models; two benchmarks measured peak memory and speed (at the end). The tables
are written by `python -m tools.scaling`, where every constant stands with its reason; a test holds this page against it.

## Memory of one device

| bytes | LoRA, 16 bits | LoRA, float32 | full, 16 bits | full, float32 |
|---|---|---|---|---|
| each weight of the base | 2 | 4 | 18 | 16 |
| each weight of the adapter | 16 | 16 | | |
| each token in each layer: H | 18 | 16 | 26 | 24 |
| I | 8 | 16 | 8 | 16 |
| Q | 10 | 16 | 12 | 20 |
| K | 8 | 12 | 10 | 16 |
| each learnt token and entry of the vocabulary | 10 | 8 | 10 | 8 |

H is the hidden size, I that of the feed-forward part, Q all query heads together, K all key heads. Trained weights stand there
in float32 with their gradients and Adam's two moments (16 bytes), and once more as what is computed in 16 bits. An adapter of
rank 16 on all linear layers has 16 × (inputs + outputs) weights for each. Several GPUs share the first two rows where FSDP
spreads them, that is in a service started with `--accelerate`; in a plain group each takes as much as one alone. Tokens are
each GPU's own. Weights that are gathered for a moment (one layer; embeddings and output layer), buffers that live for one
operation, and CUDA's own few hundred megabytes come on top. Where it does not fit: a smaller `batch_size`, shorter examples,
or `fsdp_activation_checkpointing`, which keeps of each layer only what went in and computes the rest again.

## Time

A token costs 2 operations (a product, a sum) for each weight on the way forwards, 2 on the way back for the gradient of what
went in, and 2 for the weight's own if it is trained: 6 N with full tuning, 4 N with LoRA and 6 for each weight of the adapter.
The output layer counts for the learnt tokens alone, which are the only ones it is computed for; the embeddings cost nothing.
Attention adds 6 × Q for each layer and each token of the row (half of the row is read on average).

    hours = tokens × operations a token / (GPUs × peak × share) / 3600

## LoRA, rank 16: computed

Weights and moments sharded among the GPUs; on each, batches of {rows} rows of {length:,} tokens, half of them learnt;
{tokens} million tokens, such as 100,000 examples of 333 tokens three times; a GPU with a peak of {peak} TFLOP/s in
bfloat16 (H100, H200), of which **{share} are assumed to be reached**, and {together} of that where several work together.
Neither assumption is measured.

{lora}

## Full tuning: computed

{full}

## What was measured

{measured}
"""

MEASURED = """
On two cores of an AMD EPYC that other work shared, one thread, float32. Peak memory above what the process held before the
model was made, two rows of 512 tokens (`python3 start.py bench openweight_memory`):

| parameters | | measured | formula |
|---|---|---|---|
| 4.5 M | LoRA | 237 MB | 176 MB |
| 4.5 M | full | 287 MB | 247 MB |
| 13.3 M | LoRA | 485 MB | 406 MB |
| 32.7 M | LoRA | 819 MB | 732 MB |
| 32.7 M | full | 1,147 MB | 1,192 MB |

LoRA takes 60 to 90 MB more: libraries that a first step loads, and buffers that live for one operation. With full
tuning the formula is an upper bound once the model is large: gradients come as activations go.

Speed (`python3 start.py bench openweight_speed`, 4.5 M weights, LoRA): roughly 45 % of what this processor reaches in a matrix
product with rows of 256 to 1,024 tokens, 27 % with rows of 1,024, beside other work; TRL 14 % and 17 %. A GPU's share has to be
measured on one: the same command does it there, with a model of the shape of Qwen3-0.6B.
"""


def document() -> str:
    """The text of docs/scaling.md."""
    return TEXT.format(lora=table("lora"), full=table("full"), share=f"{SHARE:.0%}", together=f"{TOGETHER:.0%}",
                       peak=f"{PEAK / 1e12:.0f}", tokens=f"{TOKENS / 1e6:.0f}", rows=Load.rows, length=Load.length,
                       measured=MEASURED.strip())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8", newline="\n")
