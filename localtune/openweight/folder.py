"""What the folder of a model tells without loading it; imports neither PyTorch nor transformers."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path

ADAPTER = "adapter_config.json"
LONGEST_HEADER = 100_000_000  # bytes; safetensors' own limit
HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.txt", "*.model"]


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds a PEFT adapter, which needs its base beside it."""
    return (folder / ADAPTER).is_file()


def base_source(folder: Path) -> str:
    """What an adapter was trained on: an absolute folder or a hub id."""
    return json.loads((folder / ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"]


def cached_folder(source: Path | str) -> Path | None:
    """The folder of a source (absolute path or hub id) if it is on this machine already."""
    if Path(source).is_absolute():
        return Path(source)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(Path(source).as_posix(), allow_patterns=HUB_FILES, local_files_only=True))
    except Exception:  # whatever keeps it from being found
        return None


def weight_files(folder: Path) -> list[Path]:
    """The files of a model's weights, whole or in parts, or of an adapter's."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [folder / name for name in sorted(set(names))]
    return [path for name in ("model", "adapter_model") if (path := folder / f"{name}.safetensors").is_file()]


@lru_cache(maxsize=256)
def parameter_count(folder: Path) -> int:
    """Number of parameters; raises OSError when the weights are not there, ValueError when they are no safetensors."""
    files = weight_files(folder)
    if not files:
        raise FileNotFoundError(f"{folder} has no model.safetensors")
    return sum(map(parameters_in, files))


def parameters_in(path: Path) -> int:
    """Of one file: its header's length (8 bytes), then the header as JSON. Of any other file no more than that is read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(LONGEST_HEADER, path.stat().st_size - 8):
                raise ValueError("its header would be longer than it can be")
            header = json.loads(file.read(length))
        return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is no safetensors file, or damaged: {error}; copy or download it again") from error
