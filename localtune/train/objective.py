"""What a job minimises and reports: loss and token accuracy over the learnt positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from localtune.train.data import Batch, Example, collate
from localtune.train.group import Group
from localtune.train.subject import Trainable

EVALUATION_TOKENS = 8_192  # padded tokens per evaluation batch: bounds memory, whatever the examples' lengths


def loss_and_hits(model: Trainable, batch: Batch) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy in nats over the learnt tokens, and how many of them are the model's first choice."""
    logits = model.logits_at(batch)
    targets = batch.targets.to(logits.device)
    hits = (logits.detach().argmax(-1) == targets).sum()
    return F.cross_entropy(logits, targets), hits


@torch.no_grad()
def evaluate(
    model: Trainable, examples: Sequence[Example], padding: int, group: Group = Group(),
    beat: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """Mean loss in nats and token accuracy over all learnt tokens of `examples`; `beat` after each batch."""
    model.eval()
    loss_sum = hit_sum = count = 0.0
    for batch, counts in group.rounds(evaluation_batches(examples, padding)):
        loss, hits = loss_and_hits(model, batch)
        if counts:
            loss_sum += loss.item() * len(batch.targets)
            hit_sum += hits.item()
            count += len(batch.targets)
        beat()
    model.train()
    loss_sum, hit_sum, count = group.sum(loss_sum, hit_sum, count)
    return loss_sum / count, hit_sum / count


def evaluation_batches(examples: Sequence[Example], padding: int) -> list[Batch]:
    """Batches of examples of like length, so that little is computed on padding."""
    groups: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda example: len(example.ids)):
        if groups[-1] and (len(groups[-1]) + 1) * len(example.ids) > EVALUATION_TOKENS:
            groups.append([])
        groups[-1].append(example)
    return [collate(group, padding) for group in groups]
