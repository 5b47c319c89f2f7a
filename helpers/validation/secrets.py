"""Keys, passwords' kin and e-mail addresses, found in a block of lines at once: the pair of bytes that ends a known beginning
first, that beginning only where there is one, and a pattern there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from helpers.validation.marks import Marks, pair_table

Spot = tuple[int, str, str]  # offset in the block, rule, what
_EMAIL = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}")
_EXAMPLE_DOMAINS = (b"example.com", b"example.org", b"example.net", b".example", b".test", b".invalid")
_AROUND = 64  # bytes before an @ that may belong to the address
_SECRETS: tuple[tuple[bytes, bytes, str, re.Pattern[bytes]], ...] = tuple(
    (beginning, needle, name, re.compile(pattern))
    for beginning, needle, name, pattern in (
        (b"sk-", b"sk-", "a key of OpenAI or Anthropic",
         rb"sk-(?:proj-|ant-|svcacct-|admin-)[A-Za-z0-9_-]{16,}|sk-[A-Za-z0-9]{32,}"),
        (b"AKI", b"AKIA", "an AWS key", rb"AKIA[0-9A-Z]{16}"),
        (b"ASI", b"ASIA", "an AWS key", rb"ASIA[0-9A-Z]{16}"),
        (b"AI", b"AIzaSy", "a Google key", rb"AIzaSy[0-9A-Za-z_-]{33}"),
        (b"-----BEGI", b"-----BEGIN", "a private key", rb"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY"),
        (b"eyJ", b"eyJhbGciOi", "a signed token", rb"eyJhbGciOi[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\."),
        (b"github_", b"github_pat_", "a GitHub token", rb"github_pat_[A-Za-z0-9_]{22,}"),
        (b"ghp_", b"ghp_", "a GitHub token", rb"ghp_[A-Za-z0-9]{36}"),
        (b"gho_", b"gho_", "a GitHub token", rb"gho_[A-Za-z0-9]{36}"),
        (b"ghs_", b"ghs_", "a GitHub token", rb"ghs_[A-Za-z0-9]{36}"),
        (b"hf_", b"hf_", "a Hugging Face token", rb"hf_[A-Za-z0-9]{30,}"),
        (b"k_", b"k_live_", "a Stripe key", rb"k_live_[A-Za-z0-9]{20,}"),
        (b"npm_", b"npm_", "an npm token", rb"npm_[A-Za-z0-9]{36}"),
        *((b"xox%c-" % kind, b"xox", "a Slack token", rb"xox[abprs]-[A-Za-z0-9-]{20,}") for kind in b"abprs"),
    )
)
_BY_PAIR = {beginning[-2:]: [row for row in _SECRETS if row[0][-2:] == beginning[-2:]] for beginning, *_ in _SECRETS}
_PAIRS = pair_table(_BY_PAIR)


def spots(block: bytes, marks: Marks) -> Iterator[Spot]:
    """Where in the block something should not be published. The secret itself is not repeated."""
    for rare in marks.where(_PAIRS):
        for beginning, needle, name, pattern in _BY_PAIR[block[rare - 1 : rare + 1]]:
            at = rare + 1 - len(beginning)
            if block.startswith(needle, at) and pattern.match(block, at):
                yield at, "secret", f"looks like {name} ({needle.decode()}…)"
    yield from _addresses(block)


def _addresses(block: bytes) -> Iterator[Spot]:
    at = block.find(b"@")
    while at >= 0:
        for match in _EMAIL.finditer(block, max(0, at - _AROUND), at + 256):
            if match.start() < at < match.end():
                if not match[0].lower().endswith(_EXAMPLE_DOMAINS):
                    yield at, "email_address", match[0].decode()
                break
        at = block.find(b"@", at + 1)
