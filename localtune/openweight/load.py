"""A folder or a hub id → a model in memory; everything that can be missing is told with its cure.

Only weights in safetensors are read and no code of a repository is ever executed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import psutil
import torch

from localtune.model.llama import LlamaConfig
from localtune.openweight.folder import HUB_FILES, base_source, cached_folder, is_adapter, parameter_count
from localtune.train.errors import JobError

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CONTEXT_FIELDS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
DEFAULT_CONTEXT = 2_048  # tokens, of a model whose configuration names no limit
TRAINING_BYTES = 12  # beside a trained weight: its gradient and both of Adam's moments, each in float32
HEADROOM = 1.1  # buffers beside the weights
GIB = 2**30
ONE_FILE = "1000GB"  # of weights, when saving: a folder has one file of them
IMPORTING = threading.Lock()
OFFLINE = {"local_files_only": True, "trust_remote_code": False}  # left open, transformers would ask on a terminal


class BaseUnavailable(JobError):
    """Why a model cannot be loaded, and what to do about it: `code` and `message`, as a job or an answer shows them."""

    @property
    def message(self) -> str:
        return str(self)


def is_open_weight(folder: Path) -> bool:
    """Whether transformers has to load this. The project's own small models have a `config.json` only they have."""
    if not folder.is_absolute() or is_adapter(folder):
        return True
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return config != json.loads(LlamaConfig.from_folder(folder).to_json())
    except (OSError, ValueError, TypeError):
        return False


def auto_classes() -> ModuleType:
    """transformers, with its Auto classes there. It imports them at first use, and fails when two threads are the first."""
    with IMPORTING:
        import transformers
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer  # noqa: F401
    return transformers


def load_model(folder: Path, device: torch.device | str, dtype: torch.dtype, **options: Any) -> PreTrainedModel:
    """A base, a fully tuned model, or an adapter put on its base (then a `PeftModel`), in evaluation mode on `device`.

    `folder` is absolute, or a hub id written as a path; `options` go to transformers. Raises BaseUnavailable.
    """
    found = local_folder(folder)
    source = local_folder(base_source(found)) if is_adapter(found) else found
    config = load_config(source)
    if "quantization_config" not in options:  # four bits a weight: nobody trains so for want of a little memory
        require_memory(source, device, dtype)
    try:
        model = auto_classes().AutoModelForCausalLM.from_pretrained(
            source, config=config, dtype=dtype, use_safetensors=True, **OFFLINE, **options
        )
    except torch.OutOfMemoryError:
        raise  # has its own words wherever it happens
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise unreadable(source, error) from error
    if found != source:
        model = with_adapter(model, found)
    return (model if "quantization_config" in options else model.to(device)).eval()


def with_adapter(model: PreTrainedModel, folder: Path, trainable: bool = False) -> PreTrainedModel:
    """The model with the adapter of `folder` on it."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
    except (OSError, ValueError, RuntimeError) as error:
        raise unreadable(folder, error) from error


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a base or of a fine-tuned model; an adapter's folder may leave it to its base.

    Raises BaseUnavailable, also for the rare tokenizer that cannot tell which characters a token covers.
    """
    found = local_folder(folder)
    if is_adapter(found) and not (found / "tokenizer_config.json").is_file():
        found = local_folder(base_source(found))
    try:
        tokenizer = auto_classes().AutoTokenizer.from_pretrained(found, **OFFLINE)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise unreadable(found, error, "tokenizer") from error
    if not tokenizer.is_fast:
        raise BaseUnavailable(
            "unsupported_tokenizer",
            f"The tokenizer in {found} has no tokenizer.json, which the loss mask needs. Convert it once with transformers "
            "(AutoTokenizer.from_pretrained, save_pretrained), or choose another base.",
        )
    return tokenizer


def load_config(folder: Path) -> PretrainedConfig:
    """The configuration; raises BaseUnavailable for an architecture that transformers does not know as a causal LM."""
    transformers = auto_classes()
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", "(none)")
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error
    known = kind in CONFIG_MAPPING and CONFIG_MAPPING[kind] in transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    if not known:
        raise BaseUnavailable(
            "unknown_architecture",
            f"The model in {folder} is of the type '{kind}', which the installed transformers cannot load as a causal "
            "language model; code that comes with a model is never executed. Choose a base of another type, or install a "
            "transformers that knows it.",
        )
    return transformers.AutoConfig.from_pretrained(folder, **OFFLINE)


