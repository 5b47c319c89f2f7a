"""How alike two texts are, from 0 to 1, by the measures of machine translation and summarisation.

Words are runs of letters and digits or single other signs, in lower case for all measures but `fuzzy_match`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

WORD = re.compile(r"\w+|[^\w\s]")
ORDERS = (1, 2, 3, 4)
MAX_CHARACTERS = 10_000  # of each text: two of the measures take time in the product of the lengths


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def fuzzy_match(text: str, reference: str) -> float:
    """Twice the longest common subsequence of characters over both lengths: 1 for equal texts."""
    total = len(text) + len(reference)
    return 2 * common(text, reference) / total if total else 1.0


def bleu(text: str, reference: str) -> float:
    """BLEU of one sentence (Papineni et al. 2002), n-grams up to 4; from n = 2 on, counts are smoothed by one.

    Smoothing after Lin and Och (2004), because without it every short sentence is worth 0.
    """
    said, wanted = words(text), words(reference)
    if not said or not overlap(said, wanted, 1)[0]:
        return 0.0
    logs = []
    for n in ORDERS:
        matches, possible, _ = overlap(said, wanted, n)
        logs.append(math.log((matches + (n > 1)) / (possible + (n > 1))))
    brevity = min(0.0, 1 - len(wanted) / len(said))
    return math.exp(brevity + sum(logs) / len(logs))


def gleu(text: str, reference: str) -> float:
    """GLEU (Wu et al. 2016): the smaller of precision and recall of all n-grams up to 4."""
    counts = [overlap(words(text), words(reference), n) for n in ORDERS]
    matches, said, wanted = (sum(column) for column in zip(*counts, strict=True))
    return matches / max(said, wanted) if said and wanted else 0.0


def meteor(text: str, reference: str) -> float:
    """METEOR (Banerjee and Lavie 2005) on equal words only: no stems, no synonyms."""
    said, wanted = words(text), words(reference)
    pairs = aligned(said, wanted)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(said), len(pairs) / len(wanted)
    mean = 10 * precision * recall / (recall + 9 * precision)
    chunks = 1 + sum((a + 1, b + 1) != after for (a, b), after in zip(pairs, pairs[1:]))
    return mean * (1 - 0.5 * (chunks / len(pairs)) ** 3)


def rouge_n(n: int) -> Callable[[str, str], float]:
    """ROUGE-N (Lin 2004): F1 of n-grams."""

    def rouge(text: str, reference: str) -> float:
        return f1(*overlap(words(text), words(reference), n))

    return rouge


def rouge_l(text: str, reference: str) -> float:
    """ROUGE-L (Lin 2004): F1 of the longest common subsequence of words."""
    said, wanted = words(text), words(reference)
    return f1(common(said, wanted), len(said), len(wanted))


def f1(matches: int, said: int, wanted: int) -> float:
    return 2 * matches / (said + wanted) if said + wanted else 0.0


def overlap(said: Sequence[str], wanted: Sequence[str], n: int) -> tuple[int, int, int]:
    """Number of n-grams that both have, that the first has, that the second has."""
    first, second = grams(said, n), grams(wanted, n)
    return (first & second).total(), first.total(), second.total()


def grams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))


def common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, with one integer's bits as a row of the table (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for position, symbol in enumerate(first):
        places[symbol] = places.get(symbol, 0) | 1 << position
    full = (1 << len(first)) - 1
    row = full
    for symbol in second:
        hit = row & places.get(symbol, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(first) - row.bit_count()


def aligned(said: Sequence[str], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of equal words, each used once, from left to right; the place after the last match is preferred."""
    free = {position: word for position, word in enumerate(wanted)}
    pairs: list[tuple[int, int]] = []
    for position, word in enumerate(said):
        following = pairs[-1][1] + 1 if pairs else 0
        if free.get(following) != word:
            following = next((place for place, other in free.items() if other == word), -1)
        if following >= 0:
            pairs.append((position, following))
            del free[following]
    return pairs


MEASURES: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match, "bleu": bleu, "gleu": gleu, "meteor": meteor,
    **{f"rouge_{n}": rouge_n(n) for n in (1, 2, 3, 4, 5)}, "rouge_l": rouge_l,
}
