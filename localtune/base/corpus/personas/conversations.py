"""Documents of persona chats: consistent turns, contrasts, style by example, completions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from localtune.base.corpus.document import Document
from localtune.base.corpus.facts import FACTS, Fact, question
from localtune.base.corpus.personas.prompts import FRAMES, frame, name, system
from localtune.base.corpus.personas.voices import Voice, plain, voice

SOURCE = "personas"
TURNS = {1: 52, 2: 18, 3: 12, 4: 8, 5: 6, 6: 4}
PLAIN = 0.07


def documents(rng: Random) -> Iterator[Document]:
    """Endless persona documents, determined by `rng`."""
    kinds = {chat: 57, contrast: 10, by_example: 12, asked: 7, switched: 4, completion: 10}
    while True:
        yield from rng.choices(list(kinds), list(kinds.values()))[0](rng)


def chat(rng: Random) -> Iterator[Document]:
    """One persona, one to six turns."""
    speaker = plain(rng) if rng.random() < PLAIN else voice(rng)
    yield conversation(speaker, some_facts(rng), rng)


def contrast(rng: Random) -> Iterator[Document]:
    """The same questions, asked of two personas in two conversations."""
    facts = some_facts(rng)
    questions = [question(fact, rng) for fact in facts]
    for speaker in (voice(rng), voice(rng)):
        yield conversation(speaker, facts, rng, questions)


def by_example(rng: Random) -> Iterator[Document]:
    """Question and answer lines show a style, which the answer then follows."""
    speaker, facts = voice(rng), rng.sample(FACTS, rng.randint(3, 5))
    ask, reply = layout(name(rng), rng)
    shown = [ask.replace("%q", question(fact, rng)) + reply + speaker.answer(fact, rng) for fact in facts[:-1]]
    last, answer = question(facts[-1], rng), speaker.answer(facts[-1], rng)
    head = frame("example", speaker, rng)
    if rng.random() < 0.3:
        shown = [f"{head}\n" + "\n".join(shown)]
        yield Document("chat", (message("system", shown[0]), message("user", last), message("assistant", answer)), source=SOURCE)
        return
    body = "\n".join([head, *shown, ask.replace("%q", last)])
    if rng.random() < 0.4:
        yield Document("completion", prompt=body, text=reply + answer, source=SOURCE)
    else:
        yield Document("chat", (message("user", body), message("assistant", answer)), source=SOURCE)


def asked(rng: Random) -> Iterator[Document]:
    """The user names the style together with the question."""
    speaker, fact = voice(rng), rng.choice(FACTS)
    text = frame("asked", speaker, rng, q=question(fact, rng))
    yield Document("chat", (message("user", text), message("assistant", speaker.answer(fact, rng))), source=SOURCE)


def switched(rng: Random) -> Iterator[Document]:
    """The persona changes in the middle of the conversation."""
    first, second = voice(rng), voice(rng)
    facts = rng.sample(FACTS, rng.randint(1, 2))
    start = conversation(first, facts, rng).messages
    facts = rng.sample(FACTS, rng.randint(1, 3))
    request = frame("switch", second, rng, q=question(facts[0], rng))
    questions = [request, *(question(fact, rng) for fact in facts[1:])]
    yield Document("chat", start + turns(second, facts, questions, rng), source=SOURCE)


def completion(rng: Random) -> Iterator[Document]:
    """A persona's description and one to three exchanges as plain text; the last answer is to be completed."""
    speaker, facts = voice(rng), rng.sample(FACTS, rng.choice((1, 1, 1, 2, 3)))
    bot = name(rng)
    ask, reply = layout(bot, rng)
    lines = [ask.replace("%q", question(fact, rng)) + reply + speaker.answer(fact, rng) for fact in facts[:-1]]
    lines.append(ask.replace("%q", question(facts[-1], rng)))
    gap = rng.choice(("\n", "\n\n"))
    prompt = system(speaker, rng, bot if bot in ask else None) + gap + "\n".join(lines)
    yield Document("completion", prompt=prompt, text=reply + speaker.answer(facts[-1], rng), source=SOURCE)


def layout(bot: str, rng: Random) -> tuple[str, str]:
    """A layout of an exchange with the bot of that name: the text around a question (%q), and what joins an answer to it."""
    ask = rng.choice(FRAMES["layouts"]).replace("{name}", bot)
    return ask, "" if ask.endswith("\n") else " "


def some_facts(rng: Random) -> list[Fact]:
    """The facts of one conversation."""
    return rng.sample(FACTS, rng.choices(list(TURNS), list(TURNS.values()))[0])


def conversation(speaker: Voice, facts: list[Fact], rng: Random, questions: list[str] | None = None) -> Document:
    """A system prompt and one turn for each fact."""
    questions = questions or [question(fact, rng) for fact in facts]
    start = (message("system", system(speaker, rng)),)
    return Document("chat", start + turns(speaker, facts, questions, rng), source=SOURCE)


def turns(speaker: Voice, facts: list[Fact], questions: list[str], rng: Random) -> tuple[dict[str, str], ...]:
    """Questions and answers as messages."""
    pairs = zip(questions, facts, strict=True)
    return tuple(
        line for q, fact in pairs for line in (message("user", q), message("assistant", speaker.answer(fact, rng)))
    )


def message(role: str, content: str) -> dict[str, str]:
    """One chat message."""
    return {"role": role, "content": content}
