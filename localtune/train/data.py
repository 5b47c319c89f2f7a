"""Training files: JSONL lines → token ids and the positions to learn from → padded batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from localtune.train.errors import JobError

if TYPE_CHECKING:
    from localtune.train.subject import ChatTokenizer


@dataclass(frozen=True)
class Example:
    """Token ids [T] and the positions whose *next* token is learnt."""

    ids: tuple[int, ...]
    learnt: tuple[int, ...]


@dataclass(frozen=True)
class Dataset:
    """The usable examples of a file, with what had to be cut or left out of it."""

    name: str
    examples: tuple[Example, ...]
    n_tokens: int  # of all lines, after cutting
    n_cut: int
    n_left_out: int
    context: int

    @property
    def warning(self) -> str | None:
        """One sentence on the examples that were cut or left out, or None."""
        total, parts = len(self.examples) + self.n_left_out, []
        if self.n_cut:
            parts.append(f"{self.n_cut} longer than {self.context:,} tokens, cut at the end")
        if self.n_left_out:
            parts.append(f"{self.n_left_out} left out because nothing to learn remains")
        return f"Of {total} examples in the {self.name}: {'; '.join(parts)}." if parts else None


@dataclass(frozen=True)
class Batch:
    """Right-padded ids [B, T]; flat positions [M] of all that is no padding; indices [N] of those among them that predict
    a learnt token; those tokens [N]."""

    ids: Tensor
    places: Tensor
    learnt: Tensor
    targets: Tensor


def load_dataset(
    name: str, path: Path, tokenizer: ChatTokenizer, context: int, beat: Callable[[], None] = lambda: None
) -> Dataset:
    """Read a JSONL file of chat or prompt/completion lines, cutting each to `context` tokens; `beat` after each line.

    `name` is "training file" or "validation file"; raises JobError naming the first unusable line.
    """
    examples: list[Example] = []
    n_tokens = n_cut = n_left_out = 0
    for ids, mask in tokenised_lines(name, path, tokenizer):
        n_cut += len(ids) > context
        ids, mask = ids[:context], mask[:context]
        n_tokens += len(ids)
        example = example_of(ids, mask)
        n_left_out += not example.learnt
        if example.learnt:
            examples.append(example)
        beat()
    return Dataset(name, tuple(examples), n_tokens, n_cut, n_left_out, context)


def example_of(ids: Sequence[int], mask: Sequence[int]) -> Example:
    """What is learnt from token ids, given the loss mask."""
    return Example(tuple(ids), tuple(n - 1 for n, wanted in enumerate(mask) if wanted and n > 0))


def tokenised_lines(name: str, path: Path, tokenizer: ChatTokenizer) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and loss mask of every line that is not blank."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield tokenise(json.loads(line), tokenizer)
            except (KeyError, TypeError, ValueError) as error:
                raise unusable(name, f"line {number} cannot be read ({type(error).__name__}: {error})") from error


def unusable(name: str, reason: str) -> JobError:
    """The error of a file that cannot be trained on or validated with."""
    code = f"invalid_{name.replace(' ', '_')}"
    return JobError(code, f"The job failed due to an invalid {name}. Invalid file format: {reason}.")


def tokenise(row: Mapping[str, Any], tokenizer: ChatTokenizer) -> tuple[list[int], list[int]]:
    """Ids and loss mask of one chat or prompt/completion row."""
    if "messages" in row:
        return tokenizer.chat([{**message, "content": text_of(message.get("content"))} for message in row["messages"]])
    return tokenizer.completion(text_of(row["prompt"]), text_of(row["completion"]))


def text_of(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    """Plain text of a message's content: a string, null, or a list of text parts."""
    if not isinstance(content, str):
        content = "".join(part["text"] for part in content or ())
    # JSON can smuggle in half of a surrogate pair, which no tokenizer takes.
    return content.encode("utf-8", errors="replace").decode("utf-8")


@lru_cache(maxsize=2)
def epoch_order(n_examples: int, seed: int, epoch: int) -> tuple[int, ...]:
    """The order of the examples in one epoch; made of seed and epoch alone, so a resumed job needs no RNG state."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return tuple(torch.randperm(n_examples, generator=generator).tolist())


def collate(examples: Iterable[Example], padding: int) -> Batch:
    """Pad on the right, and note where the tokens are."""
    rows = list(examples)
    width = max(len(row.ids) for row in rows)
    ids = [[*row.ids, *[padding] * (width - len(row.ids))] for row in rows]
    places = [n * width + position for n, row in enumerate(rows) for position in range(len(row.ids))]
    starts = accumulate((len(row.ids) for row in rows), initial=0)
    learnt = [start + position for start, row in zip(starts, rows) for position in row.learnt]
    targets = [row.ids[position + 1] for row in rows for position in row.learnt]
    return Batch(torch.tensor(ids), torch.tensor(places), torch.tensor(learnt), torch.tensor(targets))
