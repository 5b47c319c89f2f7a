from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import torch

from localtune.infer.decoder import Decoder
from localtune.infer.engine import Engine, EngineError, Finish, GenerateRequest, Token
from localtune.infer.runner import WORTH_SHARING, Runner, shared_beginning
from localtune.infer.sequence import Sequence
from localtune.model.llama import Llama, load_llama, save_llama
from localtune.model.tokenizer import Tokenizer
from tests.infer.asking import closing_ends_waiting_callers, collect, run, text
from tests.tiny import tiny_base

PROMPTS = [[40, 50, 60], [70], list(range(100, 130)), [5, 4, 3, 9, 200, 11], [33] * 9]

MakeRequest = Callable[..., GenerateRequest]


@torch.inference_mode()
def greedy(model: Llama, prompt: list[int], n: int) -> list[int]:
    """Step by step with a full pass and no cache."""
    ids = list(prompt)
    for _ in range(n):
        ids.append(int(model.logits(model(torch.tensor([ids])))[0, -1].argmax()))
    return ids[len(prompt) :]


def ids_of(tokens: list) -> list[int]:
    return [token.id for token in tokens]


def test_greedy_equals_a_full_pass_per_token(engine: Engine, model: Llama, request_for: MakeRequest) -> None:
    for prompt in PROMPTS:
        [(tokens, finish)] = run(collect(engine, request_for(prompt, max_tokens=40)))
        assert ids_of(tokens) == greedy(model, prompt, 40)
        assert finish == Finish("length", 40)


def test_requests_at_once_get_the_same_texts_as_one_by_one(engine: Engine, request_for: MakeRequest) -> None:
    """More requests than slots, of different lengths, so that sequences join, leave and move."""
    requests = [request_for(PROMPTS[n % 5] + [n], max_tokens=5 + 7 * (n % 4)) for n in range(20)]
    alone = [run(collect(engine, request))[0] for request in requests]
    together = run(*(collect(engine, request) for request in requests))
    assert [ids_of(tokens) for tokens, _ in together] == [ids_of(tokens) for tokens, _ in alone]


