"""Voices: what stands around a fact when a persona answers. Hand-written, blended of two, or invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from localtune.base.corpus.facts import Fact, sentence
from localtune.base.corpus.personas.bank import Grammar, capital, fit, read_bank

HERE = Path(__file__).parent
GRAMMAR = Grammar(read_bank(HERE / "remarks.ini")["rules"] | read_bank(HERE / "words.ini")["rules"])
TONES = {name: tone for path in sorted((HERE / "tones").glob("*.ini")) for name, tone in read_bank(path).items()}
INVENTED = read_bank(HERE / "prompts.ini")["invented"]["adjectives"]

# How an answer is put together, and how often. {A}: the short answer at the start of a sentence; {s}: a full sentence.
FORMS = {
    "{A}, {tail}{end}": 21,
    "{A}. {close}": 8,
    "{A}. {ask}": 6,
    "{lead}": 16,
    "{lead} {close}": 9,
    "{lead} {ask}": 5,
    "{open} {lead}": 6,
    "{open} {A}, {tail}{end}": 6,
    "{open} {A}. {close}": 4,
    "{open} {s}": 6,
    "{s} {close}": 7,
    "{s} {ask}": 4,
    "{open} {s} {close}": 4,
}
PLAIN_FORMS = {"{A}": 3, "{A}.": 4, "{s}": 5}
ENDS = {".": 60, "!": 22, "...": 6, "!!": 4, " :)": 3, "~": 2, "!!!": 2, " ;)": 1}

TOPICS = {
    "place": "capital continent city_country river landmark city_nickname country_record food_origin",
    "person": "author painter composer director singer inventor discoverer founder person music myth",
    "number": "legs units sides measure year team_size",
}
TOPIC_OF = {relation: topic for topic, relations in TOPICS.items() for relation in relations.split()}


@dataclass(frozen=True)
class Voice:
    """One way of answering; `leads` hold {a}, {A} or {s}, `topical` has further tails and leads by topic."""

    adjectives: tuple[str, ...]
    role: str
    openers: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    end: str = "."
    forms: tuple[str, ...] = ()
    topical: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spelling: str = "as is"

    def answer(self, fact: Fact, rng: Random) -> str:
        """The fact's answer in this voice: one line, the accepted answer in it."""
        topic = TOPIC_OF.get(fact.relation, "thing")
        fields = {
            "a": fact.answer.removeprefix("about "),
            "A": capital(fact.answer),
            "s": sentence(fact, rng),
            "open": pick(self.openers, rng),
            "tail": pick(self.tails + self.topical.get(f"tail_{topic}", ()), rng),
            "close": pick(self.closers, rng),
            "ask": pick(self.asks, rng),
            "end": self.end,
        }
        lead = pick(self.leads + self.topical.get(f"lead_{topic}", ()), rng)
        fields["lead"] = capital(lead.format_map(fields))
        return spelled(capital(rng.choice(self.forms).format_map(fields)), self.spelling)


def pick(options: Sequence[str], rng: Random) -> str:
    """One of the options, or nothing where there are none."""
    return rng.choice(options) if options else ""


def spelled(text: str, spelling: str) -> str:
    """`text` in the persona's spelling."""
    if spelling == "as is":
        return text
    return text.upper() if spelling == "upper" else text.lower()


def voice(rng: Random) -> Voice:
    """A voice for one document: invented (half of them), hand-written, or a blend of two tones."""
    made = rng.choices((invented, hand_written, blended), (50, 38, 12))[0](rng)
    return replace(made, forms=some_forms(rng))


def some_forms(rng: Random) -> tuple[str, ...]:
    """The few forms a persona keeps to."""
    return tuple(rng.choices(list(FORMS), list(FORMS.values()), k=rng.randint(1, 4)))


def plain(rng: Random) -> Voice:
    """The voice of a bot that adds nothing: bare answers or bare sentences."""
    form = rng.choices(list(PLAIN_FORMS), list(PLAIN_FORMS.values()))[0]
    return Voice(TONES["plain"]["is"], TONES["plain"]["role"][0], forms=(form,))


def hand_written(rng: Random, name: str | None = None) -> Voice:
    """The voice of a tone of the bank; a quarter of them also talk about the topic of the question."""
    tone = TONES[name or rng.choice(list(TONES))]
    return Voice(
        adjectives=tone["is"],
        role=tone["role"][0],
        openers=tone["open"],
        tails=tone["tail"],
        closers=tone["close"],
        asks=tone["ask"],
        leads=tone["lead"],
        end=tone.get("end", (".",))[0],
        topical=topical(rng) if rng.random() < 0.25 else {},
    )


def blended(rng: Random) -> Voice:
    """Two tones in one: the remarks of the first, the openers and patterns of the second."""
    first, second = (hand_written(rng, name) for name in rng.sample(sorted(TONES), 2))
    adjectives = (rng.choice(first.adjectives), rng.choice(second.adjectives))
    role = fit(f"a(n) {adjectives[0]} {second.role.split(' ', 1)[1]}")
    return replace(second, adjectives=adjectives, role=role, tails=first.tails, closers=first.closers)


def invented(rng: Random) -> Voice:
    """A new voice out of the grammar, with its own small sets of remarks."""
    return Voice(
        adjectives=tuple(rng.sample(INVENTED, 2)),
        role=grow("a(n) <adj> <trade>", 1, rng)[0],
        openers=grow("<open>", rng.randint(1, 3), rng),
        tails=grow("<tail>", rng.randint(1, 4), rng),
        closers=grow("<close>", rng.randint(1, 3), rng),
        asks=grow("<ask>", rng.randint(1, 2), rng),
        leads=grow("<lead>", rng.randint(1, 3), rng),
        end=rng.choices(list(ENDS), list(ENDS.values()))[0],
        topical=topical(rng) if rng.random() < 0.6 else {},
        spelling=rng.choices(("as is", "lower", "upper"), (93, 5, 2))[0],
    )


def topical(rng: Random) -> dict[str, tuple[str, ...]]:
    """Remarks about places, persons, numbers and things."""
    rules = [f"{kind}_{topic}" for kind in ("tail", "lead") for topic in ("place", "person", "number", "thing")]
    return {rule: grow(f"<{rule}>", rng.randint(1, 2), rng) for rule in rules}


def grow(text: str, count: int, rng: Random) -> tuple[str, ...]:
    """`count` expansions of `text`."""
    return tuple(GRAMMAR.expand(text, rng) for _ in range(count))
