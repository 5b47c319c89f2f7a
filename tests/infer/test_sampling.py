from __future__ import annotations

import torch

from localtune.infer import sampling

LOGITS = torch.tensor([[0.0, 1.0, 2.0, 3.0]])


def draws(temperature: float, top_p: float, n: int = 2000) -> torch.Tensor:
    """Relative frequencies of the four tokens over evenly spaced numbers."""
    uniform = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    ids = sampling.choose(
        LOGITS.expand(n, 4).clone(), torch.full((n,), temperature), torch.full((n,), top_p), uniform
    )
    return torch.bincount(ids, minlength=4) / n


def test_temperature_zero_takes_the_best_token() -> None:
    assert draws(0, 1.0).tolist() == [0, 0, 0, 1]


def test_frequencies_are_the_softmax_at_the_given_temperature() -> None:
    for temperature in (0.5, 1.0, 2.0):
        torch.testing.assert_close(draws(temperature, 1.0), (LOGITS[0] / temperature).softmax(0), atol=2e-3, rtol=0)


def test_top_p_keeps_the_smallest_set_that_holds_it() -> None:
    best, second = LOGITS[0].softmax(0)[[3, 2]].tolist()
    assert draws(1.0, best - 0.01).tolist() == [0, 0, 0, 1]
    frequencies = draws(1.0, best + 0.01)
    assert frequencies[:2].tolist() == [0, 0]
    torch.testing.assert_close(frequencies[3].item(), best / (best + second), atol=2e-3, rtol=0)
    assert draws(1.0, 0.0).tolist() == [0, 0, 0, 1]


def test_rows_with_different_settings_do_not_mix() -> None:
    ids = sampling.choose(
        LOGITS.expand(3, 4).clone(), torch.tensor([0.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 0.5]),
        torch.tensor([0.0, 0.0, 0.0], dtype=torch.float64),
    )
    assert ids.tolist() == [3, 0, 3]


def test_a_very_small_temperature_stays_finite() -> None:
    assert draws(1e-6, 1.0).tolist() == [0, 0, 0, 1]


def test_logprobs_are_finite_and_never_positive() -> None:
    values = sampling.logprobs(torch.tensor([[0.0, -1e9, 1e9], [5.0, 5.0, 5.0]]))
    assert values.isfinite().all()
    assert (values <= 0).all()


def test_best_tokens_are_sorted_and_as_many_as_wanted() -> None:
    values = sampling.logprobs(LOGITS.repeat(2, 1))
    none, two = sampling.best_tokens(values, [0, 2])
    assert none == ()
    assert [id for id, _ in two] == [3, 2]
    assert two[0][1] > two[1][1]