def test_prompts_that_begin_alike_are_read_once_and_answered_as_alone(
    engine: Engine, folder: Path, request_for: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginning = [(7 * n) % 250 + 30 for n in range(WORTH_SHARING)]
    prompts = [beginning, *([*beginning, *PROMPTS[n % 5], 40 + n] for n in range(6))]
    alone = [run(collect(engine, request_for(prompt)))[0] for prompt in prompts]
    widths, forward = [], Decoder.forward
    monkeypatch.setattr(Decoder, "forward", lambda self, ids, *more: widths.append(ids.shape) or forward(self, ids, *more))
    together = run(*(collect(engine, request_for(prompt)) for prompt in prompts))
    assert [ids_of(tokens) for tokens, _ in together] == [ids_of(tokens) for tokens, _ in alone]
    assert sum(rows * length for rows, length in widths if length > 1) < 3 * WORTH_SHARING


@pytest.mark.parametrize(("prompts", "shared"), [
    ([[1] * 300, [1] * 300], 299), ([[1] * 300 + [2], [1] * 300 + [3]], 300), ([[1] * 300], 0), ([[1] * 100, [1] * 100], 0),
    ([[1] * 100] * 4, 99), ([[2] + [1] * 300, [1] * 300], 0),
])
def test_what_prompts_begin_with_is_read_once_where_that_is_worth_it(prompts: list[list[int]], shared: int) -> None:
    assert shared_beginning(prompts) == shared


def test_a_seed_gives_the_same_text_whatever_else_runs(engine: Engine, request_for: MakeRequest) -> None:
    seeded = request_for([40, 50], temperature=1.0, top_p=0.9, seed=7, max_tokens=30)
    others = [request_for(prompt, temperature=1.3, max_tokens=20) for prompt in PROMPTS]
    [(alone, _)] = run(collect(engine, seeded))
    (among_others, _), *_ = run(collect(engine, seeded), *(collect(engine, other) for other in others))
    [(other_seed, _)] = run(collect(engine, request_for([40, 50], temperature=1.0, seed=8, max_tokens=30)))
    assert ids_of(alone) == ids_of(among_others) != ids_of(other_seed)


def test_without_a_seed_texts_differ(engine: Engine, request_for: MakeRequest) -> None:
    (first, _), (second, _) = run(*(collect(engine, request_for([40], temperature=1.0)) for _ in range(2)))
    assert ids_of(first) != ids_of(second)


def test_a_stop_token_ends_the_text_and_is_not_counted(
    engine: Engine, model: Llama, request_for: MakeRequest
) -> None:
    expected = greedy(model, PROMPTS[0], 12)
    stop = expected[4]
    [(tokens, finish)] = run(collect(engine, request_for(PROMPTS[0], stop_ids=frozenset({stop}))))
    assert ids_of(tokens) == expected[: expected.index(stop)]
    assert finish == Finish("stop", expected.index(stop))


def test_a_stop_sequence_across_tokens(
    engine: Engine, folder: Path, tokenizer: Tokenizer, request_for: MakeRequest
) -> None:
    """The model is led to write a chosen text by a bias that leaves only one token at a time possible."""
    ids = tokenizer.encode("Paris, as")
    assert len(ids) > 2
    bias = {id: 100.0 for id in ids}
    request = request_for([40], logit_bias=bias, max_tokens=200, temperature=1.0, seed=1)
    [(unstopped, _)] = run(collect(engine, request))
    whole = text(unstopped)
    border = len(unstopped[0].text) + len(unstopped[1].text)
    stop = whole[border - 1 : border + 1]
    [(tokens, finish)] = run(collect(engine, request_for([40], logit_bias=bias, max_tokens=200, temperature=1.0, seed=1,
                                                         stop=(stop,))))
    assert finish.reason == "stop"
    assert text(tokens) == whole[: whole.index(stop)]


def test_logprobs_are_those_of_the_model_at_temperature_one(
    engine: Engine, model: Llama, request_for: MakeRequest
) -> None:
    changed = {"temperature": 0.3, "seed": 3, "frequency_penalty": 1.0, "logit_bias": {9: 2.0}}
    [(tokens, _)] = run(collect(engine, request_for(PROMPTS[0], top_logprobs=20, **changed)))
    ids = PROMPTS[0] + ids_of(tokens)
    with torch.inference_mode():
        expected = model.logits(model(torch.tensor([ids])))[0].log_softmax(-1)
    for place, token in enumerate(tokens, start=len(PROMPTS[0]) - 1):
        assert token.logprob == pytest.approx(expected[place, token.id].item(), abs=1e-4)
        assert len(token.top) == 20
        assert all(math.isfinite(value) and value <= 0 for _, value in token.top)
        assert sum(math.exp(value) for _, value in token.top) <= 1 + 1e-6
        assert token.top[0][0] == int(expected[place].argmax())


def test_score_gives_what_generation_reported(engine: Engine, request_for: MakeRequest, folder: Path) -> None:
    [(tokens, _)] = run(collect(engine, request_for(PROMPTS[3], top_logprobs=2)))
    [scores] = run(engine.score(folder, PROMPTS[3] + ids_of(tokens), 2))
    assert scores[0] == (None, ())
    for token, (logprob, top) in zip(tokens, scores[len(PROMPTS[3]) :], strict=True):
        assert token.logprob == pytest.approx(logprob, abs=1e-4)
        assert [id for id, _ in token.top] == [id for id, _ in top]


def test_penalties_and_bias_change_the_choice(engine: Engine, model: Llama, request_for: MakeRequest) -> None:
    plain = greedy(model, PROMPTS[1], 12)
    [(banned, _)] = run(collect(engine, request_for(PROMPTS[1], logit_bias={plain[0]: -100.0})))
    assert plain[0] not in ids_of(banned)
    [(forced, _)] = run(collect(engine, request_for(PROMPTS[1], logit_bias={7: 100.0})))
    assert ids_of(forced) == [7] * 12


def test_penalties_grow_with_every_use(request_for: MakeRequest) -> None:
    request = request_for([40], frequency_penalty=0.5, presence_penalty=1.0, logit_bias={7: 3.0})
    sequence = Sequence(request, send=[].extend)
    sequence.admit(vocabulary=320, context=1024)
    for id in (7, 7, 9):
        sequence.accept(Token(id, "", b"x"))
    assert {id: value for id, value in enumerate(sequence.bias.tolist()) if value} == {7: 1.0, 9: -1.5}


def test_the_context_ends_a_text(engine: Engine, request_for: MakeRequest) -> None:
    [(tokens, finish)] = run(collect(engine, request_for([40] * 1020, max_tokens=50)))
    assert finish == Finish("length", 4)
    assert len(tokens) == 4
    with pytest.raises(EngineError, match="1024"):
        run(collect(engine, request_for([40] * 1024)))


def test_closing_the_iterator_frees_the_slot(engine: Engine, folder: Path, request_for: MakeRequest) -> None:
    async def first_token_only() -> None:
        async with aclosing(engine.generate(request_for([40], max_tokens=1000))) as items:
            await anext(items)

    async def until_free() -> None:
        while engine.runners[folder].busy:
            await asyncio.sleep(0.005)

    async def scenario() -> None:
        await asyncio.gather(*(first_token_only() for _ in range(5)))
        await asyncio.wait_for(until_free(), timeout=20)

    asyncio.run(scenario())
    assert engine.runners[folder].cache.size == (1, 128)
    assert len(run(collect(engine, request_for([40])))[0][0]) == 12


def test_a_failure_before_anyone_is_let_in_fails_those_who_wait(
    engine: Engine, request_for: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runner, "_next_group", lambda runner: 1 / 0)
    with pytest.raises(EngineError, match="division by zero"):
        run(collect(engine, request_for([40])))


def test_a_failing_step_fails_its_requests_and_nothing_else(
    engine: Engine, request_for: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_decode", broken)
        results = asyncio.run(gathered([collect(engine, request_for(prompt)) for prompt in PROMPTS]))
    assert all(isinstance(result, EngineError) and "out of luck" in str(result) for result in results)
    assert len(run(collect(engine, request_for([40])))[0][0]) == 12


async def gathered(work: list) -> list:
    return await asyncio.gather(*work, return_exceptions=True)


def test_a_folder_without_a_model_is_a_clean_error(engine: Engine, request_for: MakeRequest, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="could not be loaded"):
        run(collect(engine, request_for([40], folder=tmp_path / "nothing")))
    with pytest.raises(EngineError, match="scoring"):
        run(engine.score(tmp_path / "nothing", [1, 2]))


def test_weights_that_are_not_numbers_are_refused(engine: Engine, request_for: MakeRequest, tmp_path: Path) -> None:
    folder = tiny_base(tmp_path / "diverged")
    model = load_llama(folder)
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    save_llama(model, folder, folder)
    with pytest.raises(EngineError, match="diverged"):
        run(collect(engine, request_for([40], folder=folder)))


def test_the_least_recently_used_model_is_dropped(engine: Engine, request_for: MakeRequest, tmp_path: Path) -> None:
    folders = [tiny_base(tmp_path / name, seed=seed) for seed, name in enumerate("abc")]
    for folder in (folders[0], folders[1], folders[0], folders[2]):
        run(collect(engine, request_for([40], folder=folder)))
    assert list(engine.runners) == [folders[0], folders[2]]
    engine.unload(folders[0])
    run(collect(engine, request_for([40], folder=folders[2])))
    assert list(engine.runners) == [folders[2]]


def test_closing_the_engine_ends_waiting_callers(request_for: MakeRequest) -> None:
    closing_ends_waiting_callers(request_for([40], max_tokens=1000))


def test_a_request_needs_a_prompt_and_room(engine: Engine, request_for: MakeRequest) -> None:
    for request in (request_for([]), request_for([40], max_tokens=0)):
        with pytest.raises(ValueError, match="at least"):
            run(collect(engine, request))
