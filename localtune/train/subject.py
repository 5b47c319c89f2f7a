"""What a job trains, as the loop sees it: the small base here, open-weight models in `localtune.openweight`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from localtune.config import REHEARSAL
from localtune.jobs.spec import JobSpec
from localtune.model.llama import Llama, load_llama, save_llama
from localtune.model.tokenizer import Tokenizer
from localtune.train.data import Batch
from localtune.train.optimiser import BASE_LEARNING_RATE, is_trained

Weights = Mapping[str, Tensor]  # of what is trained, whole, by the model's names
Masked = tuple[list[int], list[int]]  # token ids and, for each, whether it is learnt


class ChatTokenizer(Protocol):
    eot_id: int  # also the padding

    def chat(self, messages: Iterable[Mapping[str, Any]]) -> Masked: ...
    def completion(self, prompt: str, completion: str) -> Masked: ...


class Trainable(Protocol):
    """A `torch.nn.Module` of which the parameters that require a gradient are trained."""

    def logits_at(self, batch: Batch) -> Tensor:
        """Logits [N, V] at the learnt positions of a batch."""

    def train(self, mode: bool = True) -> Trainable: ...
    def eval(self) -> Trainable: ...


class Subject(Protocol):
    model: Trainable
    tokenizer: ChatTokenizer
    context: int  # tokens; longer examples are cut
    peak_rate: float  # learning rate that a multiplier of 1.0 stands for
    device: str
    precision: str
    trained: str  # what of the model changes
    rehearsed: Path | None  # rows of what it has read before, learnt beside a job's own
    notes: list[str]  # of which the job's owner should know
    warnings: list[str]

    def save(self, weights: Weights, folder: Path) -> None:
        """Write a folder that transformers or peft loads; `weights` are this model's."""


def subject_of(spec: JobSpec, beat: Callable[[], None]) -> Subject:
    """The model a specification names, ready for training; raises JobError when it cannot be had."""
    if spec.adaptation is None:
        return SmallBase(spec)
    from localtune.openweight.adapt import OpenWeight  # imports transformers: as long as a small job takes

    return OpenWeight(spec, beat)


class SmallBase:
    """The embedded base, or a model made from it."""

    device, precision, peak_rate = "cpu", "float32", BASE_LEARNING_RATE

    def __init__(self, spec: JobSpec) -> None:
        self.folder, self.trained = Path(spec.base), spec.trained
        self.rehearsed = REHEARSAL if spec.rehearse else None
        self.tokenizer = Tokenizer.from_folder(self.folder)
        self.model: Llama = load_llama(self.folder).train()
        self.context = self.model.config.max_position_embeddings
        self.notes, self.warnings = [], []
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(is_trained(name, self.model.config.num_hidden_layers, spec.trained))

    def save(self, _weights: Weights, folder: Path) -> None:
        save_llama(self.model, folder, tokenizer_from=self.folder)
