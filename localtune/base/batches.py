"""Documents → token ids → length-bucketed batches, endless and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from localtune.base.corpus.document import Document
from localtune.model.tokenizer import Tokenizer

POOL = 4_096  # documents sorted by length together, so that a batch holds rows of about one length
PROMPT_SHARE = 0.2  # of a prompt's tokens a random fifth is learnt: worth knowing, but less than the answers
JOINED = 0.08  # share of documents joined into rows of full length, so that late positions are trained


@dataclass(frozen=True)
class Row:
    """One training row: token ids, and which of them are learnt."""

    ids: list[int]
    learnt: list[bool]


@dataclass(frozen=True)
class Batch:
    """Token ids [B, T], targets [B, T] shifted by one, and which targets [B, T] are learnt (never padding)."""

    ids: Tensor
    targets: Tensor
    learnt: Tensor


def encode(document: Document, tokenizer: Tokenizer, context: int, rng: random.Random) -> Row:
    """Ids of one document, ending in the end-of-text token."""
    if document.kind == "chat":
        ids, mask = tokenizer.chat(document.messages)
        ids, mask = [*ids, tokenizer.eot_id], [*mask, 0]
    elif document.kind == "completion":
        ids, mask = tokenizer.completion(document.prompt, document.text)
    else:
        ids = [*tokenizer.encode(document.text), tokenizer.eot_id]
        mask = [1] * len(ids)
    return Row(ids[:context], [bool(learnt) or rng.random() < PROMPT_SHARE for learnt in mask[:context]])


def join(rows: Iterable[Row], context: int) -> Iterator[Row]:
    """Concatenate rows into rows of exactly `context` tokens; a rest is dropped."""
    ids: list[int] = []
    learnt: list[bool] = []
    for row in rows:
        ids, learnt = ids + row.ids, learnt + row.learnt
        if len(ids) >= context:
            yield Row(ids[:context], learnt[:context])
            ids, learnt = [], []


def collate(rows: list[Row], pad: int) -> Batch:
    """Right-padded tensors of some rows."""
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad)
    learnt = torch.zeros(len(rows), length, dtype=torch.bool)
    for n, row in enumerate(rows):
        ids[n, : len(row.ids)] = torch.tensor(row.ids)
        learnt[n, : len(row.ids)] = torch.tensor(row.learnt)
    return Batch(ids[:, :-1], ids[:, 1:], learnt[:, 1:])


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
