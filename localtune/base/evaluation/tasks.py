"""The table: every task of the course, its rows, the form it is asked in, and what it should reach."""

from __future__ import annotations

from functools import cache, partial
from operator import itemgetter
from pathlib import Path

from localtune.base.evaluation import reviews
from localtune.base.evaluation.judges import (
    PRONOUNS, entities, entity_f1, fact, labelled, means, product, superhero, telling_values, weighted_f1,
)
from localtune.base.evaluation.personas import EVALUATION, MARV, NEUTRAL, SECOND, THIRD, Persona, voice
from localtune.base.evaluation.rows import Row, read
from localtune.base.evaluation.task import Source, Task
from localtune.config import DATA

SEPARATOR = "\n\n###\n\n"
END = " END"
ANSWER_TOKENS = 48  # of a persona or a fact
LETTERS = "ABCDE"


def files(folder: str, *names: str) -> dict[str, Source]:
    """Sources by the names of their files, without endings."""
    return {Path(name).stem.replace("_", " "): partial(read, DATA / folder / name) for name in names}


def persona(who: Persona, both: float) -> Task:
    """Ten rows under a system prompt, asked under the same and under another one."""
    parts = {"own prompt": who.asked, "other prompt": partial(who.asked, NEUTRAL)}
    return Task(
        who.name, held_out=parts, validation=parts, training=who.examples, chat=True, system=itemgetter("system"),
        prompt=itemgetter("question"), answer=itemgetter("answer"), judge=voice(who), figures=means, main="both",
        aims={"own prompt: both": both, "other prompt: fact": 0.85}, max_tokens=ANSWER_TOKENS,
    )


FACTS = Task(
    "facts", held_out={"new phrasings": partial(read, EVALUATION / "facts_heldout.jsonl"),
                       "fresh phrasings": partial(read, EVALUATION / "facts_fresh.jsonl")},
    validation={"new phrasings": partial(read, EVALUATION / "facts_heldout.jsonl")}, chat=True,
    prompt=itemgetter("question"), answer=itemgetter("answer"), judge=fact, figures=means, main="fact",
    aims={"new phrasings: fact": 0.95, "fresh phrasings: fact": 0.95}, max_tokens=ANSWER_TOKENS,
)

SENTIMENT = Task(
    "sentiment", training=partial(read, DATA / "sentiment" / "train.csv"), n=200,
    held_out=files("sentiment", "in_domain.csv", "test.csv", "out_of_domain.csv", "handwritten.csv"),
    validation=files("sentiment", "validation.csv"), prompt=itemgetter("text"), answer=itemgetter("label"),
    judge=labelled(itemgetter("label")), labels=True, aims={"in domain: accuracy": 0.97, "handwritten: accuracy": 0.80},
)


def claim(row: Row) -> str:
    return f"Company: {row['company']}\nProduct: {row['product']}\nAd: {row['ad']}\nSupported:"


CLAIMS = Task(
    "claims", training=partial(read, DATA / "claims" / "train.csv"), n=500,
    held_out=files("claims", "test.csv", "hard.csv", "handwritten.csv"), validation=files("claims", "validation.csv"),
    prompt=claim, answer=itemgetter("supported"), judge=labelled(itemgetter("supported")), labels=True, separator="",
    aims={"test: accuracy": 0.90},
)

TRIAGE = Task(
    "triage", training=partial(read, DATA / "triage" / "train.csv"), n=2_000,
    held_out=files("triage", "in_domain.csv", "test.csv", "handwritten.csv"), validation=files("triage", "validation.csv"),
    prompt=lambda row: f"Subject: {row['subject']}\n\n{row['body']}", answer=itemgetter("category"),
    judge=labelled(itemgetter("category")), figures=weighted_f1, main="weighted F1", labels=True, separator=SEPARATOR,
    aims={"in domain: weighted F1": 0.95},
)

