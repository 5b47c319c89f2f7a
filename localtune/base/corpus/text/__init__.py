"""Running text of the small world, alone and as exercises: write it, summarise it, advertise from it, ask about it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import listed
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.text.articles import Article, article
from localtune.base.corpus.text.daily import how_to, notice, recipe, weather
from localtune.base.corpus.text.stories import DIARY, LETTER, STORY, tale


def _headed(one: Article, rng: random.Random) -> str:
    return rng.choice(("{0}\n\n{1}", "# {0}\n{1}", "{1}", "{0}: {1}", "Title: {0}\nText: {1}")).format(one.title, one.text)


def plain(rng: random.Random) -> str:
    """One text of any sort."""
    kind = rng.random()
    if kind < 0.35:
        return _headed(article(rng, 3, 12), rng)
    if kind < 0.65:
        return tale(rng)
    if kind < 0.75:
        title, foods, steps = recipe(rng)
        return rng.choice((f"{title}\nYou need: {listed(foods)}.\n{steps}", f"{title}\n\n{steps}", f"{title}: {steps}"))
    if kind < 0.85:
        title, steps = how_to(rng)
        return f"{title}\n\n{steps}" if rng.random() < 0.6 else f"{title}: {steps}"
    return weather(rng) if kind < 0.93 else notice(rng)


def advertise(rng: random.Random) -> Maker:
    """An advert from an article, as a copywriter would do it: only with what the article says."""
    instruction = rng.choice(("Write an ad based on the article.", "Turn the article into an advert.",
        "Make an ad out of this text. Use only its facts.", "Ad, please.", "Write a short advertisement from the text."))

    def make(rng: random.Random) -> Example:
        one = article(rng, 3, 12)
        return Example(instruction, f"{one.title}\n{one.text}" if rng.random() < 0.5 else one.text, one.ad, True)

    return make


def summarise(rng: random.Random) -> Maker:
    instruction = rng.choice(("Summarise the text in one sentence.", "In one sentence, what is the text about?",
        "Give a short summary.", "TL;DR", "Write the first line of a lexicon entry."))

    def make(rng: random.Random) -> Example:
        one = article(rng, 3, 12)
        return Example(instruction, one.text, one.summary)

    return make


def entitle(rng: random.Random) -> Maker:
    wants_kind = rng.random() < 0.5
    kinds = "What is the text about: company, town, animal, tool, person, book, dish or festival?"
    asked = kinds if wants_kind else "Give the text a title."

    def make(rng: random.Random) -> Example:
        one = article(rng)
        return Example(asked, one.text, one.kind if wants_kind else one.title)

    return make


def find_article(rng: random.Random) -> Maker:
    """Several articles with titles; write the ad or the summary of one."""
    ad = rng.random() < 0.5

    def make(rng: random.Random) -> Example:
        shown = [article(rng, 2, 4) for _ in range(rng.randint(2, 5))]
        one = rng.choice(shown)
        text = "\n\n".join(f"{each.title}\n{each.text}" for each in shown)
        return Example("Read the articles.", f"{text}\n\n{'Write an ad for' if ad else 'Summarise in one sentence:'} {one.title}",
            one.ad if ad else one.summary, True)

    return make


def compose(rng: random.Random) -> Maker:
    """Texts on request."""
    story = {"story": STORY, "diary entry": DIARY, "letter": LETTER}

    def make(rng: random.Random) -> Example:
        kind = rng.choice(("story", "story", "diary entry", "letter", "how", "how", "recipe", "recipe", "article"))
        if kind in story:
            return Example("Write what the user asks for.",
                rng.choice((f"Write a short {kind}.", f"Please write a {kind}.", f"I need a {kind}.", f"A {kind}, please.")),
                tale(rng, story[kind]), True)
        if kind == "how":
            title, steps = how_to(rng)
            return Example("Write what the user asks for.",
                rng.choice((f"{title}?", title, f"Explain: {title}", f"Tell me {title[0].lower()}{title[1:]}.")), steps, True)
        if kind == "recipe":
            _, foods, steps = recipe(rng)
            return Example("Write what the user asks for.",
                rng.choice((f"A recipe with {listed(foods)}", f"What can I cook with {listed(foods)}?",
                f"Recipe: {', '.join(foods)}")), steps, True)
        one = article(rng)
        return Example("Write what the user asks for.", f"Write an article about {one.title} ({one.kind}).", one.text, True)

    return make


def report_facts(rng: random.Random) -> Maker:
    """Which city is the weather report about, or what does a recipe need?"""

    def make(rng: random.Random) -> Example:
        _, foods, steps = recipe(rng)
        used = [food for food in foods if food in steps]
        other = rng.choice([food for food in ("garlic", "honey", "rice", "fish", "apple") if food not in steps])
        truth = bool(used) and rng.random() < 0.5
        food = rng.choice(used) if truth else other
        return Example("Answer yes or no.", f"{steps}\nDoes the recipe use {food}?", "yes" if truth else "no", True)

    return make


TASKS = (advertise, advertise, advertise, summarise, summarise, entitle, find_article, compose, compose, compose, report_facts)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless texts and exercises on texts, about half and half."""
    exercises = stream(TASKS, rng, "text")
    while True:
        yield next(exercises) if rng.random() < 0.5 else Document("text", text=plain(rng), source="text")
