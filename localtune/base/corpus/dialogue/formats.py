"""Instructions on format, in the question, for a given text or a list, or as a rule in the system prompt."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from localtune.base.corpus.dialogue.slots import HERE, WORDS, Slots, chat
from localtune.base.corpus.document import Document
from localtune.base.corpus.facts import FACTS, Fact, question, sentence
from localtune.base.corpus.personas.bank import capital, read_bank

BANK = read_bank(HERE / "formats.ini")

# What an instruction does to a text; the second argument is the frame's {word}.
TRANSFORMS: dict[str, Callable[[str, str], str]] = {
    "upper": lambda text, word: text.upper(),
    "lower": lambda text, word: text.lower(),
    "quoted": lambda text, word: f'"{text}"',
    "brackets": lambda text, word: f"[{text}]",
    "stars": lambda text, word: f"*{text}*",
    "end": lambda text, word: f"{text} {word}",
    "start": lambda text, word: f"{word} {text}",
    "twice": lambda text, word: f"{text} {text}",
    "exclaim": lambda text, word: text.rstrip(".!?") + "!",
    "bullet": lambda text, word: f"- {text}",
    "colon": lambda text, word: f"{word}: {text}",
    "bare": lambda text, word: text,
    "sentence": lambda text, word: text,
}

LISTS: dict[str, Callable[[list[str]], str]] = {
    "bullets": lambda items: "\n".join(f"- {item}" for item in items),
    "numbers": lambda items: "\n".join(f"{i}. {item}" for i, item in enumerate(items, 1)),
    "lines": lambda items: "\n".join(items),
    "reversed": lambda items: ", ".join(reversed(items)),
    "sorted": lambda items: ", ".join(sorted(items)),
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "slashes": lambda items: " / ".join(items),
    "joined": lambda items: ", ".join(items[:-1]) + f" and {items[-1]}",
    "count": lambda items: str(len(items)),
}


def text_format(rng: Random) -> Document:
    """A given text, written in another form."""
    slots, kind = Slots(rng), rng.choice(list(BANK["text"]))
    slots["x"] = some_text(rng)
    return chat(slots.fill(rng.choice(BANK["text"][kind])), TRANSFORMS[kind](slots["x"], slots["word"]))


def some_text(rng: Random) -> str:
    """A word, a few words or a sentence."""
    frames = ("<food>", "<adj> <animal>", "<colour> <garment>", "<close>", "<Kin> <acts> <when>", "<name> <acts>", "<adverb>")
    return WORDS.expand(rng.choice(frames), rng)


def answer_format(rng: Random) -> Document:
    """A question of fact that also says what the answer shall look like."""
    slots, kind, fact = Slots(rng), rng.choice(list(BANK["answer"])), rng.choice(FACTS)
    slots["q"] = question(fact, rng)
    return chat(slots.fill(rng.choice(BANK["answer"][kind])), TRANSFORMS[kind](base_answer(kind, fact, rng), slots["word"]))


def base_answer(kind: str, fact: Fact, rng: Random) -> str:
    """The answer before its transformation: bare or a sentence."""
    if kind == "sentence" or (kind != "bare" and rng.random() < 0.3):
        return sentence(fact, rng)
    return capital(fact.answer)


def rule(rng: Random) -> Document:
    """A rule in the system prompt, followed in one to four turns."""
    kind = rng.choice(list(BANK["rule"]))
    if kind not in TRANSFORMS:
        return exception(kind, rng)
    slots = Slots(rng)
    system = slots.fill(rng.choice(BANK["rule"][kind]))
    facts = rng.sample(FACTS, rng.choice((1, 1, 2, 3, 4)))
    pairs = [(question(f, rng), TRANSFORMS[kind](base_answer(kind, f, rng), slots["word"])) for f in facts]
    return chat(*(line for pair in pairs for line in pair), system=system)


def exception(kind: str, rng: Random) -> Document:
    """A rule for a keyword or a closed topic, among questions that it does not touch."""
    slots = Slots(rng)
    system = slots.fill(rng.choice(BANK["rule"][kind]))
    pairs = [(question(fact, rng), capital(fact.answer)) for fact in rng.sample(FACTS, rng.choice((0, 1, 2)))]
    asks = ("Tell me about {topic}.", "What do you think of {topic}?", "Let us talk about {topic}.", "Do you like {topic}?")
    special = (slots["word"], slots["word2"]) if kind == "keyword" else (slots.fill(rng.choice(asks)), slots["no"])
    pairs.insert(rng.randint(0, len(pairs)), special)
    return chat(*(line for pair in pairs for line in pair), system=system)


def list_format(rng: Random) -> Document:
    """A list, written or looked at in some way."""
    slots, kind = Slots(rng), rng.choice(list(BANK["list"]))
    slot = rng.choice(("animal", "food", "colour", "object", "trade", "name", "city", "instrument"))
    items = list(dict.fromkeys(WORDS.expand(f"<{slot}>", rng) for _ in range(rng.randint(2, 6))))
    if len(items) == 1:
        items *= 2
    slots["items"] = ", ".join(items)
    return chat(slots.fill(rng.choice(BANK["list"][kind])), LISTS[kind](items))
