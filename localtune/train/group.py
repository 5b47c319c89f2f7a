"""Processes that train one job together: each computes its part of a batch, and what they found is summed.

torchrun starts them and tells each its place through the environment. A process without such an environment is a group of
one, for which nothing changes and nothing is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from localtune.train.errors import JobError
from localtune.train.shards import is_shard

T = TypeVar("T")
PATIENCE = timedelta(days=7)  # what hangs, the service's watchdog finds out sooner


class GroupBroken(Exception):
    """Another process of the group is gone. No fault of the job: a fresh group goes on from the last saved state."""


class Group:
    """This process's place among those that train a job. `sum` and `sum_gradients` wait for all of them."""

    def __init__(self, rank: int = 0, size: int = 1, neighbours: int = 1) -> None:
        self.rank, self.size = rank, size
        self.neighbours = neighbours  # processes on this machine, this one included

    @classmethod
    def join(cls) -> Group:
        """The group of torchrun's environment, once all are there: gloo between processors, NCCL between NVIDIA's GPUs.

        Raises JobError when there are fewer GPUs than processes.
        """
        size = int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1
        if size == 1:
            return cls()
        neighbours = int(os.environ["LOCAL_WORLD_SIZE"])
        take_gpu(int(os.environ["LOCAL_RANK"]), neighbours)
        torch.distributed.init_process_group(timeout=PATIENCE)
        return cls(int(os.environ["RANK"]), size, neighbours)

    @property
    def leads(self) -> bool:
        """Whether this process reports and writes for all."""
        return self.rank == 0

    def part(self, items: Sequence[T]) -> Sequence[T]:
        """What of `items` this process computes; nothing, where there are fewer items than processes."""
        return items[self.rank :: self.size]

    def rounds(self, items: Sequence[T]) -> Iterator[tuple[T, bool]]:
        """The parts, one item after the other, and whether that is this process's own: where items have run out, it gets
        another's, because all have to compute as often where a model is spread over them."""
        for first in range(0, len(items), self.size):
            together = items[first : first + self.size]
            own = self.part(together)
            yield (own or together)[0], bool(own)

    def agree(self, wish: bool) -> bool:
        """What the process that leads wishes."""
        return self.sum(self.leads and wish)[0] > 0

    def sum(self, *values: float) -> tuple[float, ...]:
        """Each value's sum over all processes."""
        if self.size == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        add_up(total)
        return tuple(total.tolist())

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make each gradient its sum over all processes; a parameter that was not used counts as zero.

        Those of shards are sums already: FSDP adds them up on the way back.
        """
        changing = [parameter for parameter in parameters if not is_shard(parameter)]
        if self.size == 1 or not changing:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in changing]
        together = parameters_to_vector(gradients)  # one message instead of hundreds
        add_up(together)
        vector_to_parameters(together, gradients)
        for parameter, gradient in zip(changing, gradients):
            parameter.grad = gradient

    def leave(self) -> None:
        """Say good-bye in good order, after the last sum."""
        if self.size > 1:
            torch.distributed.destroy_process_group()


def broken(error: Exception) -> bool:
    """Whether another process is gone. FSDP lets the errors of NCCL and gloo through; the latter's has no type of its own."""
    return isinstance(error, (GroupBroken, torch.distributed.DistError)) or "gloo/transport" in str(error)


def take_gpu(number: int, needed: int) -> None:
    """Make one GPU of this machine this process's own, if it has any."""
    if not torch.cuda.is_available():
        return
    if torch.cuda.device_count() < needed:
        raise JobError("too_few_gpus", (
            f"The service trains with {needed} processes and this machine has {torch.cuda.device_count()} GPU(s): restart it "
            f"with --processes {torch.cuda.device_count()}."
        ))
    torch.cuda.set_device(number)


def add_up(tensor: Tensor) -> None:
    """Replace `tensor` by its sum over the group; raises GroupBroken."""
    try:
        torch.distributed.all_reduce(tensor)
    except RuntimeError as error:
        raise GroupBroken(f"the group of processes broke apart: {error}") from error
