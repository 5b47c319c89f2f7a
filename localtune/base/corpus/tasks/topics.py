"""What people write to a firm or an office about: the topics of `topics.ini`, with the messages of `messages.ini`."""

from __future__ import annotations

from dataclasses import dataclass

from localtune.base.corpus.tasks.tables import read


@dataclass(frozen=True)
class Topic:
    """Name, subject lines, problems (clauses), messages (whole texts), details (may follow), answers of the service."""

    name: str
    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    messages: tuple[str, ...]
    details: tuple[str, ...]
    answers: tuple[str, ...]


def _load() -> tuple[Topic, ...]:
    messages = read("messages.ini")
    return tuple(Topic(name, **{**rows, **messages.get(name, {})}) for name, rows in read("topics.ini").items())


TOPICS = _load()
