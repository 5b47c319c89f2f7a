"""What every runner does with its batch, whatever model fills it with logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence as Many

import torch
from torch import Tensor

from localtune.infer import sampling
from localtune.infer.request import Scored, Token
from localtune.infer.sequence import Sequence
from localtune.infer.texts import TextTokenizer
from localtune.infer.waiting import FairQueue

PREFILL_TOKENS = 4096  # read at once, so that running texts do not wait long for new prompts


def next_group(
    waiting: FairQueue, active: list[Sequence], together: Callable[[Sequence, Sequence], bool] = lambda *_: True
) -> list[Sequence]:
    """Waiting sequences whose turn it is, as many as have a slot and are read in one go; all go `together` with the first."""
    group: list[Sequence] = []
    longest = 0
    while sequence := waiting.next(active + group):
        longest = max(longest, sequence.position)
        if group and (longest * (len(group) + 1) > PREFILL_TOKENS or not together(group[0], sequence)):
            break
        waiting.leave(sequence)
        group.append(sequence)
    return group


def advance(sequences: list[Sequence], logits: Tensor, tokenizer: TextTokenizer) -> None:
    """Choose the next token of each sequence from its row of logits [B, V], which are changed, and hand it over."""
    wanted = [row for row, sequence in enumerate(sequences) if sequence.request.top_logprobs is not None]
    values = sampling.logprobs(logits[wanted]) if wanted else None
    ids = choose(sequences, logits)
    tokens = {row: Token(id, "", tokenizer.token_bytes(id)) for row, id in enumerate(ids)}
    if values is not None:
        tops = [sequences[row].request.top_logprobs or 0 for row in wanted]
        scores = scored(values, [ids[row] for row in wanted], tops)
        for row, (logprob, top) in zip(wanted, scores, strict=True):
            tokens[row] = Token(ids[row], "", tokens[row].bytes, logprob, top)
    for row, sequence in enumerate(sequences):
        sequence.accept(tokens[row])


def choose(sequences: list[Sequence], logits: Tensor) -> list[int]:
    """The next token of each sequence."""
    for row, sequence in enumerate(sequences):
        if sequence.bias is not None:
            logits[row] += sequence.bias.to(logits.device)
    temperature = torch.tensor([sequence.request.temperature for sequence in sequences], device=logits.device)
    top_p = torch.tensor([sequence.request.top_p for sequence in sequences], device=logits.device)
    numbers = [sequence.random.random() for sequence in sequences]
    uniform = torch.tensor(numbers, dtype=torch.float64, device=logits.device)
    return sampling.choose(logits, temperature, top_p, uniform).tolist()


def scored(values: Tensor, ids: Many[int], tops: list[int]) -> list[Scored]:
    """Of each row of log-probabilities [B, V] that of its token, and its best alternatives."""
    chosen = values.gather(1, torch.tensor(ids, device=values.device)[:, None]).squeeze(1).tolist()
    return list(zip(chosen, sampling.best_tokens(values, tops), strict=True))
