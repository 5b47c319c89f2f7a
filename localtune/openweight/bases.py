"""Which open-weight bases a service offers: names, where they come from, and what is wrong with them before it starts."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from localtune.openweight.folder import parameter_count, weight_files

FILE = "bases.json"  # in the state folder: {"NAME": "FOLDER_OR_HUB_ID"}
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
# Names travel in URL paths, and between the colons of `ft:NAME:org:suffix:id`.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_bases(state: Path, options: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Name → absolute folder or hub id, of `bases.json` and of every `--base NAME=SOURCE`, which wins.

    `taken` are names that mean something else already. Raises ValueError naming place and cure.
    """
    bases = {name: (source, f"{state / FILE}: ") for name, source in stored(state / FILE).items()}
    given: set[str] = set()
    for option in options:
        name, equals, source = option.partition("=")
        if not (name and equals and source):
            raise ValueError(f"--base {option}: write it as --base NAME=FOLDER or --base NAME=ORG/MODEL")
        if name in given:
            raise ValueError(f"--base {name}: given twice")
        given.add(name)
        bases[name] = (source, "--base ")
    return {name: checked(name, source, place, taken, state) for name, (source, place) in bases.items()}


def stored(path: Path) -> Mapping[str, str]:
    try:
        bases = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}): mend or remove it") from error
    if not isinstance(bases, dict) or not all(isinstance(source, str) for source in bases.values()):
        raise ValueError(f'{path} must hold one object: {{"NAME": "FOLDER_OR_HUB_ID"}}')
    return bases


def checked(name: str, source: str, place: str, taken: Collection[str], state: Path) -> str:
    """The source, a folder made absolute. A folder is looked at; a hub id is only asked for once it is needed."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{place}{name}: a base's name is made of 1 to 64 letters, digits, dots, dashes and underscores")
    if name in taken:
        raise ValueError(f"{place}{name}: this name is one of the built-in models; choose another")
    folder = Path(source).expanduser()
    if folder.is_dir():
        check_folder(f"{place}{name}", folder.resolve())
        return str(folder.resolve())
    if folder.is_absolute() or not HUB_ID.fullmatch(source):
        raise ValueError(f"{place}{name}: there is no folder {source}, and a hub id has the form ORG/MODEL")
    return source


def check_folder(place: str, folder: Path) -> None:
    """Raises ValueError when something that every model needs is not there."""
    if not (folder / "config.json").is_file():
        raise ValueError(f"{place}: {folder} has no config.json; give the folder that save_pretrained or a download made")
    missing = [path for path in weight_files(folder) if not path.is_file()]
    if missing or not weight_files(folder):
        names = ", ".join(path.name for path in missing) or "model.safetensors"
        raise ValueError(
            f"{place}: {folder} lacks {names}; weights are read in safetensors only (save_pretrained writes them)"
        )
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        raise ValueError(f"{place}: {folder} has no tokenizer; save it there with tokenizer.save_pretrained")
    parameter_count(folder)  # looks at the weights' headers
