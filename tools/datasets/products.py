"""Products: three to six attributes, and a description that says every one of them and nothing else."""
from __future__ import annotations

from tools.datasets.common import Grammar, capitalised, jsonl_splits

SEED = 16
SIZES = {"train": 300, "validation": 60, "test": 150}
KEYS = ("colour", "material", "size", "weight", "price", "made_in", "guarantee", "feature")


def item(grammar: Grammar) -> dict[str, object]:
    """A named product; a clause for each attribute, in the order of the attributes."""
    rng = grammar.rng
    keys = rng.sample(KEYS, rng.randint(2, 5))
    attributes = {"name": f"{grammar.pick('brand')} {grammar.pick('kind')}",
                  **{key: grammar.say(f"{{{key}}}") for key in keys}}
    frames = [grammar.pick("opening"), *(grammar.pick(f"{key}.clause") for key in keys)]
    return {"attributes": attributes, "description": capitalised(" ".join(grammar.say(frame, attributes) for frame in frames))}


def files() -> dict[str, str]:
    """train.jsonl, validation.jsonl and test.jsonl with {"attributes", "description"}."""
    return jsonl_splits("products", SIZES, SEED, item, lambda row: str(row["description"]))
