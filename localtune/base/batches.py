"""Documents → token ids → length-bucketed batches, endless and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

import torch
from torch import Tensor

from localtune.base.corpus.document import Document
from localtune.base.rows import Row
from localtune.model.tokenizer import Tokenizer

POOL = 4_096  # documents sorted by length together, so that a batch holds rows of about one length
PROMPT_SHARE = 0.2  # of a prompt's tokens a random fifth is learnt: worth knowing, but less than the answers
SHORT = 8  # a shorter answer weighs as much as one of so many tokens, or one-word labels would drown in long texts
JOINED = 0.08  # share of documents joined into rows of full length, so that late positions are trained


@dataclass(frozen=True)
class Batch:
    """Token ids [B, T], targets [B, T] shifted by one, and the weights [B, T] of the targets (0 for padding)."""

    ids: Tensor
    targets: Tensor
    weights: Tensor


def encode(document: Document, tokenizer: Tokenizer, context: int, rng: random.Random) -> Row:
    """Ids of one document, ending in the end-of-text token."""
    if document.kind == "chat":
        ids, mask = tokenizer.chat(document.messages)
        ids, mask = [*ids, tokenizer.eot_id], [*mask, 0]
    elif document.kind == "completion":
        ids, mask = tokenizer.completion(document.prompt, document.text)
    elif document.kind == "turns":
        ids, mask = in_turns(document.turns, tokenizer)
    else:
        ids = [*tokenizer.encode(document.text), tokenizer.eot_id]
        mask = [1] * len(ids)
    share = 0.0 if document.answers_only else PROMPT_SHARE
    return Row(ids[:context], list(weigh(mask[:context], rng, share)))


def in_turns(turns: Iterable[tuple[str, str]], tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Ids and loss mask (1 on the answers) of pairs in a row."""
    ids: list[int] = []
    mask: list[int] = []
    for shown, answered in turns:
        for text, learnt in ((shown, 0), (answered, 1)):
            part = tokenizer.encode(text)
            ids, mask = ids + part, mask + [learnt] * len(part)
    return [*ids, tokenizer.eot_id], [*mask, 0]


def weigh(mask: list[int], rng: random.Random, prompt_share: float = PROMPT_SHARE) -> Iterator[float]:
    """Weights of a row's tokens: 1, more in a short answer; a prompt's tokens are learnt at random."""
    for learnt, run in groupby(mask):
        size = len(list(run))
        for _ in range(size):
            yield max(1.0, SHORT / size) if learnt else float(rng.random() < prompt_share)


def join(rows: Iterable[Row], context: int) -> Iterator[Row]:
    """Concatenate rows into rows of exactly `context` tokens; a rest is dropped."""
    ids: list[int] = []
    weights: list[float] = []
    for row in rows:
        ids, weights = ids + row.ids, weights + row.weights
        if len(ids) >= context:
            yield Row(ids[:context], weights[:context])
            ids, weights = [], []


def collate(rows: list[Row], pad: int) -> Batch:
    """Right-padded tensors of some rows."""
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad)
    weights = torch.zeros(len(rows), length)
    for n, row in enumerate(rows):
        ids[n, : len(row.ids)] = torch.tensor(row.ids)
        weights[n, : len(row.ids)] = torch.tensor(row.weights)
    return Batch(ids[:, :-1], ids[:, 1:], weights[:, 1:])


def cut(rows: list[Row], tokens: int) -> Iterator[list[Row]]:
    """Split rows of rising length into groups of at most `tokens` padded tokens."""
    group: list[Row] = []
    for row in rows:
        if group and len(row.ids) * (len(group) + 1) > tokens:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def batches(
    documents: Iterator[Document], tokenizer: Tokenizer, context: int, tokens: int, rng: random.Random
) -> Iterator[Batch]:
    """Endless batches of about `tokens` tokens each, in random order within a pool of documents."""
    while pool := [encode(document, tokenizer, context, rng) for document in islice(documents, POOL)]:
        joined = int(len(pool) * JOINED)
        rows = [*pool[joined:], *join(pool[:joined], context)]
        groups = list(cut(sorted((row for row in rows if len(row.ids) > 1), key=lambda row: len(row.ids)), tokens))
        rng.shuffle(groups)
        yield from (collate(group, tokenizer.eot_id) for group in groups)
