"""News-like texts with people, companies, places, dates and products; extraction and questions."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import expand
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.naming import firm, goods
from localtune.base.corpus.tasks.newsframes import MORE_FRAMES
from localtune.base.corpus.tasks.words import COUNTRIES, JOBS, date, full_name, place

KINDS: dict[str, Callable[[random.Random], str]] = {
    "person": full_name, "company": firm, "place": lambda rng: place(rng) if rng.random() < 0.75 else rng.choice(COUNTRIES),
    "date": date, "product": goods,
}
PLURALS = {"person": "people", "company": "companies", "place": "places", "date": "dates", "product": "products"}

# (sentence with numbered entity slots, questions with the slot that answers them). `when` stands for a date.
FRAMES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("{company1} has opened [a new|its first|a second] [office|shop|factory] in {place1}.",
    (("Who opened something in {place1}?", "company1"), ("Where did {company1} open?", "place1"))),
    ("{person1} [founded|started] {company1} in {place1}.",
    (("Who founded {company1}?", "person1"), ("Where was {company1} founded?", "place1"),
    ("What did {person1} found?", "company1"))),
    ("{company1} [will buy|has bought|takes over] {company2}[, both sides said| for a large sum|].",
    (("Who buys {company2}?", "company1"), ("Which firm is bought by {company1}?", "company2"))),
    ("{person1} [was born in|comes from|grew up in] {place1} and now lives in {place2}.",
    (("Where does {person1} live now?", "place2"), ("Where does {person1} come from?", "place1"),
    ("Who lives in {place2}?", "person1"))),
    ("On {date1}, {person1} [became head of|left|joined|was named director of] {company1}.",
    (("When did this happen to {person1}?", "date1"), ("Who is named with {company1}?", "person1"))),
    ("{person1} met {person2} in {place1} on {date1}.",
    (("Who met {person2}?", "person1"), ("Whom did {person1} meet?", "person2"), ("Where did they meet?", "place1"),
    ("When did they meet?", "date1"))),
    ("The {product1} of {company1} [sell well|are sold out|are in demand] in {place1}.",
    (("Whose {product1} sell in {place1}?", "company1"), ("What does {company1} sell there?", "product1"))),
    ("{company1} [presented|showed|launched] new {product1} at a fair in {place1}.",
    (("Who showed {product1}?", "company1"), ("Where was the fair?", "place1"), ("What did {company1} show?", "product1"))),
    ("A [storm|flood|fire|snowfall] [hit|reached|struck] {place1} on {date1}[, closing roads and schools|; nobody was hurt|].",
    (("Where did it happen?", "place1"), ("When did it reach {place1}?", "date1"))),
    ("{person1}, a [young|well-known|retired] {job} from {place1}, [won a prize|wrote a book|was honored] on {date1}.",
    (("Who is from {place1}?", "person1"), ("When was {person1} in the news?", "date1"), ("Where is {person1} from?", "place1"))),
    ("[The mayor of|A school in|A museum in] {place1} thanked {person1} for [the help|a gift|years of work].",
    (("Who was thanked?", "person1"), ("Which town is named with {person1}?", "place1"))),
    ("{company1} and {company2} [will build a plant|plan a bridge|share a laboratory] in {place1}.",
    (("Where do {company1} and {company2} work together?", "place1"), ("Who works with {company1}?", "company2"))),
    ("{person1} of {company1} said the {product1} [were safe|would cost less|had to be called back].",
    (("Who spoke for {company1}?", "person1"), ("Which firm does {person1} speak for?", "company1"),
    ("What did {person1} talk about?", "product1"))),
    ("The [concert|match|exhibition|trial] in {place1} begins on {date1}.",
    (("When does it begin?", "date1"), ("Where does it take place?", "place1"))),
    ("{person1} [travelled|flew|moved|walked] from {place1} to {place2}[ by train| with two friends| in spring|].",
    (("Where did {person1} start?", "place1"), ("Where did {person1} go?", "place2"), ("Who went to {place2}?", "person1"))),
    ("Since {date1}, {company1} [has made|has delivered|has sold] {product1}.",
    (("Since when does {company1} do this?", "date1"), ("Who deals in {product1}?", "company1"))),
    ("[Police in|Fans in|Farmers near] {place1} [praised|found|were waiting for] {person1}.",
    (("Where was this?", "place1"), ("Who is named with {place1}?", "person1"))),
    ("{company1} [lost|won] a case against {company2} in {place1} on {date1}.",
    (("Who went to court with {company2}?", "company1"), ("When was the case decided?", "date1"),
    ("Where was the court?", "place1"))),
    ("{person1} [painted|photographed|described] {place1} [many times|in a new book|for a magazine].",
    (("Which place is named with {person1}?", "place1"), ("Who worked on {place1}?", "person1"))),
    ("[Workers at|The owners of|Shareholders of] {company1} [went on strike|agreed on a plan|met in private] on {date1}.",
    (("Which company is it about?", "company1"), ("When was it?", "date1"))),
    ("{person1} sold {product1} to {company1}.",
    (("Who sold {product1}?", "person1"), ("Who got {product1}?", "company1"), ("What did {company1} get?", "product1"))),
    ("{person1} is the new {job} of {place1}.",
    (("Who has a new post in {place1}?", "person1"), ("Where does {person1} work?", "place1"))),
    ("[In|Near] {place1}, {person1} and {person2} [run a café|opened a school|saved a dog from the river].",
    (("Where are {person1} and {person2}?", "place1"), ("Who is together with {person1}?", "person2"))),
)
ALL_FRAMES = (*FRAMES, *((frame, ()) for frame in MORE_FRAMES))
_CHOICE_OF_SLOTS = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")  # decided first, so that every slot left is an entity of the text
_ON_YEAR = re.compile(r"\b[Oo]n (?=(?:[A-Z][a-z]+ )?\d{4}\b)")  # "on 1998" → "in 1998"
FILLERS = (
    "Many people were surprised.", "The news spread quickly.", "Nobody knows how it will end.", "More will be known soon.",
    "It was a quiet day.",
    "The weather was fine.", "Experts see this as a good sign.", "Some critics were not convinced.", "There was music and cake.",
    "A speaker gave no numbers.",
)


@dataclass(frozen=True)
class News:
    """A text, its entities as (kind, name) in the order of appearance, and questions with answers from it."""

    text: str
    entities: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, str], ...]

    def of(self, kind: str) -> list[str]:
        """The different names of one kind, in order of appearance."""
        return list(dict.fromkeys(name for found, name in self.entities if found == kind))


def _sentence(rng: random.Random, taken: set[str]) -> News:
    template, questions = rng.choice(ALL_FRAMES)
    template = _CHOICE_OF_SLOTS.sub(lambda match: rng.choice(match[1].split("|")), template)
    names: dict[str, str] = {}
    for slot in (f"{kind}{number}" for kind in KINDS for number in "12"):
        if f"{{{slot}}}" in template:
            name = KINDS[slot[:-1]](rng)
            while any(name in other or other in name for other in taken):
                name = KINDS[slot[:-1]](rng)
            names[slot] = name
            taken.add(name)
    text = _ON_YEAR.sub("in ", expand(template, rng, {**names, "job": JOBS, "number": str(rng.randint(2, 90))}))
    order = sorted(names, key=lambda slot: template.index(f"{{{slot}}}"))
    asked = tuple((question.format(**names), names[slot]) for question, slot in questions)
    return News(text, tuple((slot[:-1], names[slot]) for slot in order), asked)


def news(rng: random.Random, low: int = 1, high: int = 4) -> News:
    """A text of some sentences whose names are all different."""
    taken: set[str] = set()
    parts = [_sentence(rng, taken) for _ in range(rng.randint(low, high))]
    lines = [part.text for part in parts]
    if rng.random() < 0.3:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(FILLERS))
    text = " ".join(line[:1].upper() + line[1:] for line in lines)
    return News(text, sum((part.entities for part in parts), ()), sum((part.questions for part in parts), ()))


def _asked(rng: random.Random, low: int, high: int) -> News:
    """A text with at least one question."""
    while True:
        one = news(rng, low, high)
        if one.questions:
            return one


def _with(rng: random.Random, kinds: Sequence[str], high: int = 4) -> News:
    while True:
        one = news(rng, 1, high)
        if all(one.of(kind) for kind in kinds):
            return one


def extract_all(rng: random.Random) -> Maker:
    joint = rng.choice(("\n", "\n", "\n", ", "))
    kinds = rng.choice((("person", "company", "place", "date"), ("person", "company", "place"),
        ("person", "company", "place", "date", "product")))
    form = rng.choice(("Extract the {}, in order of appearance.", "List {} of the text, one per line.",
        "Which {} are named? Keep their order.", "Find all {}."))
    instruction = form.format(", ".join(PLURALS[kind] for kind in kinds))

    def make(rng: random.Random) -> Example:
        one = news(rng)
        found = list(dict.fromkeys(name for kind, name in one.entities if kind in kinds))
        return Example(instruction, one.text, joint.join(found) or "none", joint == "\n")

    return make


def extract_kind(rng: random.Random) -> Maker:
    kind, joint = rng.choice(sorted(KINDS)), rng.choice(("\n", ", ", "; "))
    form = rng.choice(("Extract the {}.", "List all {}.", "Which {} occur in the text?", "{}:",
        "Names of {} in the text, in order:", "Find the {}, in order."))
    instruction = form.format(PLURALS[kind])

    def make(rng: random.Random) -> Example:
        one = news(rng)
        return Example(instruction, one.text, joint.join(one.of(kind)) or "none")

    return make


def typed(rng: random.Random) -> Maker:
    """Name and kind on each line."""
    form = rng.choice(("{0}: {1}", "{1} ({0})", "{1} - {0}", "{1} is a {0}", "{1} | {0}"))

    def make(rng: random.Random) -> Example:
        one = news(rng, 1, 3)
        return Example("List every name with its kind.", one.text,
            "\n".join(form.format(kind, name) for kind, name in one.entities))

    return make


def ask(rng: random.Random) -> Maker:
    first = rng.random() < 0.25

    def make(rng: random.Random) -> Example:
        one = _asked(rng, 1, 5)
        (question, answer), *rest = rng.sample(one.questions, min(len(one.questions), 1 if first else 4))
        return Example("Answer the question from the text.", f"{question}\n{one.text}" if first else f"{one.text}\n{question}",
            answer, True, more=tuple(rest))

    return make


def ask_often(rng: random.Random) -> Maker:
    """Every question about one text, answered line by line."""

    def make(rng: random.Random) -> Example:
        one = _asked(rng, 2, 3)
        chosen = rng.sample(one.questions, min(3, len(one.questions)))
        asked = "\n".join(f"{number}. {question}" for number, (question, _) in enumerate(chosen, 1))
        return Example("Answer each question from the text.", f"{one.text}\n\n{asked}",
            "\n".join(f"{number}. {answer}" for number, (_, answer) in enumerate(chosen, 1)), True)

    return make


def fill_form(rng: random.Random) -> Maker:
    kinds = rng.sample(("person", "company", "place", "date"), 2)

    def make(rng: random.Random) -> Example:
        one = _with(rng, kinds, 2)
        return Example(f"Fill in the form: {', '.join(kinds)}.", one.text,
            "\n".join(f"{kind.capitalize()}: {listed}" for kind, listed in ((kind, ", ".join(one.of(kind))) for kind in kinds)))

    return make


def which_kind(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        one = news(rng, 1, 2)
        kind, name = rng.choice(one.entities)
        return Example("Person, company, place, date or product?", f"{one.text}\nWhat is {name}?", kind)

    return make


def named(rng: random.Random) -> Maker:
    """Is the name in the text, and is it of this kind?"""

    def make(rng: random.Random) -> Example:
        one = news(rng, 1, 3)
        truth, kind = rng.random() < 0.5, rng.choice(one.entities)[0]
        name = rng.choice(one.of(kind)) if truth else KINDS[kind](rng)
        return Example("Answer yes or no.", f"{one.text}\nIs {name} named in the text?", "yes" if name in one.text else "no",
            True)

    return make


def digest(rng: random.Random) -> Maker:
    """Several texts; which of them is about the company, place or person?"""

    def make(rng: random.Random) -> Example:
        texts = [news(rng, 1, 2) for _ in range(rng.randint(2, 5))]
        index = rng.randrange(len(texts))
        name = rng.choice(texts[index].entities)[1]
        shown = "\n".join(f"[{number}] {one.text}" for number, one in enumerate(texts, 1))
        first = next(number for number, one in enumerate(texts, 1) if name in one.text)
        return Example("Answer with a number.", f"{shown}\nWhich text names {name}?", str(first), True)

    return make


TASKS = (extract_all, extract_all, extract_all, extract_kind, extract_kind, typed, ask, ask, ask, ask_often, fill_form,
    which_kind, named, digest)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless extraction and question exercises; plain news among them."""
    for exercise in stream(TASKS, rng, "entities"):
        yield exercise
        if rng.random() < 0.05:
            yield Document("text", text=news(rng, 2, 6).text, source="entities")
