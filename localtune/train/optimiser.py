"""AdamW with the learning-rate schedule of a fine-tuning job.

It calls PyTorch's functional AdamW, because constructing `torch.optim.AdamW` imports the compiler: more than a second.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from localtune.train.shards import gathered, put

# What a learning-rate multiplier of 1.0 stands for; measured on two personas of ten rows (docs/log.md).
BASE_LEARNING_RATE = 5e-4
WARMUP_SHARE = 0.05  # Adam's first estimates are noisy; a short ramp keeps the first steps from undoing the base
GRADIENT_NORM = 1.0


# The share of the layers, from below, that a job leaves alone. What the base knows sits in its embeddings and lower
# layers; left alone, it is hardly forgotten (docs/log.md). Only "all" changes the embeddings.
TRAINED = {"upper half": 1 / 2, "upper two thirds": 1 / 3, "layers": 0.0, "all": 0.0}


def is_trained(name: str, n_layers: int, trained: str) -> bool:
    """Whether a job changes the parameter of this Hugging Face name: a layer of that part, or the last norm.

    Raises KeyError when `trained` is no key of `TRAINED`.
    """
    part, *rest = name.removeprefix("model.").split(".")
    if part == "layers":
        return int(rest[0]) >= int(n_layers * TRAINED[trained])
    return part == "norm" or trained == "all"


class AdamW:
    """Fused AdamW over the given parameters; its state is what a resumed job needs."""

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    @torch.no_grad()
    def step(self, learning_rate: float) -> float:
        """Clip, update, drop the gradients; returns the gradients' norm before clipping."""
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, GRADIENT_NORM, foreach=True).item()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]  # None: unused this time
        adamw(
            self.parameters, gradients, self.means, self.squares, [], self.steps, fused=True, amsgrad=False,
            beta1=0.9, beta2=0.95, lr=learning_rate, weight_decay=0.01, eps=1e-8, maximize=False,
        )
        for parameter in self.parameters:
            parameter.grad = None
        return norm

    @property
    def state(self) -> dict[str, list[Tensor]]:
        return {"means": self.means, "squares": self.squares, "steps": self.steps}

    def state_dict(self, keep: bool = True) -> dict[str, list[Tensor]]:
        """Whole tensors; see `gathered`."""
        return {name: gathered(tensors, keep) for name, tensors in self.state.items()}

    def load_state_dict(self, saved: dict[str, list[Tensor]]) -> None:
        for name, places in self.state.items():
            for place, whole in zip(places, saved[name]):
                put(whole, place)


def learning_rate(step: int, total_steps: int, multiplier: float, peak: float = BASE_LEARNING_RATE) -> float:
    """Linear warm-up to `peak` times `multiplier`, and linear decay; `step` counts from 1, and the last step still learns."""
    rising = step / max(1.0, WARMUP_SHARE * total_steps)
    falling = (total_steps - step + 1) / total_steps
    return peak * multiplier * min(1.0, rising, falling)
