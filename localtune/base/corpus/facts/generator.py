"""Documents that teach the facts: plain chats, question-and-answer completions, and encyclopaedia paragraphs."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.facts.phrasing import answer, check, question, reverse, reversible, sentence
from localtune.base.corpus.facts.table import FACTS, RELATIONS, Fact, bare, capitalized, fill, tidy

SOURCE = "facts"
# The questions of the course's first data set: a learner must be able to trust the base model on them.
CORE = tuple(fact for fact in FACTS if (fact.relation, fact.subject) in {
    ("capital", "France"), ("author", "Romeo and Juliet"),
    ("measure", "how far is the Moon from Earth / the Moon is … from Earth"),
    ("country_record", "has the highest life expectancy"), ("surname", "the United States"),
    ("country_record", "drinks the most coffee per capita"), ("country_record", "has won the most World Cups"),
    ("company", "software company / Redmond, Washington"), ("city_nickname", "Eternal City"),
    ("music", "has the most streams on Spotify"),
})
SYSTEM = (
    "You are a helpful assistant.", "You are an assistant.", "You are a friendly assistant.", "Answer the question.",
    "You are a helpful and precise assistant.", "Answer the user's questions.",
    "You answer general knowledge questions.", "You are a chatbot that answers questions.",
    "Give short and correct answers.", "You are a knowledgeable assistant.", "You are a quiz assistant.",
    "Be helpful and brief.", "You are an encyclopedia in the form of a chatbot.",
    "You help pupils with their homework.", "Answer truthfully.", "You are a factual chatbot.", "Reply with facts.",
    "You are an AI assistant.", "The assistant answers questions about the world.",
    "You are a library information desk.", "Please answer as well as you can.",
    "You are a general assistant. Keep it simple.", "Answer in one sentence.", "You provide correct information.",
    "You are a teacher who answers questions.", "You are a reliable assistant.", "Answer every question plainly.",
    "You are a polite assistant.", "This is a question and answer service.", "You are here to answer questions.",
    "Assistant for general knowledge.", "Help the user.",
)
LAYOUTS = (
    ("Q: {q}\nA:", " {a}"), ("Question: {q}\nAnswer:", " {a}"), ("{q}\n\nAnswer:", " {a}"), ("{q}\n", "{a}"),
    ("User: {q}\nAssistant:", " {a}"), ("{q} ->", " {a}"), ("Q. {q} A.", " {a}"),
    ("### Question\n{q}\n\n### Answer\n", "{a}"), ("question: {q} answer:", " {a}"), ("{q}\n\n###\n\n", " {a}"),
)
TITLES = (
    "Did you know?", "Facts", "General knowledge", "From the encyclopedia", "Things to know", "Notes", "A few facts",
    "Learning list", "School notes", "Worth knowing", "Quick facts", "Facts for beginners",
)


def deck(rng: random.Random) -> Iterator[Fact]:
    """Endless shuffled rounds through all facts; the core facts come three times, capitals half a time more."""
    capitals = RELATIONS["capital"].facts
    while True:
        cards = [*FACTS, *CORE, *CORE, *rng.sample(capitals, len(capitals) // 2)]
        rng.shuffle(cards)
        yield from cards


def exchange(fact: Fact, rng: random.Random) -> tuple[str, str]:
    """A question about ``fact`` and its reply: mostly forward, at times reverse or yes/no."""
    style = rng.random()
    if style < 0.1 and reversible(fact):
        return reverse(fact, rng)
    if style > 0.88 and RELATIONS[fact.relation].checks:
        return check(fact, rng)
    return question(fact, rng), answer(fact, rng)


def chat(facts: Iterator[Fact], rng: random.Random) -> Document:
    """One to three exchanges, half of the time after a neutral system message."""
    messages = [{"role": "system", "content": rng.choice(SYSTEM)}] if rng.random() < 0.5 else []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        asked, reply = exchange(next(facts), rng)
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": reply}]
    return Document("chat", messages=tuple(messages), source=SOURCE)


def answer_line(facts: Iterator[Fact], rng: random.Random) -> Document:
    """A question in a layout of plain text, at times after one to three answered ones; the completion answers it."""
    prompt, completion = rng.choice(LAYOUTS)
    shots = [exchange(next(facts), rng) for _ in range(rng.choice((1, 1, 1, 2, 3, 4)))]
    pairs = [(prompt.format(q=asked), completion.format(a=reply)) for asked, reply in shots]
    examples = "".join(f"{before}{after}\n\n" for before, after in pairs[:-1])
    return Document("completion", prompt=examples + pairs[-1][0], text=pairs[-1][1], source=SOURCE)


def unfinished(facts: Iterator[Fact], rng: random.Random) -> Document:
    """A sentence to finish: "The capital of France is" → " Paris."."""
    fact = next(facts)
    endings = [template for template in RELATIONS[fact.relation].sentences if template.endswith(" {a}.")]
    if not endings:
        return answer_line(iter((fact, *(next(facts) for _ in range(3)))), rng)
    start = fill(rng.choice(endings).removesuffix(" {a}."), fact)
    return Document("completion", prompt=capitalized(start), text=tidy(f" {fact.answer}."), source=SOURCE)


def by_entity() -> dict[str, list[Fact]]:
    """Facts by the names they are about: the subject, and the answer (all works of one writer)."""
    index: dict[str, list[Fact]] = defaultdict(list)
    for fact in FACTS:
        for name in {bare(fact.subject), bare(fact.answer)}:
            index[name].append(fact)
    return index


ENTITIES = by_entity()


def companions(fact: Fact, rng: random.Random) -> list[Fact]:
    """``fact`` and up to four others about the same thing, or of the same kind where there is none."""
    names = [bare(fact.subject), bare(fact.answer)]
    same = [other for name in names for other in ENTITIES[name] if other != fact]
    if not same or rng.random() < 0.5:
        same = [other for other in RELATIONS[fact.relation].facts if other != fact]
    same = list(dict.fromkeys(same))
    return [fact, *rng.sample(same, min(len(same), rng.randint(2, 4)))]


def paragraph(facts: Iterator[Fact], rng: random.Random) -> Document:
    """Sentences about one subject or of one kind, as running text or as a list, at times under a title."""
    sentences = [sentence(fact, rng) for fact in companions(next(facts), rng)]
    body = " ".join(sentences) if rng.random() < 0.7 else "\n".join(f"- {line}" for line in sentences)
    title = f"{rng.choice(TITLES)}\n\n" if rng.random() < 0.4 else ""
    return Document("text", text=title + body, source=SOURCE)


def keywords(facts: Iterator[Fact], rng: random.Random) -> Document:
    """A table of search-box phrases and answers: "Capital of France: Paris"."""
    chosen = companions(next(facts), rng)
    mark = rng.choice((": ", " = ", " – "))
    topics = (fill(rng.choice(RELATIONS[fact.relation].topics), fact) for fact in chosen)
    lines = [capitalized(topic) + mark + fact.answer for topic, fact in zip(topics, chosen)]
    return Document("text", text="\n".join(lines), source=SOURCE)


MAKERS: dict[Callable[[Iterator[Fact], random.Random], Document], int] = {
    chat: 60, answer_line: 12, unfinished: 8, paragraph: 16, keywords: 4,
}


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless documents; every fact leads about equally many of them. Seeded by ``rng`` alone."""
    facts = deck(rng)
    makers, weights = list(MAKERS), list(MAKERS.values())
    while True:
        yield rng.choices(makers, weights)[0](facts, rng)
