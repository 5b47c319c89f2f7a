"""Real product reviews, none of which the base has read; their files are not part of the project.

`snippets` reads sentences of Amazon reviews, each rated from -4 to 4 by twenty people (Hutto and Gilbert 2014:
`amazonReviewSnippets_GroundTruth.txt` in the source package of vaderSentiment 3.3.2, MIT). `whole` reads the 200 Amazon
reviews of the natural text that `corpus.natural` keeps out of pretraining.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from localtune.base.corpus import natural
from localtune.base.evaluation.rows import Row

CLEAR = 1.0  # a mean rating nearer to zero than this is no verdict
SHORTEST = 4  # words
SHARES = {"test": 0.4, "validation": 0.1, "train": 0.5}
TASK = "amazon_polarity_Is_this_review"  # one of nine prompts around the same 200 reviews
REVIEW = re.compile(r"Title: (?P<title>.*?)\nReview: (?P<text>.*)\nIs the review positive or negative\?", re.DOTALL)


@cache
def snippets(path: Path) -> dict[str, list[Row]]:
    """Balanced rows `{text, label}` by split; all sentences of a review are in the same split."""
    reviews: dict[str, list[Row]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        number, rating, text = line.split("\t")
        if abs(float(rating)) >= CLEAR and len(text.split()) >= SHORTEST:
            label = "positive" if float(rating) > 0 else "negative"
            reviews.setdefault(number.split("_")[0], []).append({"text": text.strip(), "label": label})
    names = random.Random(0).sample(sorted(reviews), len(reviews))
    splits, start = {}, 0.0
    for split, share in SHARES.items():
        chosen = names[round(start * len(names)) : round((start + share) * len(names))]
        splits[split] = balanced(row for name in chosen for row in reviews[name])
        start += share
    return splits


def balanced(rows: Iterable[Row]) -> list[Row]:
    """As many of either label, in a random order that is always the same."""
    by_label: dict[str, list[Row]] = {"positive": [], "negative": []}
    for row in rows:
        by_label[row["label"]].append(row)
    rng, fewest = random.Random(0), min(map(len, by_label.values()))
    both = [row for group in by_label.values() for row in rng.sample(group, fewest)]
    return rng.sample(both, len(both))


def whole(path: Path) -> list[Row]:
    """The distinct Amazon reviews of a natural text, title and text."""
    found = {}
    for row in natural.read(path):
        if row["task"] == TASK and (review := REVIEW.match(row["prompt"])):
            text = f"{review['title']}. {review['text']}"
            found[text] = {"text": text, "label": row["completion"].strip().lower()}
    return list(found.values())
