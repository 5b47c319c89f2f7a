"""Processes that die at the worst places: every job ends as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import openai
import pytest

from localtune.crash import POINTS
from localtune.store import Store
from tests.durability.killing import REAL_WORKER, Life, kill_at_random, leftovers, live
from tests.service.conftest import bases
from tests.service.harness import chat_lines
from tests.tiny import tiny_base

__all__ = ["bases"]

SERVICE_POINTS = [point for point in POINTS if not point.startswith(("state", "checkpoint"))]
WORKER_POINTS = [point for point in POINTS if point.startswith(("state", "checkpoint"))]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, bases: Path) -> dict[str, Any]:
    """What comes of the fake worker's job when nobody dies."""
    result = live(Life(tmp_path_factory.mktemp("quiet") / "state", bases))
    assert result["status"] == "succeeded" and len(result["metrics"]) == 50 and len(result["models"]) == 3
    return result


@pytest.mark.parametrize("point", SERVICE_POINTS)
def test_the_service_dies_at(point: str, tmp_path: Path, bases: Path, expected: dict[str, Any]) -> None:
    fuse = tmp_path / "fuse"
    fuse.write_text("1", encoding="utf-8")
    life = Life(tmp_path / "state", bases, crash_at=f"{point}@{fuse}")
    assert live(life) == expected
    assert life.deaths == 1 and not fuse.exists()


def test_the_service_dies_at_random_moments(tmp_path: Path, bases: Path, expected: dict[str, Any]) -> None:
    life = Life(tmp_path / "state", bases)
    assert live(life, meanwhile=kill_at_random(random.Random(4), 2.0, 3)) == expected
    assert life.deaths + life.worker_deaths


@pytest.mark.parametrize("point", ["file.before", "file.after"])
@pytest.mark.parametrize("passage", ["a part", "the whole"])
def test_the_service_dies_over_an_upload_in_parts(point: str, passage: str, tmp_path: Path, bases: Path) -> None:
    """Nothing that was acknowledged is lost, and what is sent again makes one file."""
    data, fuse = chat_lines(10), tmp_path / "fuse"
    fuse.write_text("2" if passage == "a part" else "3", encoding="utf-8")
    life = Life(tmp_path / "state", bases, crash_at=f"{point}@{fuse}")
    life.start()
    asked = {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": len(data), "mime_type": "text/jsonl"}
    upload = life.ask(lambda client: client.uploads.create(**asked)).id
    pieces = (data[:300], data[300:])
    parts = [life.ask(lambda client: client.uploads.parts.create(upload, data=piece)).id for piece in pieces]
    finish(life, upload, parts)
    assert life.deaths == 1 and not fuse.exists()
    (file,) = life.ask(lambda client: client.files.list()).data
    assert life.ask(lambda client: client.files.content(file.id).content) == data
    life.stop()
    store = Store(life.state)
    leftovers(life.state, store)
    store.close()


def finish(life: Life, upload: str, parts: list[str]) -> None:
    """Complete an upload; it may have been completed without anybody hearing of it, or hold a part nobody knows."""
    try:
        life.ask(lambda client: client.uploads.complete(upload, part_ids=parts))
    except openai.BadRequestError as error:
        assert "is completed" in str(error), error


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Tiny bases, and what comes of the real worker's job on them when nobody dies."""
    folder = tmp_path_factory.mktemp("real")
    tiny_base(folder / "bases" / "small")
    result = live(Life(folder / "quiet", folder / "bases", {"worker": REAL_WORKER}))
    assert result["status"] == "succeeded" and len(result["models"]) == 3
    return folder / "bases", result


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_the_real_worker_dies_while_it_saves(point: str, tmp_path: Path, real: tuple[Path, dict[str, Any]]) -> None:
    """Its second passage: losses, events and the bits of the weights are those of a life without a death."""
    bases, quiet = real
    fuse = tmp_path / "fuse"
    fuse.write_text("2", encoding="utf-8")
    assert live(Life(tmp_path / "state", bases, {"worker": REAL_WORKER}, crash_at=f"{point}@{fuse}")) == quiet
    assert not fuse.exists()


def test_every_point_is_somewhere_in_the_source() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path("localtune").rglob("*.py"))
    assert all(f'crash_point("{point}")' in source for point in POINTS)
