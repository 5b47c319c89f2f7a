"""The pretraining loop: what is learnt from, what an update is, and that an interruption costs nothing but time."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest
import torch

from localtune.base.batches import JOINED, Row, batches, collate, cut, encode, join, weigh
from localtune.base.corpus.document import Document
from localtune.base.corpus.mixture import SOURCES, stream
from localtune.base.muon import Muon, orthogonalise
from localtune.base.pretrain import Plan, Trainer, batch_loss, held_out_loss, learning_rate, pretrain
from localtune.base.vocabulary import LABELS
from localtune.config import DATA
from localtune.model.llama import Llama, LlamaConfig, load_llama
from localtune.model.tokenizer import Tokenizer

SMALL = DATA / "base" / "small"
TINY = LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)
NARROW = LlamaConfig(hidden_size=96, intermediate_size=256, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=3)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(SMALL)


def test_shares_of_each_phase_add_up_to_one() -> None:
    for phase in (1, 2):
        assert sum(source[phase] for source in SOURCES.values()) == pytest.approx(1)


def test_the_stream_is_a_function_of_its_seed() -> None:
    first, again, other = (list(islice(stream(seed), 200)) for seed in (3, 3, 4))
    assert first == again != other


def test_answers_are_learnt_whole_and_prompts_in_part(tokenizer: Tokenizer) -> None:
    document = Document("completion", prompt="one two three four five six seven eight nine ten", text=" and so on")
    ids, mask = tokenizer.completion(document.prompt, document.text)
    rows = [encode(document, tokenizer, 1024, random.Random(seed)) for seed in range(200)]
    assert all(row.ids == ids and all(row.weights[n] > 0 for n, answer in enumerate(mask) if answer) for row in rows)
    share = sum(row.weights[n] for row in rows for n, answer in enumerate(mask) if not answer) / (200 * mask.count(0))
    assert share == pytest.approx(0.2, abs=0.05)


def test_a_short_answer_weighs_as_much_as_one_of_eight_tokens() -> None:
    weights = list(weigh([1, 1, *[0] * 5, *[1] * 20], random.Random(0)))
    assert weights[:2] == [4, 4] and set(weights[2:7]) <= {0, 1} and weights[7:] == [1] * 20


def test_the_loss_is_the_mean_over_weights() -> None:
    model = Llama(TINY)
    heavy, light = (Row([5, 6, 7, 8], [0, 0, weight, 1]) for weight in (3.0, 1.0))
    first, second = (batch_loss(model, collate([Row([5, 6, 7, 8], w)], 0)).item() for w in ([0, 0, 1, 0], [0, 0, 0, 1]))
    assert batch_loss(model, collate([heavy], 0)).item() == pytest.approx((3 * first + second) / 4, rel=1e-5)
    assert batch_loss(model, collate([light], 0)).item() == pytest.approx((first + second) / 2, rel=1e-5)


def test_targets_are_the_next_tokens_and_padding_is_never_learnt() -> None:
    batch = collate([Row([5, 6, 7, 8], [1] * 4), Row([9, 3], [0, 1])], pad=0)
    assert batch.ids.tolist() == [[5, 6, 7], [9, 3, 0]]
    assert batch.targets[batch.weights > 0].tolist() == [6, 7, 8, 3]


def test_joined_rows_are_exactly_as_long_as_the_context() -> None:
    rows = list(join([Row([n] * 7, [1] * 7) for n in range(20)], 16))
    assert rows and all(len(row.ids) == len(row.weights) == 16 for row in rows)


def test_groups_stay_within_the_budget_and_lose_no_row() -> None:
    rows = [Row([1] * length, [1] * length) for length in sorted(random.Random(0).choices(range(2, 60), k=300))]
    groups = list(cut(rows, 200))
    assert [row for group in groups for row in group] == rows
    assert all(len(group) * len(group[-1].ids) <= 200 for group in groups)


def test_some_rows_reach_the_end_of_the_context(tokenizer: Tokenizer) -> None:
    widths = {batch.ids.shape[1] for batch in islice(batches(stream(1), tokenizer, 1024, 4096, random.Random(1)), 120)}
    assert JOINED > 0 and max(widths) == 1023 and min(widths) < 60


@pytest.mark.parametrize("shape", [(3, 24, 24), (2, 16, 40), (2, 40, 16)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0))))
    assert 0.3 < values.median() < 1.3 and values.max() < 1.4


def test_muon_moves_against_the_gradient_by_its_rate() -> None:
    weight = torch.nn.Parameter(torch.zeros(20, 30))
    weight.grad = torch.randn(20, 30, generator=torch.Generator().manual_seed(1))
    Muon([weight], lr=0.01, weight_decay=0.0).step()
    assert (weight * weight.grad).sum() < 0
    assert weight.square().mean().sqrt().item() == pytest.approx(0.2 * 0.01, rel=0.4)


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    plan = Plan(peak_lr=1.0, warmup=0.1, decay=0.5)
    rates = [learning_rate(plan, progress) for progress in (0.0, 0.05, 0.2, 0.5, 0.75, 1.0)]
    assert rates[0] < 0.01 and rates[1] == pytest.approx(0.5, abs=0.01)
    assert rates[2:] == [1.0, 1.0, 0.5, 0.0]


def test_a_short_run_reaches_its_loss(tmp_path: Path, tokenizer: Tokenizer) -> None:
    plan = Plan(seed=1, steps=430, batch_tokens=1024, config=NARROW)
    trained = pretrain(plan, SMALL, tmp_path / "model", tmp_path / "work").model
    written = load_llama(tmp_path / "model")
    assert all(torch.equal(ours.half().float(), file) for ours, file in zip(trained.parameters(), written.parameters()))
    assert held_out_loss(written, tokenizer, 77) < 4.25  # nats; 4.00 measured with one thread; 8.3 (ln 4096): knows nothing


def test_the_same_plan_gives_the_same_weights_and_its_resume_file_holds_the_position(
    tmp_path: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localtune.base.batches.POOL", 64)  # twelve steps need no more documents
    plan = Plan(seed=1, steps=12, batch_tokens=512, config=TINY)
    whole, again = (pretrain(plan, SMALL, tmp_path / name, tmp_path / f"work of {name}") for name in ("one", "two"))
    assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), again.model.parameters()))
    resumed = Trainer(plan, tokenizer)
    resumed.load(tmp_path / "work of one" / "resume.pt")
    assert (resumed.step, resumed.tokens, resumed.progress) == (12, whole.tokens, 1.0)


def test_a_run_can_go_on_from_a_model(tmp_path: Path, tokenizer: Tokenizer) -> None:
    started = Trainer(Plan(start=SMALL), tokenizer).model
    assert all(torch.equal(a, b) for a, b in zip(started.parameters(), load_llama(SMALL).parameters()))


def test_labels_of_the_case_studies_are_single_tokens(tokenizer: Tokenizer) -> None:
    assert [label for label in LABELS if len(tokenizer.encode(label)) != 1] == []
