"""An open-weight model under training: which of its parameters change, and in what form the result is kept."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from localtune.jobs.spec import JobSpec
from localtune.openweight.chat import OpenTokenizer
from localtune.openweight.folder import base_source, is_adapter, parameter_count
from localtune.openweight.lean import add_in_place, take_rows
from localtune.openweight.load import (
    ONE_FILE, choose_device, context_length, load_model, load_tokenizer, local_folder, require_memory, with_adapter,
)
from localtune.openweight.shard import shard
from localtune.train.data import Batch
from localtune.train.errors import JobError
from localtune.train.subject import Weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# LoRA (Hu et al. 2021) on every linear layer but the output, as Dettmers et al. 2023 found best; the rank and the scale
# of 2 = alpha / rank are peft's users' usual ones.
RANK, ALPHA, TARGETS = 16, 32, "all-linear"
# What a learning-rate multiplier of 1.0 stands for, usual for wide models. An adapter begins at zero and takes larger steps.
PEAK_RATES = {"lora": 2e-4, "qlora": 2e-4, "full": 2e-5}
SPREAD_BITS = (
    "The adaptation 'qlora' holds the base in four bits, which cannot be spread over processes, as this service does with "
    "--accelerate. Create the job with the adaptation 'lora', or restart the service without --accelerate."
)
WORTHWHILE = 1.1  # places of a padded batch for each of its tokens: above it, rows are laid end to end


class OpenWeight:
    """One open-weight model and how a job changes it; see `Subject`. Raises JobError when that is impossible here."""

    def __init__(self, spec: JobSpec, beat: Callable[[], None]) -> None:
        self.start = local_folder(spec.base, beat)
        # An adapter names its base by folder or hub id, not by the folder that a hub id was downloaded to.
        self.base = base_source(self.start) if is_adapter(self.start) else Path(spec.base).as_posix()
        local_folder(self.base, beat)
        self.rehearsed = None
        self.method, self.peak_rate = spec.adaptation, PEAK_RATES[spec.adaptation]
        self.sharding = spec.sharding
        device, dtype = choose_device()
        if self.sharding and self.sharding.precision:
            dtype = getattr(torch, self.sharding.precision)
        self.tokenizer = OpenTokenizer(load_tokenizer(self.start))
        # To be spread it is loaded beside the device, which may have room for its share alone.
        inner = self.loaded(torch.device("cpu") if self.sharding else device, dtype, spec.seed)
        self.context = context_length(inner.config)
        self.model = LearntLogits(inner, device, dtype)
        self.device, self.precision = device.type, str(dtype).removeprefix("torch.")
        self.trained = described(self.method, inner)
        self.notes = [f"Training on {self.device} in {self.precision}; {self.trained}."]
        if self.sharding:
            self.buffers = buffers(inner)
            self.notes.append(shard(inner, self.sharding, device, dtype))
        self.warnings = [self.tokenizer.warning] if self.tokenizer.warning else []

    def loaded(self, device: torch.device, dtype: torch.dtype, seed: int) -> PreTrainedModel:
        """The model, with a gradient on what is trained."""
        if self.method == "full":
            return fully(self.start, device, stays=self.sharding is None)
        if self.method == "qlora" and self.sharding:
            raise JobError("unsupported_adaptation", SPREAD_BITS)
        options = four_bits(device, dtype) if self.method == "qlora" else {}
        model = load_model(Path(self.base), device, dtype, **options).requires_grad_(False)
        if options:
            from peft import prepare_model_for_kbit_training

            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        if is_adapter(self.start):
            return with_adapter(model, self.start, trainable=True)
        return new_adapter(model, self.base, seed)

    def save(self, weights: Weights, folder: Path) -> None:
        """Write weights, or the adapter alone, with the tokenizer and its chat template."""
        state = self.whole_state(weights) if self.sharding else None  # None: the model's own
        if self.method == "full":
            self.model.inner.save_pretrained(folder, max_shard_size=ONE_FILE, state_dict=state)
        else:
            self.model.inner.save_pretrained(folder, save_embedding_layers=False, state_dict=state)
            (folder / "README.md").unlink(missing_ok=True)  # peft's model card, an empty form
        self.tokenizer.inner.save_pretrained(folder)

    def whole_state(self, weights: Weights) -> dict[str, Tensor]:
        """What is saved, by the inner model's names. That is not asked itself: for one process alone to do so would leave
        the others waiting."""
        return self.buffers | {name.removeprefix("inner."): tensor for name, tensor in weights.items()}


class LearntLogits(nn.Module):
    """A causal language model of transformers, asked for nothing but the logits that are learnt."""

    def __init__(self, inner: PreTrainedModel, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.inner, self.device, self.dtype = inner, device, dtype
        inner.get_output_embeddings().register_forward_pre_hook(self._keep_learnt)
        self.by_rows = take_rows(inner.get_base_model() if hasattr(inner, "get_base_model") else inner)
        add_in_place(inner)
        self.learnt: Tensor | None = None
        # No dropout, as in evaluation: a resumed job must repeat every step to the bit.
        inner.eval()

    def train(self, mode: bool = True) -> LearntLogits:
        return self

    def logits_at(self, batch: Batch) -> Tensor:
        """Float32 logits [N, V]. Padding is on the right, where causal attention needs no mask for it, or left out."""
        if self.by_rows and batch.ids.numel() > WORTHWHILE * len(batch.places):
            given, learnt = end_to_end(batch, self.device), batch.learnt
        else:
            given, learnt = {"input_ids": batch.ids.to(self.device)}, batch.places[batch.learnt]
        self.learnt = learnt.to(self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.inner(**given, use_cache=False).logits[0].float()

    def _keep_learnt(self, _layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        """Hidden states [B, T, H] → [1, N, H]: the output layer is the dearest part, and most positions are prompt."""
        return (inputs[0].flatten(0, 1).index_select(0, self.learnt)[None],)


def end_to_end(batch: Batch, device: torch.device) -> dict[str, Any]:
    """A batch as `take_rows` wants it: ids and positions [1, M] of everything that is no padding."""
    width = batch.ids.shape[1]
    return {
        "input_ids": batch.ids.flatten()[batch.places][None].to(device),
        "position_ids": (batch.places % width)[None].to(device),
        "row_lengths": (batch.places // width).bincount().tolist(),
    }


def buffers(model: PreTrainedModel) -> dict[str, Tensor]:
    """What a model saves that is no parameter."""
    state = model.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in state.items() if not isinstance(tensor, nn.Parameter)}


def fully(start: Path, device: torch.device, stays: bool) -> PreTrainedModel:
    """All weights, in float32: steps at the end of a schedule are too small for sixteen bits.

    What `stays` on the device is trained there.
    """
    if stays:
        require_memory(start, device, torch.float32, trained=parameter_count(start))
    model = load_model(start, device, torch.float32)
    model = model.merge_and_unload() if is_adapter(start) else model
    return model.requires_grad_(True)


def new_adapter(model: PreTrainedModel, source: str, seed: int) -> PreTrainedModel:
    """A fresh LoRA adapter, drawn from the job's seed."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM"
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = get_peft_model(model, settings)
    model.peft_config["default"].base_model_name_or_path = source
    return model


def four_bits(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """transformers' options for a base in four bits (Dettmers et al. 2023); raises JobError where there is no such thing."""
    if device.type != "cuda" or not installed("bitsandbytes"):
        lacking = "there is no NVIDIA GPU" if device.type != "cuda" else "bitsandbytes is not installed"
        raise JobError("unsupported_adaptation", (
            f"The adaptation 'qlora' holds the base in four bits, which needs an NVIDIA GPU and the package bitsandbytes; "
            f"here {lacking}. Create the job with the adaptation 'lora', or "
            f"{'use a machine with such a GPU' if device.type != 'cuda' else 'pip install bitsandbytes and restart'}."
        ))
    from transformers import BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    return {"quantization_config": settings, "device_map": {"": device}}


def installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def described(method: str, model: nn.Module) -> str:
    """What changes, in words and figures."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    changing, whole = sum(n for n, trained in sizes if trained), sum(n for n, _ in sizes)
    how = "full" if method == "full" else f"{method} of rank {RANK}"
    return f"{how}, {changing:,} of {whole:,} parameters change"
