"""Reviews and their sentiment: one to four sentences, mixed ones with a clear verdict, mild irony, negation, typos, tags.

In the word file a `.good` section and its `.bad` twin are equally long, and lines at the same place belong together: they begin
and end alike and fall to the same split, so that no opening, ending or length speaks for one label in one split and for the
other in the next.
"""
from __future__ import annotations

import random
from collections.abc import Callable

from tools.datasets.common import Grammar, capitalised, csv_text, distinct, rules_of, sections, with_typos

SEED = 11
SIZES = {"train": 1000, "validation": 200, "test": 300}
IN_DOMAIN = 300
DOMAINS = ("product", "film", "restaurant", "hotel", "app")
LABELS = ("positive", "negative")


def sentences(grammar: Grammar, domain: str, side: str) -> list[str]:
    """The frames of one review, in order."""
    rng = grammar.rng
    own, general = grammar.rules[f"{domain}.{side}"], grammar.rules[f"any.{side}"]
    kind = rng.choices(("plain", "short", "mixed", "ironic"), (50, 15, 25, 10))[0]
    if kind == "plain":
        return rng.sample(own, rng.randint(1, 2)) + rng.sample(general, rng.randint(0, 1))
    if kind == "short":
        return [rng.choice(general)]
    if kind == "ironic":
        return [grammar.pick(f"irony.{side}")] + rng.sample(own, rng.randint(0, 1))
    return [grammar.pick(f"mixed.{side}")] + rng.sample(own, rng.randint(0, 1))


def review(grammar: Grammar, good: bool) -> str:
    rng, side = grammar.rng, "good" if good else "bad"
    domain = rng.choice(DOMAINS)
    frames = sentences(grammar, domain, side)
    if rng.random() < 0.3:
        frames.append(grammar.pick(f"end.{side}"))
    subject = {"s": grammar.pick(f"{domain}.s")}
    return in_register(capitalised(" ".join(grammar.say(frame, subject) for frame in frames)), grammar, side)


def in_register(text: str, grammar: Grammar, side: str) -> str:
    """As different people type: carefully, in a hurry, shouting, with tags."""
    rng = grammar.rng
    if rng.random() < 0.15:
        text = text.lower()
    if rng.random() < 0.2:
        text = with_typos(text, rng)
    if rng.random() < 0.12 and text.endswith("."):
        text = text[:-1] + rng.choice(("!", "!!", "!!!", "..."))
    if rng.random() < 0.12:
        text += " " + grammar.pick(f"tag.{side}")
    return text


def tweet(grammar: Grammar, good: bool) -> str:
    rng, side = grammar.rng, "good" if good else "bad"
    text = grammar.say(grammar.pick(f"tweet.{side}"))
    opener = rng.choice(("", "", "", "ok so ", "guys, ", "update: ", "well, ", "tbh ", "pff, " if not good else "yay, "))
    return with_typos(opener + text, rng, 0.03) + rng.choice(("", "", "", " lol", " fr", "!", " #justsaying", "..."))


def balanced(make: Callable[[Grammar, bool], str], grammar: Grammar, count: int, seen: set[str]) -> list[tuple[str, str]]:
    rows = [(text, label) for label in LABELS
            for text in distinct(lambda: make(grammar, label == LABELS[0]), count // 2, seen, str.lower)]
    grammar.rng.shuffle(rows)
    return rows


def files() -> dict[str, str]:
    """train.csv, in_domain.csv, validation.csv, test.csv and out_of_domain.csv with the columns text, label."""
    seen: set[str] = set()
    made = {split: balanced(review, Grammar(rules_of("sentiment", split), random.Random(f"{SEED} {split}")), count, seen)
            for split, count in SIZES.items()}
    source = Grammar(rules_of("sentiment", "train"), random.Random(f"{SEED} in domain"))
    made["in_domain"] = balanced(review, source, IN_DOMAIN, seen)
    tweets = {key.lstrip("="): lines for key, lines in sections("tweets").items()}
    made["out_of_domain"] = balanced(tweet, Grammar(tweets, random.Random(f"{SEED} tweets")), 200, seen)
    return {f"{name}.csv": csv_text(("text", "label"), rows) for name, rows in made.items()}
