"""The model's own Llama against transformers' LlamaForCausalLM."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from localtune.model.llama import load_llama, save_llama
from tests.tiny import tiny_base

SHAPES = {
    "plain": {},
    "grouped-query attention": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "one key head": {"num_attention_heads": 4, "num_key_value_heads": 1, "num_hidden_layers": 3},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_logits_equal_transformers(tmp_path: Path, shape: dict[str, int]) -> None:
    folder = tiny_base(tmp_path, **shape)
    ids = torch.randint(0, 320, (3, 70), generator=torch.Generator().manual_seed(1))
    ours = load_llama(folder)
    with torch.no_grad():
        logits = ours.logits(ours(ids))
        expected = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)(ids).logits
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)
    assert expected.std() > 0.01


def test_position_of_a_token_matters(tmp_path: Path) -> None:
    model = load_llama(tiny_base(tmp_path))
    with torch.no_grad():
        # One layer of attention over equal tokens is blind to positions; other tokens before it are needed.
        near, far = (model(torch.tensor([[5, 7, *[9] * n, 7]]))[0, -1] for n in (1, 6))
    assert not torch.allclose(near, far, atol=1e-4)


def test_padding_on_the_right_changes_nothing(tmp_path: Path) -> None:
    model = load_llama(tiny_base(tmp_path))
    with torch.no_grad():
        alone, padded = model(torch.tensor([[5, 6, 7]])), model(torch.tensor([[5, 6, 7, 0, 0]]))
    torch.testing.assert_close(alone, padded[:, :3])


def test_hidden_states_of_the_tokens_alone_are_those_of_each_row(tmp_path: Path) -> None:
    model = load_llama(tiny_base(tmp_path))
    rows = torch.tensor([[5, 6, 7, 0, 0], [8, 9, 10, 11, 12]])
    with torch.no_grad():
        tokens = model(rows, torch.tensor([0, 1, 2, 5, 6, 7, 8, 9]))
        apart = [model(rows[:1, :3])[0], model(rows[1:])[0]]
    assert tokens.shape == (8, model.config.hidden_size)
    torch.testing.assert_close(tokens, torch.cat(apart))


@pytest.mark.parametrize("places", [None, torch.tensor([0, 1, 2, 5, 6, 7, 8, 9])], ids=["no padding", "padding"])
def test_wanted_tokens_are_those_of_all_and_so_are_their_gradients(tmp_path: Path, places: torch.Tensor | None) -> None:
    model = load_llama(tiny_base(tmp_path, **SHAPES["grouped-query attention"]))
    rows, wanted = torch.tensor([[5, 6, 7, 0, 0], [8, 9, 10, 11, 12]]), torch.tensor([1, 6, 7])
    everything = model(rows, torch.arange(10) if places is None else places)
    found = [everything[wanted], model(rows, places, wanted)]
    torch.testing.assert_close(*found)
    gradients = [torch.autograd.grad(hidden.square().sum(), list(model.parameters())) for hidden in found]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


def test_stored_as_float16_loads_as_float32(tmp_path: Path) -> None:
    base = tiny_base(tmp_path / "base")
    model = load_llama(base)
    save_llama(model, tmp_path / "half", base, torch.float16)
    half = load_llama(tmp_path / "half")
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    for stored, original in zip(half.parameters(), model.parameters()):
        torch.testing.assert_close(stored, original, atol=1e-3, rtol=1e-3)
