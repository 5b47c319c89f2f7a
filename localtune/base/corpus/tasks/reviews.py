"""Tasks on reviews and tweets: naming the sentiment under many label sets, stars, aspects, and writing on request."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import capital, expand
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.moods import MOODS
from localtune.base.corpus.tasks.opinions import (
    ASPECT_NAMES, ASPECTS, OTHER, SUBJECTS, any_text, background, concession, opinion, review, scene, thing, tweet,
)
from localtune.base.corpus.tasks.tables import raw

_FORMS = raw("sentiment.ini")
LABEL_SETS = tuple(tuple(part.strip() for part in line.split(" | ")) for line in _FORMS["two"]["forms"].strip().splitlines())
GIVEN = tuple(part.strip().replace("\\n", "\n") for line in _FORMS["given"]["forms"].strip().splitlines()
    for part in line.split(" | "))
ASK = ("[What do you think of|How do you like|Your opinion on] the {thing}?", "Write a {mood} review [of|about] {a} {thing}.",
    "Write a [short|brief] review of {a} {thing}. Be {mood}.", "Review: {thing}, {mood}",
    "Tell me what you noticed about the {thing} in a {mood} way.", "{mood} [comment|opinion|review] about {a} {thing}",
    "Compose {a_mood} {mood} review on {a} {thing} [we bought|for our page|for a shop|, please].",
    "Type: {thing}\nMood: {mood}\nReview:")
THREE = (
    ("Positive, negative or mixed?", ("positive", "negative", "mixed")), ("How many stars: 5, 3 or 1?", ("5", "1", "3")),
    ("Rate the text: good, bad, so-so", ("good", "bad", "so-so")), ("Give stars.", ("*****", "*", "***")),
    ("Sentiment: positive, neutral or negative", ("positive", "negative", "neutral")),
    ("Is the feedback positive, neutral or negative?", ("positive", "negative", "neutral")),
)
STARS = ("How many stars does the writer give, 1 to 5?", "Stars (1-5):", "Guess the rating from 1 (worst) to 5 (best).",
    "Rate the review on a scale of 1 to 5.", "Rating?")
CRITICISED = ("What does the writer criticise?", "Which aspect was bad?", "What was the customer unhappy with?",
    "Name the weak point.")
PRAISED = ("What does the writer praise?", "Which aspect was good?", "What did the customer like?", "Name the strong point.")
Writer = Callable[[random.Random, str], str]


def _about(subject: str) -> Writer:
    """Reviews of one subject only."""
    return lambda rng, mood: review(rng, subject, mood)


def _granting(rng: random.Random, mood: str) -> str:
    """Reviews that grant something to the other side."""
    return concession(rng, rng.choice(SUBJECTS), mood) + rng.choice((".", ".", "!", ""))


def _writer(rng: random.Random) -> Writer:
    one = _about(rng.choice(SUBJECTS))
    return rng.choice((any_text, any_text, any_text, one, one, tweet, _granting))


def two_labels(rng: random.Random) -> Maker:
    """Praise or blame, under one pair of labels; the plain names come most often."""
    instruction, yes, no = rng.choice(LABEL_SETS[:12] if rng.random() < 0.65 else LABEL_SETS)
    writer, form = _writer(rng), rng.choice(GIVEN).replace("{asked}", instruction)
    form = form.replace("{thing}", thing(rng, rng.choice(SUBJECTS)) if writer is any_text else "text")

    def make(rng: random.Random) -> Example:
        mood = rng.choice(("positive", "negative"))
        return Example(instruction, form.replace("{}", writer(rng, mood)), yes if mood == "positive" else no,
            clear=yes in ("positive", "Positive"))

    return make


def three_labels(rng: random.Random) -> Maker:
    """With a third label for mixed or for neutral texts."""
    instruction, labels = rng.choice(THREE)

    def make(rng: random.Random) -> Example:
        index = rng.randrange(3)
        if index == 2 and labels[2] == "neutral":
            subject = rng.choice(SUBJECTS)
            setting = scene(rng, subject)
            text = ". ".join(capital(background(rng, subject, setting)) for _ in range(rng.randint(1, 2))) + "."
        else:
            text = any_text(rng, ("positive", "negative", "mixed")[index])
        return Example(instruction, text, labels[index])

    return make


def stars(rng: random.Random) -> Maker:
    """Five stars for praise, four where something is granted; one and two for blame alike; three for mixed texts."""
    instruction = rng.choice(STARS)
    form = rng.choice(("{}", "{}", "{} stars", "{}/5"))

    def make(rng: random.Random) -> Example:
        given, subject = rng.randint(1, 5), rng.choice(SUBJECTS)
        mood = "positive" if given > 3 else "negative"
        if given == 3:
            text = review(rng, subject, "mixed")
        else:
            text = review(rng, subject, mood) if given in (1, 5) else concession(rng, subject, mood) + "."
        return Example(instruction, text, form.format(given))

    return make


def aspects(rng: random.Random) -> Maker:
    """Two to four aspects are judged, one of them unlike the others; name it."""
    mood = rng.choice(("positive", "negative"))
    instruction = rng.choice(PRAISED if mood == "positive" else CRITICISED)

    def make(rng: random.Random) -> Example:
        subject = rng.choice(SUBJECTS)
        wanted, *others = rng.sample(ASPECT_NAMES[subject], rng.randint(2, 4))
        rows = [(wanted, mood)] + [(aspect, OTHER[mood]) for aspect in others]
        rng.shuffle(rows)
        text = ". ".join(capital(rng.choice(ASPECTS[subject][aspect][one])) for aspect, one in rows) + "."
        return Example(f"{instruction} ({', '.join(sorted(aspect for aspect, _ in rows))})", text, wanted)

    def asked(rng: random.Random) -> Example:
        one = make(rng)
        return Example("Read the review and answer.", f"{one.given}\n{one.instruction}", one.answer, True)

    return asked


def written(rng: random.Random) -> Maker:
    """A review on request."""
    form = rng.choice(ASK)

    def make(rng: random.Random) -> Example:
        subject, mood = rng.choice(SUBJECTS), rng.choice(("positive", "negative", "positive", "negative", "mixed"))
        noun = thing(rng, subject)
        shown = form if "{mood}" in form else form + f" ({mood})"
        asked = expand(shown, rng, {"thing": noun, "mood": mood, "a": "a(n)", "a_mood": "a(n)"})
        return Example("Write the review.", asked, capital(review(rng, subject, mood)), clear=True)

    return make


def word_mood(rng: random.Random) -> Maker:
    """The mood of single words: the dictionary behind the sentences."""
    positive, negative = rng.choice((("positive", "negative"), ("good", "bad"), ("praise", "blame"), ("+", "-")))

    def make(rng: random.Random) -> Example:
        mood = rng.choice(("positive", "negative"))
        words = MOODS[mood].before_noun + MOODS[mood].nouns + MOODS[mood].verbs
        given = ", ".join(rng.sample(words, rng.choice((1, 1, 2, 3))))
        return Example(f"Does the word stand for something {positive} or {negative}?", given,
            positive if mood == "positive" else negative)

    return make


def phrase_mood(rng: random.Random) -> Maker:
    """The mood of one short opinion, under few labels: the step from words to texts."""
    positive, negative = rng.choice((("positive", "negative"), ("positive", "negative"), ("good", "bad"), ("+", "-")))
    subject = rng.choice((*SUBJECTS, ""))

    def make(rng: random.Random) -> Example:
        mood = rng.choice(("positive", "negative"))
        given = opinion(rng, subject or rng.choice(SUBJECTS), mood)
        return Example(f"{positive} or {negative}?", given, positive if mood == "positive" else negative)

    return make


def find_by_mood(rng: random.Random) -> Maker:
    """Several reviews; copy the one of the other mood."""
    mood = rng.choice(("positive", "negative"))

    def make(rng: random.Random) -> Example:
        subject = rng.choice(SUBJECTS)
        wanted = opinion(rng, subject, mood)
        rows = [wanted] + [opinion(rng, subject, OTHER[mood]) for _ in range(rng.randint(1, 3))]
        rng.shuffle(rows)
        return Example(f"Copy the {mood} comment.", "\n".join(rows), wanted)

    return make


def page_of_reviews(rng: random.Random) -> Maker:
    """A heading and its review, to be continued."""

    def make(rng: random.Random) -> Example:
        subject, mood = rng.choice(SUBJECTS), rng.choice(("positive", "negative"))
        given = rng.choice((4, 5) if mood == "positive" else (1, 2))
        return Example("Reviews with their stars.", f"{thing(rng, subject)}, {given} of 5 stars", review(rng, subject, mood),
            clear=True)

    return make


TASKS = (two_labels,) * 16 + (word_mood, phrase_mood, three_labels, stars, aspects, written, find_by_mood, page_of_reviews)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless reviews; single texts without a question among them."""
    for exercise in stream(TASKS, rng, "reviews"):
        yield exercise
        if rng.random() < 0.08:
            yield Document("text", text=any_text(rng, rng.choice(("positive", "negative", "mixed"))), source="reviews")
