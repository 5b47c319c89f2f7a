"""A fine-tuned model as a folder of its own, for any program that reads Hugging Face's layout."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from localtune.openweight.folder import base_source, is_adapter
from localtune.train.durable import write_folder


def export(folder: Path, target: Path, merge: bool = False) -> str:
    """Write the model of `folder` to the new folder `target`, complete or not at all; says in words what was written.

    An adapter stays one, with the name of its base in it, unless `merge` makes whole weights of both. Raises
    FileExistsError rather than overwrite anything, BaseUnavailable when a base that is needed cannot be loaded.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target} exists already and is not empty; nothing was written. Choose a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rmdir()
    if not is_adapter(folder):
        write_folder(target, partial(copy_files, folder))
        return "full weights"
    if not merge:
        write_folder(target, partial(copy_files, folder))
        return f"an adapter on {base_source(folder)}"
    write_folder(target, partial(write_merged, folder))
    return f"full weights, the adapter merged into {base_source(folder)}"


def copy_files(folder: Path, target: Path) -> None:
    for path in folder.iterdir():
        shutil.copyfile(path, target / path.name)


def write_merged(folder: Path, target: Path) -> None:
    """The base's weights with the adapter's product added, in the base's precision here."""
    from localtune.openweight.load import ONE_FILE, choose_device, load_model, load_tokenizer  # and with it PyTorch

    _, dtype = choose_device()
    model = load_model(folder, "cpu", dtype).merge_and_unload()
    model.save_pretrained(target, max_shard_size=ONE_FILE)
    load_tokenizer(folder).save_pretrained(target)