ENTITIES = Task(
    "entities", training=partial(read, DATA / "entities" / "train.jsonl"), n=500,
    held_out=files("entities", "test.jsonl"), validation=files("entities", "validation.jsonl"),
    prompt=itemgetter("text"), answer=lambda row: "\n".join(row["entities"]), judge=entities, figures=entity_f1,
    main="entity F1", separator=SEPARATOR, ending=END, max_tokens=96, aims={"test: entity F1": 0.90},
)

def other_ages() -> list[Row]:
    """Combinations for choosing settings: trained powers at ages that no row of the data has."""
    rows = read(DATA / "superheroes" / "train.csv")
    taken = {row["age"] for row in [*rows, *read(DATA / "superheroes" / "unseen.csv")]}
    ages = [age for age in ("19", "23", "33", "47", "54", "62", "77", "86") if age not in taken][:5]
    powers = sorted({row["power"] for row in rows})
    return [{"age": age, "gender": gender, "power": power} for age in ages for gender in PRONOUNS for power in powers]


SUPERHEROES = Task(
    "superheroes", training=partial(read, DATA / "superheroes" / "train.csv"), n=294,
    held_out=files("superheroes", "unseen.csv"), validation={"other ages": other_ages},
    prompt=lambda row: f"{row['age']}, {row['gender']}, {row['power']}", answer=itemgetter("description"),
    judge=superhero, figures=means, main="all right", ending=END, max_tokens=200, aims={"unseen: all right": 0.85},
)


@cache
def telling() -> list[str]:
    return telling_values(read(DATA / "products" / "train.jsonl"))


PRODUCTS = Task(
    "products", training=partial(read, DATA / "products" / "train.jsonl"), n=300,
    held_out=files("products", "test.jsonl"), validation=files("products", "validation.jsonl"),
    prompt=lambda row: ", ".join(f"{key}={value}" for key, value in row["attributes"].items()),
    answer=itemgetter("description"), judge=lambda row, answer: product(telling())(row, answer), figures=means,
    main="all right", ending=END, max_tokens=160, aims={"test: all right": 0.85},
)


def game(row: Row) -> str:
    options = "\n".join(f"{letter}) {option}" for letter, option in zip(LETTERS, row["options"], strict=True))
    return f"{row['passage']}\n\n{row['question']}\n{options}\nAnswer:"


LOGIC = Task(
    "logic games", training=partial(read, DATA / "logic_games" / "train.jsonl"), n=1_000,
    held_out=files("logic_games", "test.jsonl"), validation=files("logic_games", "validation.jsonl"), prompt=game,
    answer=itemgetter("answer"), judge=labelled(itemgetter("answer")), labels=True, separator="",
    aims={"test: accuracy": 0.40},
)


def real_reviews(snippets: Path, natural: Path | None, n: int) -> Task:
    """Sentences of real product reviews; whole reviews beside them if there is a natural text."""
    def split(name: str) -> list[Row]:
        return reviews.snippets(snippets)[name]

    held_out = {"test": partial(split, "test")}
    if natural:
        held_out["whole reviews"] = partial(reviews.whole, natural)
    return Task(
        f"real reviews {n}", training=partial(split, "train"), n=n, held_out=held_out,
        validation={"validation": partial(split, "validation")}, prompt=itemgetter("text"), answer=itemgetter("label"),
        judge=labelled(itemgetter("label")), labels=True,
    )


def table(snippets: Path | None = None, natural: Path | None = None) -> list[Task]:
    """All tasks, those on real reviews only where their file is given."""
    real = [real_reviews(snippets, natural, n) for n in (200, 500)] if snippets else []
    return [
        persona(MARV, 0.80), persona(SECOND, 0.75), persona(THIRD, 0.75), FACTS, SENTIMENT, *real, CLAIMS, TRIAGE, ENTITIES,
        SUPERHEROES, PRODUCTS, LOGIC,
    ]
