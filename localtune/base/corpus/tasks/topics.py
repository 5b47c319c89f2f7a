"""What customers write about: the topics of `topics.ini`, each with sentences of its own."""

from __future__ import annotations

from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from localtune.base.corpus.tasks.grammar import phrases


@dataclass(frozen=True)
class Topic:
    """Name, subject lines, problems (first sentence), details (may follow), answers of the service."""

    name: str
    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    answers: tuple[str, ...]


def _load() -> tuple[Topic, ...]:
    table = ConfigParser(interpolation=None)
    table.read_string(Path(__file__).with_suffix(".ini").read_text(encoding="utf-8"))
    return tuple(Topic(name, **{key: phrases(value) for key, value in table[name].items()}) for name in table.sections())


TOPICS = _load()
