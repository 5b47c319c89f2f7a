"""An open-weight base in memory, and the adapters of fine-tuned models on it."""

from __future__ import annotations

import inspect
import itertools
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from localtune.infer.open_tokenizer import AnsweringTokenizer
from localtune.infer.request import EngineError
from localtune.openweight.load import (
    BaseUnavailable, base_source, cached_folder, choose_device, context_length, estimate_bytes, is_adapter, load_config,
    load_model, load_tokenizer, local_folder,
)

if TYPE_CHECKING:
    from transformers import Cache, PreTrainedModel

CACHE_NAMES = ("past_key_values", "cache_params")  # by which a model takes its cache; the second is Mamba's

log = logging.getLogger(__name__)


def source_of(folder: Path) -> Path:
    """The model that has to be loaded for a folder: of an adapter its base, else itself."""
    return Path(base_source(folder)) if is_adapter(folder) else folder


def here(source: Path) -> Path:
    """The folder of a source; the hub is asked only for what has never been downloaded."""
    return cached_folder(source) or local_folder(source)


@contextmanager
def told() -> Iterator[None]:
    """What keeps a base from being loaded, as the engine's own error."""
    try:
        yield
    except BaseUnavailable as error:
        raise EngineError(error.message, status=503, code=error.code) from error


def open_tokenizer(folder: Path) -> AnsweringTokenizer:
    """The tokenizer of an open-weight base or of a model fine-tuned from one; raises EngineError."""
    with told():
        inner, ends = load_tokenizer(folder), generation_ends(here(source_of(folder)))
    try:
        return AnsweringTokenizer(inner, ends)
    except ValueError as error:
        raise EngineError(f"The model in {folder.name} cannot answer: {error}.", 503, "unsupported_tokenizer") from error


def generation_ends(folder: Path) -> list[int]:
    """The ids that end a text by a model's `generation_config.json`, if it has one."""
    path = folder / "generation_config.json"
    ends = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id") if path.is_file() else None
    return ends if isinstance(ends, list) else [] if ends is None else [ends]


def open_context(folder: Path) -> int:
    """How many tokens the model reads at most; raises EngineError."""
    with told():
        return context_length(load_config(here(source_of(folder))))


def needed_bytes(source: Path) -> int:
    """Memory that a model's weights will take; raises EngineError."""
    with told():
        return estimate_bytes(here(source), choose_device()[1])


class OpenModel:
    """A causal language model of transformers, in evaluation mode on the best device there is.

    `seconds`: how long loading took. `together`: whether texts of different lengths can be one batch; not where layers
    carry a state instead of keys and values. Raises EngineError when the model cannot be loaded.
    """

    def __init__(self, source: Path) -> None:
        from transformers import DynamicCache
        from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # a service's log is no terminal
        began = time.monotonic()
        self.name = source.name
        self.device, dtype = choose_device()
        with told():
            self.model = load_model(here(source), self.device, dtype)
        self.bytes = sum(weight.numel() * weight.element_size() for weight in self.model.parameters())
        self.vocabulary = self.model.get_input_embeddings().weight.shape[0]
        self.accepted = set(inspect.signature(self.model.forward).parameters)
        self._cache_name = next((name for name in CACHE_NAMES if name in self.accepted), None)
        if self._cache_name is None:
            kind = self.model.config.model_type
            message = f"Models of the type '{kind}' keep no cache from token to token and cannot answer: choose another base."
            raise EngineError(message, 503, "unsupported_architecture")
        layers = DynamicCache(config=self.model.config).layers
        self.together = all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)
        self.adapters: dict[Path, str] = {}
        self._peft = None
        self._active: Path | None = None
        self._names = (f"adapter_{number}" for number in itertools.count())
        self.seconds = time.monotonic() - began
        log.warning("loaded %s on %s in %.1f s, %.2f GB", source.name, self.device, self.seconds, self.bytes / 1e9)

    def new_cache(self) -> Cache:
        """An empty cache. Batches keep all positions, so that rows can be joined; a mask hides those out of a window."""
        from transformers import DynamicCache

        return DynamicCache() if self.together else DynamicCache(config=self.model.config)

    def logits(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: Cache, last: int) -> Tensor:
        """Logits [B, last, V] of the last places of ids [B, T] after what is cached; mask [B, cached + T] is 0 at padding."""
        wanted = {"position_ids": positions, "logits_to_keep": last, "use_cache": True}
        if self.together:  # others are never padded, and Mamba would take the mask of what is cached for this pass's
            wanted["attention_mask"] = mask
        given = {name: value for name, value in wanted.items() if name in self.accepted}
        logits = self.model(input_ids=ids, **{self._cache_name: cache}, **given).logits[:, -last:].float()
        if bool(logits.isnan().any()):
            raise EngineError("the model's weights are not finite numbers; its training diverged")
        return logits.cpu() if self.device.type == "mps" else logits  # sampling counts in float64, which MPS has not

    def rest(self) -> None:
        """Give the memory of finished texts back: a training job may want it."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def attach(self, folder: Path) -> None:
        """Put the adapter of a folder beside those that are there; raises EngineError."""
        if folder in self.adapters:
            return
        from peft import PeftConfig

        name = next(self._names)
        try:
            if PeftConfig.from_pretrained(folder).is_prompt_learning:
                raise ValueError("it lengthens the prompt, which is not served; LoRA and its kin are")
            with torch.inference_mode(False):
                self._put_on(folder, name)
        except Exception as error:  # whatever peft, safetensors and PyTorch say of files that do not fit
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EngineError(
                f"The adapter in {folder.name} cannot be put on its base {self.name}: {reason}", 503, "adapter_unreadable"
            ) from error
        self.adapters[folder] = name

    def _put_on(self, folder: Path, name: str) -> None:
        """Load an adapter; one that does not fit leaves nothing behind."""
        from peft import PeftModel

        if self._peft is not None:
            try:
                self._peft.load_adapter(folder, adapter_name=name)
            except Exception:
                if name in self._peft.peft_config:
                    self._peft.delete_adapter(name)
                raise
            return
        try:
            self._peft = PeftModel.from_pretrained(self.model, folder, adapter_name=name).eval()
            self._active = folder
        except Exception:
            strip(self.model)
            raise

    def detach(self, folder: Path) -> None:
        """Drop an adapter."""
        if name := self.adapters.pop(folder, None):
            self.activate(None)
            if self.adapters:  # peft wants one of those that stay to be the chosen one
                self._peft.set_adapter(next(iter(self.adapters.values())), inference_mode=True)
            self._peft.delete_adapter(name)

    def activate(self, folder: Path | None) -> None:
        """Let an attached adapter take part from now on; None: the base alone."""
        if self._peft is None or folder == self._active:
            return
        if folder is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            if self._active is None:
                self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(self.adapters[folder], inference_mode=True)
        self._active = folder


def strip(model: PreTrainedModel) -> None:
    """Take a failed adapter's layers out of its base."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    for name, module in list(model.named_modules()):
        parent, _, leaf = name.rpartition(".")
        if isinstance(module, BaseTunerLayer):
            setattr(model.get_submodule(parent), leaf, module.get_base_layer())
        elif isinstance(module, AuxiliaryTrainingWrapper):
            setattr(model.get_submodule(parent), leaf, module.original_module)
    if hasattr(model, "peft_config"):
        del model.peft_config
