"""Hand-written tables beside this file."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from localtune.base.corpus.tasks.grammar import phrases

Table = dict[str, dict[str, tuple[str, ...]]]


def raw(name: str) -> dict[str, dict[str, str]]:
    """Sections and values of an .ini file of this folder; only `;` starts a comment, as `#` starts a tag."""
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=(";",))
    parser.read_string((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return {section: dict(parser[section]) for section in parser.sections()}


def read(name: str) -> Table:
    """The same with every value as a list of phrases, each once."""
    return {section: {key: tuple(dict.fromkeys(phrases(value))) for key, value in values.items()}
        for section, values in raw(name).items()}
