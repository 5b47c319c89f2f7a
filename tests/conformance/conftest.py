"""Options and fixtures of the conformance suite.

`pytest tests/conformance --base-url URL --api-key KEY [--model NAME] [--admin-key KEY]` asks any service; `--live` runs
only what costs a paid provider next to nothing: no training, one short answer. Without `--base-url` the suite starts the
local service with a tiny model.
"""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.conformance.target import MODEL, Target, chat_lines, create, local_target, upload, wait_for

PATIENCE = 300.0


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--base-url", help="service to test, ending in /v1 (default: a local one, started for the tests)")
    group.addoption("--api-key", default="sk-local", help="key for --base-url")
    group.addoption("--admin-key", help="admin key of the same project, for checkpoint permissions")
    group.addoption("--other-key", help="second tenant of a localtune service: runs the tests of the local service alone too")
    group.addoption("--other-project", help="project of --other-key")
    group.addoption("--model", default=MODEL, help="model to train and to ask (default: %(default)s)")
    group.addoption("--patience", type=float, default=PATIENCE, help="seconds to wait for one job")
    group.addoption("--live", action="store_true", help="only what costs next to nothing on a paid provider")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "covers(operation, parameters): what the test is evidence for")
    config.addinivalue_line("markers", "live: costs next to nothing on a paid provider")
    config.addinivalue_line("markers", "local: needs a second tenant, or says what only the local service says")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if config.getoption("--live", False) and not item.get_closest_marker("live"):
            item.add_marker(pytest.mark.skip(reason="not in the --live subset"))
        if config.getoption("--base-url", None) and not config.getoption("--other-key") and item.get_closest_marker("local"):
            item.add_marker(pytest.mark.skip(reason="needs the service that the suite starts itself"))


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    option = request.config.getoption
    patience = option("--patience", PATIENCE)
    if url := option("--base-url", None):
        more = [option(name) for name in ("--admin-key", "--other-key", "--other-project")]
        yield Target(url.rstrip("/"), option("--api-key"), option("--model"), patience, *more)
        return
    with local_target(tmp_path_factory.mktemp("conformance"), patience) as started:
        yield started


@pytest.fixture(scope="session")
def client(target: Target) -> openai.OpenAI:
    """The official SDK; every answer must have exactly the shape of its type."""
    return target.client()


@pytest.fixture(scope="session")
def lenient(target: Target) -> openai.OpenAI:
    """The official SDK as people have it, for the few answers that the SDK's own types do not allow."""
    return target.client(strict=False)


@pytest.fixture(scope="session")
def trained(target: Target, client: openai.OpenAI) -> FineTuningJob:
    """A finished job: ten rows, three epochs of ten steps, a validation file, every optional field."""
    job = create(
        target, client, validation_file=upload(client, chat_lines(3)), suffix="conform", seed=7,
        metadata={"suite": "conformance", "n": "1"},
        method={"type": "supervised", "supervised": {"hyperparameters": {
            "n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 0.5,
        }}},
        integrations=[{"type": "wandb", "wandb": {"project": "suite", "name": "run", "tags": ["a", "b"]}}],
    )
    return wait_for(target, job.id)
