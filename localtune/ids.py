"""Identifiers in OpenAI's forms: a prefix that names the kind, then random letters and digits."""

from __future__ import annotations

import re
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def random_part(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_id(prefix: str) -> str:
    """`file-…`, `ftjob-…`, `ftevent-…`, `ftckpt_…`: give the prefix with its separator."""
    return prefix + random_part(24)


def model_name(base: str, organisation: str, suffix: str | None) -> str:
    """`ft:{base}:{organisation}:{suffix}:{8 random characters}`."""
    return f"ft:{base}:{organisation}:{name_part(suffix or '')}:{random_part(8)}"


def base_of(model: str) -> str:
    """The base a fine-tuned model's name starts from; any other name is its own base."""
    return model.split(":")[1] if model.startswith("ft:") else model


def name_part(text: str) -> str:
    """What of a suffix can stand in a model's name: names travel in URL paths, with ':' as separator."""
    return re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip("-")
