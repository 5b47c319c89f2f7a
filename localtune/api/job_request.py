"""The body of `POST /fine_tuning/jobs` and what is asked for in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from localtune.api.errors import APIError
from localtune.api.schema import Body, invalid
from localtune.catalog import Model
from localtune.jobs import wandb_run
from localtune.jobs.spec import ADAPTATION, ADAPTATIONS

Auto = Literal["auto"]
MAX_SEED = 2_147_483_647
MAX_PAIRS = 16  # of metadata
MetadataKey = Annotated[str, Field(max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)]


class Hyperparameters(Body):
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "auto"


class Supervised(Body):
    hyperparameters: Hyperparameters | None = None


class Method(Body):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: dict[str, Any] | None = None
    reinforcement: dict[str, Any] | None = None


class WandbSettings(Body):
    project: Annotated[str, Field(min_length=1)]
    name: str | None = None
    entity: str | None = None
    tags: list[str] | None = None


class Integration(Body):
    type: Literal["wandb"]
    wandb: WandbSettings


class CreateJob(Body):
    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=MAX_PAIRS)] | None = None
    integrations: Annotated[list[Integration], Field(max_length=5)] | None = None

    def check_supported(self) -> None:
        """Raises APIError 400 for what the API knows and this service cannot do."""
        if self.method is not None and self.method.type != "supervised":
            raise invalid("method.type", self.method.type, "this service trains with the 'supervised' method only")
        if self.method is not None and (self.method.dpo is not None or self.method.reinforcement is not None):
            raise APIError(400, "The supervised method takes only its own settings: `supervised`.", param="method")

    def adaptation(self, model: Model) -> str | None:
        """How the job changes an open-weight model; None for the built-in base, which has a way of its own.

        OpenAI's API has no field for it, and its SDK passes metadata on. Raises APIError 400.
        """
        asked = (self.metadata or {}).get(ADAPTATION)
        if asked is not None and not model.open_weight:
            reason = f"'{model.name}' is no open-weight model; only those (serve --base) can be adapted in several ways"
            raise invalid(f"metadata.{ADAPTATION}", asked, reason)
        if asked is not None and asked not in ADAPTATIONS:
            permitted = ", ".join(f"'{one}'" for one in ADAPTATIONS)
            raise invalid(f"metadata.{ADAPTATION}", asked, f"unexpected value; permitted: {permitted}")
        return (asked or ADAPTATIONS[0]) if model.open_weight else None

    def stored_integrations(self) -> list[dict[str, Any]]:
        """As they are kept and shown: without what was not given."""
        return [integration.model_dump(exclude_none=True) for integration in self.integrations or []]

    def notes(self) -> list[str]:
        """What the job's events have to say about its settings."""
        return [wandb_run.MISSING] if self.integrations and not wandb_run.installed() else []

    def asked(self) -> dict[str, Any]:
        """The hyperparameters, from `method` or from the older top-level field."""
        of_method = self.method.supervised.hyperparameters if self.method and self.method.supervised else None
        if of_method is not None and self.hyperparameters is not None:
            message = "Give the hyperparameters once: in `method`, or in the deprecated `hyperparameters`."
            raise APIError(400, message, param="hyperparameters")
        return (of_method or self.hyperparameters or Hyperparameters()).model_dump()
