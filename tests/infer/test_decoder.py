from __future__ import annotations

from pathlib import Path

import pytest
import torch

from localtune.infer.cache import SlotCache, power_of_two
from localtune.infer.decoder import Decoder
from localtune.model.llama import Llama, LlamaConfig, load_llama
from tests.tiny import tiny_base

PROMPT = torch.tensor([[5, 9, 200, 31, 7, 7, 44]])


@pytest.fixture(params=[1, 2, 4])
def llama(request: pytest.FixtureRequest, tmp_path: Path) -> Llama:
    """Models with one, two and four key/value heads, norm weights unlike 1."""
    model = load_llama(tiny_base(tmp_path, num_key_value_heads=request.param))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (parameter.ndim == 1))
    return model


@torch.inference_mode()
def test_a_whole_prompt_gives_the_logits_of_the_model(llama: Llama) -> None:
    decoder, cache = Decoder(llama, 320), SlotCache(llama.config)
    hidden = decoder.forward(PROMPT, torch.arange(7)[None], cache.prefill(0, 1, 7))
    torch.testing.assert_close(decoder.logits(hidden), llama.logits(llama(PROMPT)), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_token_by_token_gives_the_logits_of_the_model(llama: Llama) -> None:
    decoder, cache = Decoder(llama, 320), SlotCache(llama.config)
    for position in range(7):
        one = PROMPT[:, position : position + 1]
        hidden = decoder.forward(one, torch.tensor([[position]]), cache.decode(torch.tensor([position])))
        expected = llama.logits(llama(PROMPT[:, : position + 1]))[:, -1:]
        torch.testing.assert_close(decoder.logits(hidden), expected, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_rows_of_different_lengths_do_not_see_each_other(llama: Llama) -> None:
    decoder, cache = Decoder(llama, 320), SlotCache(llama.config)
    cache.reserve(2, 8)
    padded = torch.stack([PROMPT[0], torch.cat((PROMPT[0, :3], torch.zeros(4, dtype=torch.long)))])
    decoder.forward(padded, torch.arange(7)[None], cache.prefill(0, 2, 7))
    positions = torch.tensor([7, 3])
    hidden = decoder.forward(torch.tensor([[11], [12]]), positions[:, None], cache.decode(positions))
    for row, ids in enumerate(([*PROMPT[0].tolist(), 11], [*PROMPT[0, :3].tolist(), 12])):
        expected = llama.logits(llama(torch.tensor([ids])))[0, -1]
        torch.testing.assert_close(decoder.logits(hidden)[row, 0], expected, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("start", [0, 3])
def test_ends_behind_a_shared_beginning_are_those_of_whole_prompts(llama: Llama, start: int) -> None:
    decoder, cache = Decoder(llama, 320), SlotCache(llama.config)
    cache.reserve(3, 9)
    prompts = [PROMPT[0], PROMPT[0, :4], torch.cat((PROMPT[0, :3], torch.tensor([8, 6])))]
    if start:
        decoder.forward(PROMPT[:, :start], torch.arange(start)[None], cache.prefill(0, 1, start))
        cache.spread(0, 3, start)
    rest = torch.nn.utils.rnn.pad_sequence([prompt[start:] for prompt in prompts], batch_first=True)
    ends = torch.tensor([len(prompt) - start - 1 for prompt in prompts])
    hidden = decoder.forward(rest, torch.arange(start, 7)[None], cache.prefill(0, 3, 7 - start, start, ends))
    positions = torch.tensor([len(prompt) for prompt in prompts])
    following = decoder.forward(torch.tensor([[11]] * 3), positions[:, None], cache.decode(positions))
    for row, prompt in enumerate(prompts):
        for found, ids in ((hidden, prompt), (following, torch.cat((prompt, torch.tensor([11]))))):
            expected = llama.logits(llama(ids[None]))[0, -1]
            torch.testing.assert_close(decoder.logits(found)[row, 0], expected, rtol=1e-4, atol=1e-4)


def test_a_growing_cache_keeps_its_content_and_clear_gives_the_room_back() -> None:
    cache = SlotCache(LlamaConfig(hidden_size=8, num_attention_heads=2, num_key_value_heads=2, num_hidden_layers=1))
    smallest = cache.size
    cache.storage.copy_(torch.arange(cache.storage.numel()).view_as(cache.storage))
    before = cache.storage.clone()
    cache.reserve(3, 129)
    assert cache.size == (4, 256)
    assert torch.equal(cache.storage[:, :, :1, :, :128], before)
    cache.move(source=0, target=2, length=5)
    assert torch.equal(cache.storage[:, :, 2, :, :5], before[:, :, 0, :, :5])
    cache.clear()
    assert cache.size == smallest


@pytest.mark.parametrize(("number", "expected"), [(1, 1), (2, 2), (3, 4), (128, 128), (129, 256)])
def test_power_of_two(number: int, expected: int) -> None:
    assert power_of_two(number) == expected