def context_length(config: PretrainedConfig) -> int:
    """How many tokens the model can read at once."""
    text = config.get_text_config()
    lengths = (getattr(text, name, None) for name in CONTEXT_FIELDS)
    return next((length for length in lengths if isinstance(length, int) and length > 0), DEFAULT_CONTEXT)


def choose_device() -> tuple[torch.device, torch.dtype]:
    """Where models run and in what precision their weights are held.

    bfloat16 halves the memory and is fast on the cards that have it. Processors without it are many times slower in it,
    and Apple's are not faster, so these stay with float32.
    """
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float32
    if torch.backends.mps.is_available():
        return torch.device("mps"), torch.float32
    return torch.device("cpu"), torch.float32


def estimate_bytes(folder: Path, dtype: torch.dtype, trained: int = 0) -> int:
    """Memory that is certainly needed, from the headers of the weights alone.

    Every parameter in `dtype`, and for `trained` ones what training keeps. Activations come on top: they depend on the
    examples, and a smaller batch_size makes them fit. Raises BaseUnavailable.
    """
    try:
        count = parameter_count(folder)
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error
    return int(HEADROOM * (count * dtype.itemsize + trained * TRAINING_BYTES))


def free_bytes(device: torch.device | str) -> int:
    """Memory that is free where the model would be."""
    kind = torch.device(device).type
    return torch.cuda.mem_get_info()[0] if kind == "cuda" else psutil.virtual_memory().available


def require_memory(folder: Path, device: torch.device | str, dtype: torch.dtype, trained: int = 0) -> None:
    """Raises BaseUnavailable before anything is loaded that cannot fit."""
    needed, free = estimate_bytes(folder, dtype, trained), free_bytes(device)
    if needed > free:
        raise BaseUnavailable(
            "insufficient_memory",
            f"The model in {folder.name} needs about {needed / GIB:.1f} GiB of memory and {free / GIB:.1f} GiB are free. "
            f"Choose a smaller base{', train an adapter (lora) instead of all of it' if trained else ''}, or close other "
            "programs.",
        )


# The hub


def local_folder(source: Path | str, beat: Callable[[], None] = lambda: None) -> Path:
    """The folder of a source: an absolute path as it is, a hub id downloaded once (`beat` at every piece).

    HF_TOKEN and HF_HOME mean what they mean to huggingface_hub, which alone reads them. Raises BaseUnavailable.
    """
    if (found := cached_folder(source)) is not None:
        return found
    from huggingface_hub import snapshot_download

    name = Path(source).as_posix()
    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES, tqdm_class=progress(beat)))
    except Exception as error:
        raise unreachable(name, error) from error


def progress(beat: Callable[[], None]) -> type:
    """A progress bar of huggingface_hub that calls `beat` as it moves."""
    from huggingface_hub.utils import tqdm

    class Beating(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            beat()
            return super().update(n)

    return Beating


def unreachable(name: str, error: Exception) -> BaseUnavailable:
    """What a failed download means. Replies of the hub are not repeated: they can hold what belongs to an account."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    status = error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else None
    if isinstance(error, GatedRepoError) or status == 403:
        return BaseUnavailable("base_gated", (
            f"The hub lets only accepted accounts download '{name}'. Accept its terms at https://huggingface.co/{name}, "
            "then restart the service with HF_TOKEN set to a token of that account."
        ))
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        return BaseUnavailable("base_not_found", (
            f"The hub has no model '{name}' for this account. Check the name after --base NAME=; a private one needs "
            "HF_TOKEN in the service's environment."
        ))
    return BaseUnavailable("base_not_downloaded", (
        f"'{name}' is not on this machine and could not be downloaded ({type(error).__name__}). Check the network (and "
        "HF_HUB_OFFLINE), or download it elsewhere and give its folder: --base NAME=FOLDER."
    ))


def unreadable(folder: Path, error: Exception, what: str = "model") -> BaseUnavailable:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return BaseUnavailable("base_unreadable", (
        f"The {what} in {folder} cannot be loaded: {reason}. The folder must hold config.json, weights in safetensors "
        "and a tokenizer, as save_pretrained writes them."
    ))
