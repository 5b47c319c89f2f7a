"""What is computed in fewer steps is what transformers and peft compute."""
from __future__ import annotations

import copy
import random
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, Lfm2Config, MambaConfig

from localtune.openweight.adapt import LearntLogits, new_adapter
from localtune.openweight.load import load_model
from localtune.train.data import Example, collate
from localtune.train.objective import loss_and_hits
from tests.openweight.tiny_open import FAMILIES, SHAPE

CPU = torch.device("cpu")


def rows(*lengths: int) -> list[Example]:
    """Examples of random ids, of which the second half is learnt."""
    rng = random.Random(1)
    return [Example(tuple(rng.choices(range(10, 200), k=n)), tuple(range(n // 2, n - 1))) for n in lengths]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("lengths", [(5, 90, 17), (80, 80)])  # beyond Gemma's window of 64; much padding, and none
def test_loss_and_gradients_are_those_of_each_row_alone(
    family: str, lengths: tuple[int, ...], folders: dict[str, Path]
) -> None:
    plain = new_adapter(load_model(folders[family], CPU, torch.float32).requires_grad_(False), "base", 1)
    trained = {name: weight for name, weight in plain.named_parameters() if weight.requires_grad}
    with torch.no_grad():
        for weight in trained.values():
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)) / 10)
    lean = LearntLogits(copy.deepcopy(plain), CPU, torch.float32)
    assert lean.by_rows
    loss, _ = loss_and_hits(lean, collate(rows(*lengths), 0))
    loss.backward()
    losses = []
    for example in rows(*lengths):
        logits = plain(input_ids=torch.tensor([example.ids])).logits[0, list(example.learnt)]
        losses.append(F.cross_entropy(logits, torch.tensor(example.ids)[[n + 1 for n in example.learnt]], reduction="none"))
    expected = torch.cat(losses).mean()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-4)
    for name, weight in lean.inner.named_parameters():
        if weight.requires_grad:
            torch.testing.assert_close(weight.grad, trained[name].grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("kind", "shape"), [
    (MambaConfig, {"state_size": 4, "hidden_size": 32, "num_hidden_layers": 2}),
    (Lfm2Config, {**SHAPE, "layer_types": ["conv", "full_attention"]}),
])
def test_layers_that_carry_a_state_never_read_rows_end_to_end(kind: type, shape: dict) -> None:
    model = AutoModelForCausalLM.from_config(kind(**shape, vocab_size=200))
    assert not LearntLogits(model, CPU, torch.float32).by_rows
