"""Answers of open-weight models are those of transformers, whoever else is being answered."""
from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Lfm2Config, MambaConfig, PretrainedConfig, PreTrainedModel

from localtune.infer.engine import Engine, EngineError, GenerateRequest, Token
from localtune.infer.open_model import OpenModel
from localtune.openweight.load import load_model
from tests.infer.asking import closing_ends_waiting_callers, collect, run
from tests.openweight.tiny_open import FAMILIES, SHAPE, tiny_open, tiny_tokenizer

CPU, FLOAT = torch.device("cpu"), torch.float32
PROMPTS = [[40, 50, 60], [70], list(range(100, 190)), [5, 4, 3, 9, 200, 11], [33] * 9]


@pytest.fixture(scope="module")
def adapters(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two different adapters on the Llama."""
    root = tmp_path_factory.mktemp("adapters")
    return [adapter_on(folders["llama"], root / f"adapter.{seed}", seed) for seed in (1, 2)]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(max_slots=4)
    engine.start()
    yield engine
    engine.close()


def adapter_on(base: Path, folder: Path, seed: int) -> Path:
    """Write an adapter of random weights, none of them zero."""
    settings = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        get_peft_model(AutoModelForCausalLM.from_pretrained(base), settings).save_pretrained(folder)
    return folder


def request(folder: Path, prompt: list[int], **changes: Any) -> GenerateRequest:
    """A greedy request that nothing but its length ends; keywords override."""
    return GenerateRequest(**{"folder": folder, "prompt_ids": prompt, "max_tokens": 12, "stop_ids": frozenset(),
                              "temperature": 0.0, **changes})


def answers(engine: Engine, *wanted: GenerateRequest) -> list[list[Token]]:
    """Tokens of requests made at the same time."""
    return [tokens for tokens, _ in run(*(collect(engine, one) for one in wanted))]


def ids(tokens: list[Token]) -> list[int]:
    return [token.id for token in tokens]


def generated(model: PreTrainedModel, prompt: list[int], n: int) -> list[int]:
    """What transformers' own `generate` writes."""
    with torch.inference_mode():
        whole = model.generate(input_ids=torch.tensor([prompt]), max_new_tokens=n, do_sample=False, eos_token_id=None)
    return whole[0, len(prompt) :].tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_texts_are_those_of_generate_however_many_are_asked_at_once(
    engine: Engine, folders: dict[str, Path], family: str
) -> None:
    """More requests than slots, of different lengths (beyond Gemma's window of 64): texts join, leave and are padded."""
    folder, model = folders[family], load_model(folders[family], CPU, FLOAT)
    wanted = [request(folder, prompt, max_tokens=8 + 12 * (n % 3)) for n, prompt in enumerate(PROMPTS)]
    expected = [generated(model, one.prompt_ids, one.max_tokens) for one in wanted]
    assert [ids(tokens) for tokens in answers(engine, *wanted)] == expected
    assert [ids(*answers(engine, one)) for one in wanted[:2]] == expected[:2]


def test_the_text_is_the_tokenizers(engine: Engine, folders: dict[str, Path]) -> None:
    inner = engine.tokenizer(folders["qwen3"]).inner
    [tokens] = answers(engine, request(folders["qwen3"], PROMPTS[0], max_tokens=40))
    shown = "".join(token.text for token in tokens)
    assert shown.replace("\ufffd", "") == inner.decode(ids(tokens), skip_special_tokens=True).replace("\ufffd", "")


def test_a_seed_gives_the_same_text_whatever_else_runs(engine: Engine, folders: dict[str, Path]) -> None:
    def seeded(seed: int) -> GenerateRequest:
        drawn = {"temperature": 1.0, "top_p": 0.9, "frequency_penalty": 0.5}
        return request(folders["llama"], [40, 50], seed=seed, max_tokens=20, **drawn)

    [alone] = answers(engine, seeded(7))
    among, other, *_ = answers(engine, seeded(7), seeded(8), *(request(folders["llama"], prompt) for prompt in PROMPTS))
    assert ids(alone) == ids(among) != ids(other)


@pytest.mark.parametrize("family", FAMILIES)
def test_logprobs_are_the_models_at_temperature_one(engine: Engine, folders: dict[str, Path], family: str) -> None:
    changed = {"temperature": 0.3, "seed": 3, "frequency_penalty": 1.0, "logit_bias": {9: 2.0}, "top_logprobs": 5}
    wanted = [request(folders[family], prompt, **changed) for prompt in PROMPTS[:4]]
    model = load_model(folders[family], CPU, FLOAT)
    for one, tokens in zip(wanted, answers(engine, *wanted), strict=True):
        whole = one.prompt_ids + ids(tokens)
        with torch.inference_mode():
            values = model(input_ids=torch.tensor([whole])).logits[0].log_softmax(-1)
        for place, token in enumerate(tokens, start=len(one.prompt_ids) - 1):
            assert token.logprob == pytest.approx(max(values[place, token.id].item(), -9999), abs=1e-3)
            assert token.top[0][0] == int(values[place].argmax())
            assert all(math.isfinite(value) and value <= 0 for _, value in token.top)
        scores = asyncio.run(engine.score(folders[family], whole, 5))
        assert scores[0] == (None, ())
        for token, (logprob, top) in zip(tokens, scores[len(one.prompt_ids) :], strict=True):
            assert token.logprob == pytest.approx(logprob, abs=1e-3)
            assert [id for id, _ in token.top][:1] == [id for id, _ in top][:1]


def test_scores_of_a_long_text_do_not_depend_on_its_parts(
    engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = asyncio.run(engine.score(folders["gemma"], PROMPTS[2]))
    monkeypatch.setattr("localtune.infer.open_runner.SCORED_AT_ONCE", 7)
    parts = asyncio.run(engine.score(folders["gemma"], PROMPTS[2]))
    assert [logprob for logprob, _ in parts[1:]] == pytest.approx([logprob for logprob, _ in whole[1:]], abs=1e-3)


@pytest.mark.parametrize(("kind", "shape"), [
    (MambaConfig, {"state_size": 4}),
    (Lfm2Config, {**SHAPE, "layer_types": ["conv", "full_attention"]}),
])
def test_models_that_carry_a_state_are_answered_side_by_side(
    engine: Engine, tmp_path: Path, kind: type[PretrainedConfig], shape: dict[str, Any]
) -> None:
    tokenizer = tiny_tokenizer("llama")
    tokenizer.save_pretrained(tmp_path)
    size = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = kind(**{**shape, **size, "bos_token_id": 0, "eos_token_id": 4, "pad_token_id": 0})
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    model = load_model(tmp_path, CPU, FLOAT)
    found = answers(engine, *(request(tmp_path, prompt) for prompt in PROMPTS[:4]))
    assert [ids(tokens) for tokens in found] == [generated(model, prompt, 12) for prompt in PROMPTS[:4]]
    assert len(asyncio.run(engine.score(tmp_path, PROMPTS[2]))) == len(PROMPTS[2])


def test_two_adapters_and_their_base_at_once_answer_as_each_alone(
    engine: Engine, folders: dict[str, Path], adapters: list[Path]
) -> None:
    models = [folders["llama"], *adapters]
    loaded = [load_model(folder, CPU, FLOAT) for folder in models]
    expected = [[generated(model, prompt, 12) for prompt in PROMPTS[:3]] for model in loaded]
    assert expected[0] != expected[1] != expected[2]
    found = answers(engine, *(request(folder, prompt) for prompt in PROMPTS[:3] for folder in models))
    assert [[ids(tokens) for tokens in found[n::3]] for n in range(3)] == expected
    assert list(engine.open.runners) == [folders["llama"]]
    scores = [asyncio.run(engine.score(folder, PROMPTS[2], 1)) for folder in models]
    assert scores[0] != scores[1] != scores[2]


def test_idle_adapters_above_the_limit_are_dropped_and_come_back(
    engine: Engine, adapters: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localtune.infer.open_loop.MAX_ADAPTERS", 1)
    first, second, again = ([ids(*answers(engine, request(adapters[n], PROMPTS[0])))] for n in (0, 1, 0))
    [runner] = engine.open.runners.values()
    assert list(runner.model.adapters) == [adapters[0]]
    assert first == again != second


def test_an_unloaded_adapter_fails_its_texts_and_no_others(
    engine: Engine, folders: dict[str, Path], adapters: list[Path]
) -> None:
    async def scenario() -> list[Token]:
        async with aclosing(engine.generate(request(adapters[0], PROMPTS[0], max_tokens=200))) as items:
            await anext(items)
            other = asyncio.ensure_future(collect(engine, request(folders["llama"], PROMPTS[0])))
            engine.unload(adapters[0])
            with pytest.raises(EngineError, match="unloaded"):
                async for _ in items:
                    pass
        return (await other)[0]

    tokens = asyncio.run(scenario())
    assert ids(tokens) == generated(load_model(folders["llama"], CPU, FLOAT), PROMPTS[0], 12)
    again = ids(*answers(engine, request(adapters[0], PROMPTS[0])))
    assert again == generated(load_model(adapters[0], CPU, FLOAT), PROMPTS[0], 12)


def test_the_least_recently_used_model_makes_room(folders: dict[str, Path]) -> None:
    sizes = {family: OpenModel(folder).bytes for family, folder in folders.items()}
    engine = Engine(open_bytes=int(1.2 * (sizes["llama"] + sizes["qwen3"])))
    engine.start()
    try:
        for family in ("llama", "qwen3", "llama", "gemma"):
            answers(engine, request(folders[family], [40], max_tokens=2))
        assert list(engine.open.runners) == [folders["llama"], folders["gemma"]]
        assert [entry["source"] for entry in engine.open.loaded()] == ["llama", "gemma"]
        assert all(entry["load_seconds"] > 0 for entry in engine.open.loaded())
    finally:
        engine.close()


def test_a_model_without_room_waits_for_the_busy_one_and_one_too_large_is_refused(folders: dict[str, Path]) -> None:
    engine = Engine(open_bytes=int(1.2 * OpenModel(folders["qwen3"]).bytes))
    engine.start()
    try:
        wanted = [request(folders[family], [40, 50], max_tokens=30) for family in ("llama", "qwen3", "llama")]
        found = answers(engine, *wanted)
        assert ids(found[0]) == ids(found[2]) != ids(found[1])
        engine.open.limit = 10_000
        with pytest.raises(EngineError, match="--max-model-gb") as caught:
            answers(engine, request(folders["gemma"], [40]))
        assert (caught.value.status, caught.value.code) == (503, "insufficient_memory")
    finally:
        engine.close()


def test_others_are_answered_while_a_model_is_loaded(
    engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        loading, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        load = OpenModel.__init__

        def slow(model: OpenModel, source: Path) -> None:
            loop.call_soon_threadsafe(loading.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(timeout=30)
            load(model, source)

        await collect(engine, request(folders["llama"], [40]))
        monkeypatch.setattr(OpenModel, "__init__", slow)
        late = asyncio.ensure_future(collect(engine, request(folders["qwen3"], [40])))
        await loading.wait()
        tokens, _ = await collect(engine, request(folders["llama"], [40]))
        assert len(tokens) == 12 and not late.done()
        go_on.set()
        assert len((await late)[0]) == 12

    asyncio.run(asyncio.wait_for(scenario(), timeout=60))


def test_running_out_of_memory_fails_with_a_cure_and_nothing_stays_broken(
    engine: Engine, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(OpenModel, "logits", full)
        with pytest.raises(EngineError, match="shorter texts") as caught:
            answers(engine, request(folders["llama"], [40]))
    assert (caught.value.status, caught.value.code, caught.value.retry) == (503, "out_of_memory", True)
    assert len(answers(engine, request(folders["llama"], [40]))[0]) == 12


def test_a_failing_adapter_fails_its_own_texts_alone(
    engine: Engine, folders: dict[str, Path], adapters: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(adapters[0], broken)
    weights = load_file(broken / "adapter_model.safetensors")
    save_file({name: value * torch.nan for name, value in weights.items()}, broken / "adapter_model.safetensors")

    async def scenario() -> list[Token]:
        async with aclosing(engine.generate(request(folders["llama"], PROMPTS[0], max_tokens=100))) as items:
            tokens = [await anext(items)]
            with pytest.raises(EngineError, match="diverged"):
                await collect(engine, request(broken, PROMPTS[1]))
            return tokens + [item async for item in items if isinstance(item, Token)]

    assert len(asyncio.run(scenario())) == 100


@pytest.mark.parametrize("others", [False, True])
def test_an_adapter_that_does_not_fit_leaves_nothing_behind(
    engine: Engine, folders: dict[str, Path], adapters: list[Path], tmp_path: Path, others: bool
) -> None:
    misfit = adapter_on(tiny_open(tmp_path / "wide", "llama", intermediate_size=96), tmp_path / "misfit", 3)
    config = json.loads((misfit / "adapter_config.json").read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(folders["llama"])
    (misfit / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    if others:
        answers(engine, request(adapters[0], PROMPTS[0]))
    with pytest.raises(EngineError, match="cannot be put on its base") as caught:
        answers(engine, request(misfit, PROMPTS[0]))
    assert (caught.value.status, caught.value.code) == (503, "adapter_unreadable")
    for folder in (folders["llama"], adapters[1]):
        expected = generated(load_model(folder, CPU, FLOAT), PROMPTS[0], 12)
        assert ids(*answers(engine, request(folder, PROMPTS[0]))) == expected


def test_what_cannot_be_loaded_is_told(engine: Engine, folders: dict[str, Path], tmp_path: Path) -> None:
    broken = tiny_open(tmp_path / "broken", "llama")
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EngineError, match="broken"):
        answers(engine, request(broken, [40]))
    orphan = adapter_on(tiny_open(tmp_path / "gone", "llama"), tmp_path / "orphan", 1)
    (tmp_path / "gone" / "config.json").unlink()
    with pytest.raises(EngineError, match="gone") as caught:
        engine.context(orphan)
    assert caught.value.status == 503
    assert len(answers(engine, request(folders["llama"], [40]))[0]) == 12


def test_weights_that_are_not_numbers_are_refused(engine: Engine, tmp_path: Path) -> None:
    folder = tiny_open(tmp_path / "diverged", "llama")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    model.save_pretrained(folder)
    with pytest.raises(EngineError, match="diverged"):
        answers(engine, request(folder, [40]))


def test_tokens_outside_the_models_table_are_refused(engine: Engine, folders: dict[str, Path]) -> None:
    with pytest.raises(EngineError, match="table") as caught:
        answers(engine, request(folders["llama"], [40, 100_000]))
    assert caught.value.status == 400


def test_closing_the_engine_ends_waiting_callers(folders: dict[str, Path]) -> None:
    closing_ends_waiting_callers(request(folders["llama"], [40], max_tokens=250))


def test_the_embedded_model_does_without_transformers(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from localtune.api.app import create_app
from localtune.infer.engine import Engine, GenerateRequest
from tests.tiny import tiny_base

async def ask():
    wanted = GenerateRequest(tiny_base(Path(sys.argv[1])), [40], 3, frozenset())
    return [item async for item in engine.generate(wanted)]

engine = Engine()
engine.start()
assert asyncio.run(ask())[-1].completion_tokens == 3
engine.close()
assert not {"transformers", "peft", "accelerate"} & set(sys.modules), "imported"
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "small")], check=True, timeout=120)
