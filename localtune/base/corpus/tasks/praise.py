"""Praise, written by hand in `praise.ini`: whole opinions by subject, and words for the grammar of `opinions`."""

from __future__ import annotations

from localtune.base.corpus.tasks.tables import read

_TABLE = read("praise.ini")
LINES = _TABLE["lines"]  # by subject; `any` fits all of them
ANY, PRODUCT, FILM, TWEET = (LINES[key] for key in ("any", "product", "film", "tweet"))
RESTAURANT, HOTEL = LINES["restaurant"], LINES["hotel"]
ADJECTIVES, NOUNS, VERBS, ADVERBS = (_TABLE["words"][key] for key in ("adjectives", "nouns", "verbs", "adverbs"))
MORE_ADJECTIVES = _TABLE["words"]["before noun"]  # these may also stand before a noun
TAGS, SMILEYS = _TABLE["words"]["tags"], _TABLE["words"]["smileys"]
