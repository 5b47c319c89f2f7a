"""E-mails to a shop in twenty classes: several degrees of politeness, signatures, order numbers, subjects that help or not."""
from __future__ import annotations

import random

from tools.datasets.common import Grammar, capitalised, csv_text, distinct, rules_of, with_typos

SEED = 13
PER_CLASS = {"train": 100, "validation": 10, "test": 20, "in_domain": 20}
CLASSES = range(1, 21)
Row = tuple[str, str, int]


def email(grammar: Grammar, number: int) -> Row:
    """One e-mail of the class; a fifth of the subjects say nothing about it."""
    rng = grammar.rng
    given = {"thing": grammar.say("{thing}"), "number": grammar.say("{number}")}
    core = rng.sample(grammar.rules[f"{number}.body"], rng.choice((1, 1, 2)))
    parts = [grammar.pick("hello")] if rng.random() < 0.7 else []
    parts += [grammar.pick("polite")] if rng.random() < 0.4 else []
    parts += core + ([f"My reference: {given['number']}."] if rng.random() < 0.15 else [])
    parts += [grammar.pick("close")] if rng.random() < 0.5 else []
    parts += [grammar.pick("bye")] if rng.random() < 0.7 else []
    subject = grammar.pick(f"{number}.subject" if rng.random() < 0.8 else "subject.any")
    body = capitalised(" ".join(grammar.say(part, given) for part in parts))
    return grammar.say(subject, given), written(body, rng), number


def written(body: str, rng: random.Random) -> str:
    """Some write without capitals, some with slips."""
    body = body.lower() if rng.random() < 0.1 else body
    return with_typos(body, rng, 0.06) if rng.random() < 0.2 else body


def files() -> dict[str, str]:
    """One file per entry of PER_CLASS with the columns subject, body, category; in_domain.csv uses the words of train.csv."""
    seen: set[str] = set()
    made = {}
    for split, count in PER_CLASS.items():
        rules = rules_of("triage", "train" if split == "in_domain" else split)
        grammar = Grammar(rules, random.Random(f"{SEED} {split}"))
        rows = [row for number in CLASSES for row in distinct(lambda: email(grammar, number), count, seen, lambda row: row[1])]
        grammar.rng.shuffle(rows)
        made[f"{split}.csv"] = csv_text(("subject", "body", "category"), rows)
    return made
