"""The frozen description of one training run: the only thing a worker process gets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

ADAPTATION = "adaptation"  # the key of a job's metadata that says how an open-weight model is changed
ADAPTATIONS = ("lora", "full", "qlora")  # the first unless the metadata say otherwise


@dataclass(frozen=True)
class Sharding:
    """How the weights of an open-weight model are spread over the processes that train it (FSDP)."""

    processes: int  # how many the file asks for
    precision: str | None  # PyTorch's name of that to compute in; None: the device's own
    layers: list[str] | None  # classes of the modules that are gathered one at a time; None: those that the model names
    reshard: bool  # whether gathered weights are dropped between the ways forwards and back
    offload: bool  # whether weights and moments wait in the machine's own memory
    recompute: bool  # whether activations are computed again on the way back instead of being kept
    zero_stage: int | None = None  # of DeepSpeed, where the file speaks of that


@dataclass(frozen=True)
class JobSpec:
    """One attempt at a job. Paths are absolute strings, so that the file means the same to every process."""

    job_id: str
    attempt: int
    base: str  # folder of the starting model, base or fine-tuned; or the hub id of an open-weight base
    training_file: str  # JSONL
    validation_file: str | None
    output: str  # folder of this job; the worker writes here alone
    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    seed: int
    threads: int
    trained: str = "upper half"  # what of the small base changes: a key of `train.optimiser.TRAINED`
    rehearse: bool = True  # whether the small base learns rows of its own corpus beside the job's
    adaptation: str | None = None  # of an open-weight model: one of `ADAPTATIONS`; None: the small base
    sharding: Sharding | None = None  # of an open-weight model; None: every process holds all of it

    def save(self, path: Path) -> None:
        """Write as JSON (UTF-8)."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> JobSpec:
        """Read what `save` wrote; raises TypeError when a field is missing or unknown."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        sharding = fields.pop("sharding", None)
        return cls(**fields, sharding=Sharding(**sharding) if sharding else None)
