"""Which models there are: the aliases of the built-in bases, open-weight bases, and each project's own fine-tuned ones."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from localtune.api.errors import APIError
from localtune.config import DATA
from localtune.ids import base_of
from localtune.openweight.folder import base_source, cached_folder, is_adapter, parameter_count
from localtune.store import Store

OWNER_OF_BASES, OWNER_OF_OPEN_BASES = "localtune", "open-weight"
NOT_WORTH_RETRYING = {"x-should-retry": "false"}


@dataclass(frozen=True)
class Alias:
    """A row of `data/models.csv` as far as the service needs it."""

    name: str
    base: str  # local base that answers under this name
    fine_tunable: bool
    shutdown_date: str | None = None  # "YYYY-MM-DD": when the provider stops answering under this name


@dataclass(frozen=True)
class Model:
    """Something that answers: `base` is the base it is or was made from."""

    name: str
    folder: Path  # absolute, or the hub id of an open-weight base
    base: str
    parameters: int | None  # None: not known before it is downloaded
    created: int  # Unix seconds
    owned_by: str
    shutdown_date: str | None = None  # of the provider's model whose name this is; the local one goes on answering
    open_weight: bool = False


class Catalog:
    """Names → models. Raises APIError 404 for names a project cannot see, 503 when a base is not installed."""

    def __init__(self, store: Store, state: Path, bases: Path, open_bases: Mapping[str, str] = MappingProxyType({})) -> None:
        self.store, self.state, self.bases, self.open_bases = store, state, bases, open_bases
        self.started = int(time.time())
        self.aliases = read_aliases(DATA / "models.csv")

    def resolve(self, project: str, name: str) -> Model:
        """The model that answers under `name` in this project."""
        if name in self.aliases:
            return self._base(self.aliases[name])
        if name in self.open_bases:
            return self._there(self._open_base(name))
        row = self.store.models.visible(project, name)
        if row is None:
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise APIError(404, message, code="model_not_found")
        if not self.has_base(base_of(name)):
            raise base_gone(name)
        return self._fine_tuned(row)

    def fine_tunable(self, project: str, name: str) -> Model:
        """The model as a starting point of a job; APIError 400 when it is none."""
        alias = self.aliases.get(name)
        known = alias or name in self.open_bases or self.store.models.find(project, name) is not None
        if not known or alias and not alias.fine_tunable:
            message = f"Model {name} is not available for fine-tuning or does not exist."
            raise APIError(400, message, code="model_not_available")
        return self.resolve(project, name)

    def list(self, project: str) -> list[Model]:
        """Bases, then the project's own models, oldest first."""
        bases = [self._base(alias) for alias in self.aliases.values()]
        bases += [self._open_base(name) for name in self.open_bases]
        return bases + [self._fine_tuned(row) for row in self.store.models.list(project)]

    def installed(self) -> dict[str, int]:
        """Number of parameters of every base that is there."""
        names = {alias.base for alias in self.aliases.values()}
        counts = {name: parameter_count(self.bases / name) for name in sorted(names) if has_weights(self.bases / name)}
        known = {name: self._open_base(name).parameters for name in self.open_bases}
        return counts | {name: count for name, count in known.items() if count is not None}

    def has_base(self, name: str) -> bool:
        """Whether `name` is a base, under whatever name."""
        return name in self.aliases or name in self.open_bases

    def adapter_on(self, folder: Path) -> str | None:
        """A model of any project that is an adapter on the model of this folder."""
        rows = ((row["name"], self.state / row["folder"]) for row in self.store.models.list_all())
        return next((name for name, place in rows if is_adapter(place) and Path(base_source(place)) == folder), None)

    def _base(self, alias: Alias) -> Model:
        folder = self.bases / alias.base
        if not has_weights(folder):
            message = f"The base model '{alias.base}' is not installed: {folder} has no model.safetensors."
            raise APIError(503, message, type="server_error", headers=NOT_WORTH_RETRYING)
        created = int((folder / "model.safetensors").stat().st_mtime)
        return Model(alias.name, folder, alias.base, parameter_count(folder), created, OWNER_OF_BASES, alias.shutdown_date)

    def _open_base(self, name: str) -> Model:
        source, count, created = self.open_bases[name], None, self.started
        folder = cached_folder(source)
        if folder is not None and (folder / "config.json").is_file():
            count, created = parameter_count(folder), int((folder / "config.json").stat().st_mtime)
        return Model(name, Path(source), name, count, created, OWNER_OF_OPEN_BASES, open_weight=True)

    def _there(self, base: Model) -> Model:
        """The base itself; a folder may have gone since the service was started."""
        if base.parameters is None and base.folder.is_absolute():
            message = f"The base '{base.name}' is gone from {base.folder}: put it back, or restart the service without it."
            raise APIError(503, message, type="server_error", headers=NOT_WORTH_RETRYING)
        return base

    def _fine_tuned(self, row: dict) -> Model:
        folder, base = self.state / row["folder"], base_of(row["name"])
        owner = self.store.keys.organisation(row["project"])
        alias = self.aliases.get(base)
        return Model(
            row["name"], folder, alias.base if alias else base, parameter_count(folder), row["created_at"], owner,
            alias.shutdown_date if alias else None, open_weight=alias is None,
        )


def base_gone(name: str) -> APIError:
    message = (
        f"The model `{name}` was made from the open-weight base '{base_of(name)}', which this service does not offer now: "
        f"restart it with --base {base_of(name)}=FOLDER_OR_HUB_ID."
    )
    return APIError(503, message, type="server_error", headers=NOT_WORTH_RETRYING)


def built_in_names() -> set[str]:
    """Every name that means the built-in base: as a model, or as what it is shown to be made from."""
    aliases = read_aliases(DATA / "models.csv").values()
    return {name for alias in aliases for name in (alias.name, alias.base)}


def read_aliases(path: Path) -> dict[str, Alias]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Alias(row["id"], row["local_base"], row["fine_tunable"] == "yes", row["shutdown_date"] or None)
            for row in csv.DictReader(file)
        ]
    return {alias.name: alias for alias in rows}


def has_weights(folder: Path) -> bool:
    return (folder / "model.safetensors").is_file()
