"""The formula of docs/scaling.md says what PyTorch does, and the page says what the formula does."""
from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, Qwen3Config

from localtune.openweight.adapt import LearntLogits, new_adapter
from localtune.train.data import Batch, Example, collate
from localtune.train.objective import loss_and_hits
from tools.scaling import DOCUMENT, MODELS, Load, Shape, activation_bytes, document, flops_per_token

SHAPE = Shape(hidden=128, intermediate=320, layers=3, heads=4, kv_heads=2, head_dim=64, vocabulary=96)
LOAD = Load(rows=2, length=64, learnt=0.5)
TOKENS = LOAD.rows * LOAD.length


def subject(method: str, dtype: torch.dtype = torch.float32, layers: int = SHAPE.layers) -> LearntLogits:
    config = Qwen3Config(
        hidden_size=SHAPE.hidden, intermediate_size=SHAPE.intermediate, num_hidden_layers=layers,
        num_attention_heads=SHAPE.heads, num_key_value_heads=SHAPE.kv_heads, head_dim=SHAPE.head_dim,
        vocab_size=SHAPE.vocabulary, tie_word_embeddings=True,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=dtype if method == "lora" else torch.float32)
    if method == "lora":
        model = new_adapter(model.requires_grad_(False), "base", 1)
    return LearntLogits(model, torch.device("cpu"), dtype)


def batch(load: Load = LOAD) -> Batch:
    learnt = tuple(range(int(load.length * (1 - load.learnt)) - 1, load.length - 1))
    return collate([Example(tuple(range(load.length)), learnt)] * load.rows, 0)


def test_parameters_are_those_of_the_models() -> None:
    counts = {name: shape.parameters for name, shape in MODELS.items()}
    known = {"Qwen2.5-0.5B": 494e6, "Qwen3-0.6B": 596e6, "Llama-3.2-1B": 1236e6, "Qwen3-1.7B": 1.72e9, "Qwen3-4B": 4.02e9,
             "Qwen3-8B": 8.19e9}
    assert counts == pytest.approx(known, rel=0.005)
    weights = {name: weight.numel() for name, weight in subject("lora").named_parameters()}
    assert sum(count for name, count in weights.items() if "lora_" in name) == SHAPE.adapter()
    assert sum(count for name, count in weights.items() if "lora_" not in name and "norm" not in name) == SHAPE.parameters


@pytest.mark.parametrize("method", ["lora", "full"])
def test_operations_are_those_that_are_done(method: str) -> None:
    """Counted with plain attention, which computes what lies above the diagonal too: as of rows twice as long."""
    model, counter = subject(method), FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        loss_and_hits(model, batch())[0].backward()
    formula = TOKENS * flops_per_token(SHAPE, method, 2 * LOAD.length, LOAD.learnt)
    assert counter.get_total_flops() == pytest.approx(formula, rel=0.08)  # the first layer needs no gradient of its input


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_kept_bytes_are_those_that_are_kept(method: str, dtype: torch.dtype) -> None:
    """A longer row keeps that much more; weights and their copies are the same for both."""
    precision = str(dtype).removeprefix("torch.")
    longer = Load(LOAD.rows, LOAD.length + 32, LOAD.learnt)
    model = subject(method, dtype)
    grown = kept_bytes(model, batch(longer)) - kept_bytes(model, batch(LOAD))
    formula = activation_bytes(SHAPE, method, precision, longer) - activation_bytes(SHAPE, method, precision, LOAD)
    assert grown == pytest.approx(formula, rel=0.1)


def kept_bytes(model: LearntLogits, one: Batch) -> int:
    """Of everything that autograd saves on the way forwards, each piece of memory once."""
    kept: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no address is given twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        _loss = loss_and_hits(model, one)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def test_the_page_is_what_the_formula_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tools.scaling"
