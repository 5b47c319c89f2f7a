"""Which models there are: the aliases of the local bases, and each project's own fine-tuned ones."""

from __future__ import annotations

import csv
import json
import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from localtune.api.errors import APIError
from localtune.config import DATA
from localtune.ids import base_of
from localtune.store import Store

OWNER_OF_BASES = "localtune"


@dataclass(frozen=True)
class Alias:
    """A row of `data/models.csv` as far as the service needs it."""

    name: str
    base: str  # local base that answers under this name
    fine_tunable: bool
    shutdown_date: str | None = None  # "YYYY-MM-DD": when the provider stops answering under this name


@dataclass(frozen=True)
class Model:
    """Something that answers: `base` is the local base it is or was made from, `parameters` their number."""

    name: str
    folder: Path
    base: str
    parameters: int
    created: int  # Unix seconds
    owned_by: str
    shutdown_date: str | None  # of the provider's model whose name this is; the local one goes on answering


class Catalog:
    """Names → models. Raises APIError 404 for names a project cannot see, 503 when a base is not installed."""

    def __init__(self, store: Store, state: Path, bases: Path) -> None:
        self.store, self.state, self.bases = store, state, bases
        self.aliases = read_aliases(DATA / "models.csv")

    def resolve(self, project: str, name: str) -> Model:
        """The model that answers under `name` in this project."""
        if name in self.aliases:
            return self._base(self.aliases[name])
        row = self.store.models.visible(project, name)
        if row is None:
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise APIError(404, message, code="model_not_found")
        return self._fine_tuned(row)

    def fine_tunable(self, project: str, name: str) -> Model:
        """The model as a starting point of a job; APIError 400 when it is none."""
        alias = self.aliases.get(name)
        if alias is None and self.store.models.find(project, name) is None or alias and not alias.fine_tunable:
            message = f"Model {name} is not available for fine-tuning or does not exist."
            raise APIError(400, message, code="model_not_available")
        return self.resolve(project, name)

    def list(self, project: str) -> list[Model]:
        """Bases, then the project's own models, oldest first."""
        bases = [self._base(alias) for alias in self.aliases.values()]
        return bases + [self._fine_tuned(row) for row in self.store.models.list(project)]

    def installed(self) -> dict[str, int]:
        """Number of parameters of every base that is there."""
        names = {alias.base for alias in self.aliases.values()}
        return {name: parameter_count(self.bases / name) for name in sorted(names) if has_weights(self.bases / name)}

    def _base(self, alias: Alias) -> Model:
        folder = self.bases / alias.base
        if not has_weights(folder):
            message = f"The base model '{alias.base}' is not installed: {folder} has no model.safetensors."
            raise APIError(503, message, type="server_error", headers={"x-should-retry": "false"})
        created = int((folder / "model.safetensors").stat().st_mtime)
        return Model(alias.name, folder, alias.base, parameter_count(folder), created, OWNER_OF_BASES, alias.shutdown_date)

    def _fine_tuned(self, row: dict) -> Model:
        folder = self.state / row["folder"]
        owner = self.store.keys.organisation(row["project"])
        alias = self.aliases[base_of(row["name"])]
        parameters = parameter_count(folder)
        return Model(row["name"], folder, alias.base, parameters, row["created_at"], owner, alias.shutdown_date)


def read_aliases(path: Path) -> dict[str, Alias]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Alias(row["id"], row["local_base"], row["fine_tunable"] == "yes", row["shutdown_date"] or None)
            for row in csv.DictReader(file)
        ]
    return {alias.name: alias for alias in rows}


def has_weights(folder: Path) -> bool:
    return (folder / "model.safetensors").is_file()


@lru_cache(maxsize=256)
def parameter_count(folder: Path) -> int:
    """Number of parameters, from the header of the weights file: its length (8 bytes), then JSON."""
    with (folder / "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
