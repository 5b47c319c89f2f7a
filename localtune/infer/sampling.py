"""Choosing the next token of every row of a batch, and its log-probability."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST_LOGPROB = -9999.0


def choose(logits: Tensor, temperature: Tensor, top_p: Tensor, uniform: Tensor) -> Tensor:
    """Next token ids [B] from logits [B, V].

    Rows with temperature 0 are greedy. The others take the token at which the cumulative probability passes the
    row's `uniform` number in [0, 1); one number per row and token keeps rows independent of each other.
    """
    best = logits.argmax(dim=-1)
    drawn = (temperature > 0).nonzero().squeeze(1)
    if len(drawn):
        best[drawn] = draw(logits[drawn], temperature[drawn], top_p[drawn], uniform[drawn])
    return best


def draw(logits: Tensor, temperature: Tensor, top_p: Tensor, uniform: Tensor) -> Tensor:
    """Sampled token ids [B]; see `choose`."""
    scaled = (logits - logits.amax(dim=-1, keepdim=True)).double() / temperature[:, None]
    probabilities = scaled.softmax(dim=-1)
    narrowed = (top_p < 1).nonzero().squeeze(1)
    if len(narrowed):
        probabilities[narrowed] = nucleus(probabilities[narrowed], top_p[narrowed])
    cumulative = probabilities.cumsum(dim=-1)
    target = uniform[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp_(max=logits.shape[-1] - 1)


def nucleus(probabilities: Tensor, top_p: Tensor) -> Tensor:
    """Zero outside the smallest set of most probable tokens that holds `top_p`; the best token always stays."""
    ordered, order = probabilities.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    outside = before >= top_p[:, None]
    outside[:, 0] = False
    return probabilities.scatter(1, order, ordered.masked_fill(outside, 0.0))


def logprobs(logits: Tensor) -> Tensor:
    """Log-probabilities [..., V] at temperature 1: finite, never above 0."""
    return logits.log_softmax(dim=-1).clamp_(min=LOWEST_LOGPROB, max=0.0)


def best_tokens(values: Tensor, counts: list[int]) -> list[tuple[tuple[int, float], ...]]:
    """The `counts[b]` most probable tokens of each row of log-probabilities [B, V], best first."""
    top, ids = values.topk(min(max(counts), values.shape[-1]), dim=-1)
    rows = zip(ids.tolist(), top.tolist(), counts, strict=True)
    return [tuple(zip(row_ids[:count], row_top[:count], strict=True)) for row_ids, row_top, count in rows]
