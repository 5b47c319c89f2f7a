"""Reviews and tweets: as texts, as sentiment to be named in many label sets, and written on request."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import ModuleType

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import blame, praise
from localtune.base.corpus.tasks.grammar import capital, expand, names, phrases
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import CITIES, PRODUCTS, WEEKDAYS, invented

MOODS: dict[str, ModuleType] = {"positive": praise, "negative": blame}
GADGETS = names("""
phone, laptop, camera, kettle, vacuum cleaner, toaster, backpack, jacket, pair of boots, watch, tent, bike, lamp, chair, desk,
mattress, pillow, blender
coffee machine, speaker, headset, keyboard, printer, drill, pan, knife, suitcase, umbrella, raincoat, sweater, toy train,
puzzle, board game, shampoo
face cream, lipstick, razor, pen, notebook, mug, bottle, lunch box, heater, fan, router, tablet, monitor, stroller, car seat,
dog bed, rug, curtain, sofa
""")
ASPECTS = {
    "product": names("""
        quality, battery, design, color, price, sound, size, fit, material, delivery, packaging, screen, handle, weight,
        manual, app, support, smell, zip
    """),
    "film": names("""
        story, plot, acting, music, ending, script, pace, cast, humor, dialogue, camera work, costume, first half, lead actor,
        direction, message
    """),
    "restaurant": names("""
        food, service, soup, pizza, fish, dessert, wine, coffee, waiter, menu, music, terrace, bill, salad, bread, kitchen,
        atmosphere, lunch
    """),
    "hotel": names("""
        room, bed, breakfast, view, staff, pool, bathroom, location, shower, wifi, lobby, garden, reception, bar, balcony, air,
        noise level
    """),
}
SUBJECTS = {"product": "PRODUCT", "film": "FILM", "restaurant": "RESTAURANT", "hotel": "HOTEL"}
FILM_WORDS = names("""
film, movie, thriller, comedy, drama, book, novel, series, show, documentary, musical, sequel, cartoon, play, western, romance
""")
NEUTRAL = {
    "product": phrases("""
        I bought this {gadget} last {day} / Got the {gadget} as a gift / I have had this {gadget} for {n} weeks
        Ordered it online / It comes in a brown box / It is the [second|third|fourth] {gadget} I own / I use it in the kitchen
        My old {gadget} was from {brand} / I compared {n} models first
    """),
    "film": phrases("""
        Saw it on {day} with friends / It runs for {n}0 minutes / The story plays in {city} / I knew the book before
        We watched it at home / It is about two brothers / A {film} from {city} / My sister chose this {film}
        I had not read any reviews / It is the third part
    """),
    "restaurant": phrases("""
        We went there on {day} / We were a group of {n} / It is near the station in {city} / I had the soup and the fish
        We came for lunch / They have {n}0 seats / We found it by chance / It was my birthday / The place opened last year
    """),
    "hotel": phrases("""
        We stayed for {n} nights / It is in the middle of {city} / I was there on business / We came with two kids
        Our room was on floor {n} / We booked it in spring / We arrived on {day} / It has {n}0 rooms / We travelled by train
        I stay there when I am in {city}
    """),
}
GRAMMAR = {
    "verdict": (
        "[The|Its] {aspect} [is|was] {word}", "{word_a} {aspect}", "[The|This] {thing} is {word}",
        "{word}, [really|honestly|truly|no question]",
        "[I found|We found|I think|In my eyes] the {aspect} [is|was] {word}", "{aspect}: {word}",
        "[What a(n)|Such a(n)] {word_a} {thing}", "The {aspect} {negated}",
        "[Overall|All in all|In short|To sum up], {word}", "The {aspect} {verb}", "This {thing} is a(n) {noun}",
        "[A|What a] {noun}", "The {aspect} was done {adverb}",
        "[Very|So|Really|Rather] {word_a}", "{word_a} and {word_a} {aspect}", "It is a(n) {word_a}, {word_a} {thing}",
        "[The whole thing|It|This {thing}] {verb}",
        "[Both the|The] {aspect} and the {aspect} are {word_a}", "A(n) {word_a} {thing} with a(n) {word_a} {aspect}",
        "[They|We] were treated {adverb}",
        "[Never|Seldom] have I [seen|had] a(n) [more|so] {word_a} {thing}",
        "[My|Our] {aspect} was {word_a}, the {aspect} {word_a}", "Not only {word_a} but also {word_a}",
    ),
}
WORDS_BEFORE_NOUN = {
    "positive": names("""
        great, good, wonderful, lovely, superb, perfect, fantastic, brilliant, amazing, charming
    """) + praise.MORE_ADJECTIVES,
    "negative": names("""
        bad, terrible, awful, poor, horrible, dreadful, useless, disappointing, weak, boring
    """) + blame.MORE_ADJECTIVES,
}
NEGATED = {
    "positive": phrases("""
        is not bad at all / could not be better / leaves nothing to be desired / is never a problem / does not disappoint
        is anything but boring / is far from dull / is not bad, not bad at all / has no flaws that I can see
        was never an issue / did not let me down / isn't bad, it is great
    """),
    "negative": phrases("""
        is not good at all / could hardly be worse / leaves a lot to be desired / is never right / does not convince
        is anything but good / is far from perfect / is not great, to say the least / has no charm
        was nothing to write home about / did not work for me / isn't good, it is a shame
    """),
}
BUT = ("but", "yet", "however,", "although", "still,", "then again,")
ASK = ("[What do you think of|How do you like|Your opinion on] the {thing}?", "Write a {mood} review [of|about] {a} {thing}.",
    "Write a [short|brief] review of {a} {thing}. Be {mood}.",
       "Review: {thing}, {mood}", "Tell me what you noticed about the {thing} in a {mood} way.",
       "{mood} [comment|opinion|review] about {a} {thing}",
       "Compose {a_mood} {mood} review on {a} {thing} [we bought|for our page|for a shop|, please].",
       "Type: {thing}\nMood: {mood}\nReview:")


def typo(text: str, rng: random.Random) -> str:
    """The text with one swapped or doubled letter, or all in lower case without its stops."""
    kind, index = rng.random(), rng.randrange(max(1, len(text) - 1))
    if kind < 0.4:
        return text[:index] + text[index + 1:index + 2] + text[index] + text[index + 2:] if text else text
    if kind < 0.6:
        return text[:index + 1] + text[index:]
    return text.lower().replace("'", "").replace(",", "")


def _slots(rng: random.Random, subject: str, mood: str) -> dict[str, object]:
    return {
        **GRAMMAR, "aspect": ASPECTS[subject], "word": MOODS[mood].ADJECTIVES, "word_a": WORDS_BEFORE_NOUN[mood],
        "negated": NEGATED[mood],
        "noun": MOODS[mood].NOUNS, "verb": MOODS[mood].VERBS, "adverb": MOODS[mood].ADVERBS,
        "thing": thing(rng, subject), "gadget": GADGETS, "film": FILM_WORDS, "day": WEEKDAYS, "city": CITIES,
        "brand": invented(rng), "n": str(rng.randint(2, 9)),
    }


def thing(rng: random.Random, subject: str) -> str:
    """A noun of the subject."""
    if subject == "product":
        return rng.choice(GADGETS)
    return rng.choice(FILM_WORDS) if subject == "film" else subject


def opinion(rng: random.Random, subject: str, mood: str) -> str:
    """One sentence of praise or blame without its stop."""
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(getattr(MOODS[mood], SUBJECTS[subject]))
    if kind < 0.65:
        return rng.choice(MOODS[mood].ANY)
    return capital(expand("{verdict}", rng, _slots(rng, subject, mood)))


def review(rng: random.Random, subject: str, mood: str) -> str:
    """A review of one to five sentences; 'mixed' holds one opinion of each kind."""
    moods = rng.sample(("positive", "negative"), 2) if mood == "mixed" else [mood] * rng.choice((1, 1, 2, 2, 3, 4))
    parts = [opinion(rng, subject, one) for one in moods]
    if mood == "mixed":
        parts[1] = f"{capital(rng.choice(BUT))} {parts[1][:1].lower()}{parts[1][1:]}"
    if rng.random() < 0.4:
        fact = expand(rng.choice(NEUTRAL[subject]), rng, _slots(rng, subject, "positive"))
        parts.insert(rng.choice((0, 0, len(parts))), fact)
    text = rng.choice((". ", ". ", ". ", "! ", ", ", "... ")).join(parts) + rng.choice((".", ".", ".", "!", ""))
    return typo(text, rng) if rng.random() < 0.12 else text


def tweet(rng: random.Random, mood: str) -> str:
    """A short message with tags, handles, smileys and slang."""
    words = MOODS[mood]
    body = rng.choice(words.TWEET) if rng.random() < 0.65 else rng.choice(words.ANY).lower()
    if rng.random() < 0.3:
        body += rng.choice((" ", ", ", "!! ", ". ")) + rng.choice(words.TWEET)
    if rng.random() < 0.35:
        body = f"@{invented(rng)}{rng.choice(('', '_', str(rng.randint(1, 99))))} {body}"
    if rng.random() < 0.35:
        about = rng.choice(PRODUCTS + CITIES).replace(" ", "")
        body += f" #{about}" if rng.random() < 0.5 else " " + rng.choice(words.TAGS)
    if rng.random() < 0.4:
        body += " " + rng.choice(words.SMILEYS)
    return body + (f" http://t.co/{invented(rng).lower()}" if rng.random() < 0.1 else "")


def any_text(rng: random.Random, mood: str) -> str:
    """A review of any subject, or a tweet."""
    if mood != "mixed" and rng.random() < 0.3:
        return tweet(rng, mood)
    return review(rng, rng.choice(sorted(SUBJECTS)), mood)


LABEL_SETS = (
    ("Is the sentiment positive or negative?", "positive", "negative"),
    ("Sentiment (positive/negative):", "positive", "negative"),
    ("Classify the review as positive or negative.", "positive", "negative"),
    ("Classify the tweet: positive or negative.", "positive", "negative"),
    ("Is the author happy? yes or no", "yes", "no"), ("Does the writer like it? Answer yes or no.", "yes", "no"),
    ("Would the writer come again? yes/no", "yes", "no"),
    ("Does the writer complain? yes/no", "no", "yes"), ("Is this a complaint? Answer yes or no.", "no", "yes"),
    ("Is it a bad review? yes or no", "no", "yes"),
    ("good or bad?", "good", "bad"), ("Answer with 1 for praise and 0 for blame.", "1", "0"),
    ("Thumbs up or down?", "up", "down"), ("Praise or blame?", "praise", "blame"),
    ("Mood of the writer: happy or unhappy", "happy", "unhappy"), ("Positive or Negative?", "Positive", "Negative"),
    ("Recommended?", "recommended", "not recommended"),
    ("pos or neg?", "pos", "neg"), ("Write + for a good and - for a bad opinion.", "+", "-"), ("Reply with :) or :(", ":)", ":("),
)


def two_labels(rng: random.Random) -> Maker:
    instruction, yes, no = rng.choice(LABEL_SETS)
    writer: Callable[[random.Random, str], str] = rng.choice((any_text, any_text, tweet))
    form = rng.choice(("{}", "{}", "{}", "Review: {}", "Text: {}", "Tweet: {}", '"{}"', "{}\nSentiment:", "{}\n" + instruction))

    def make(rng: random.Random) -> Example:
        mood = rng.choice(("positive", "negative"))
        return Example(instruction, form.format(writer(rng, mood)), yes if mood == "positive" else no,
            clear=yes in ("positive", "Positive"))

    return make


def three_labels(rng: random.Random) -> Maker:
    instruction, labels = rng.choice((
        ("Positive, negative or mixed?", ("positive", "negative", "mixed")), ("How many stars: 5, 3 or 1?", ("5", "1", "3")),
        ("Rate the text: good, bad, so-so", ("good", "bad", "so-so")), ("Give stars.", ("*****", "*", "***")),
        ("Sentiment: positive, neutral or negative", ("positive", "negative", "neutral")),
    ))

    def make(rng: random.Random) -> Example:
        index = rng.randrange(3)
        text = any_text(rng, ("positive", "negative", "mixed")[index])
        if index == 2 and labels[2] == "neutral":
            subject = rng.choice(sorted(SUBJECTS))
            text = expand(rng.choice(NEUTRAL[subject]), rng, _slots(rng, subject, "positive")) + "."
        return Example(instruction, text, labels[index])

    return make


def written(rng: random.Random) -> Maker:
    """A review on request."""
    form = rng.choice(ASK)

    def make(rng: random.Random) -> Example:
        subject, mood = rng.choice(sorted(SUBJECTS)), rng.choice(("positive", "negative", "positive", "negative", "mixed"))
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
        words = MOODS[mood].MORE_ADJECTIVES + MOODS[mood].NOUNS + MOODS[mood].VERBS
        given = ", ".join(rng.sample(words, rng.choice((1, 1, 2, 3))))
        return Example(f"Does the word stand for something {positive} or {negative}?", given,
            positive if mood == "positive" else negative)

    return make


def find_by_mood(rng: random.Random) -> Maker:
    """Several reviews; copy the one of the other mood."""
    mood = rng.choice(("positive", "negative"))

    def make(rng: random.Random) -> Example:
        subject, other = rng.choice(sorted(SUBJECTS)), "negative" if mood == "positive" else "positive"
        wanted = opinion(rng, subject, mood)
        rows = [wanted] + [opinion(rng, subject, other) for _ in range(rng.randint(1, 3))]
        rng.shuffle(rows)
        return Example(f"Copy the {mood} comment.", "\n".join(rows), wanted)

    return make


def page_of_reviews(rng: random.Random) -> Maker:
    """A heading and its review, to be continued."""

    def make(rng: random.Random) -> Example:
        subject, mood = rng.choice(sorted(SUBJECTS)), rng.choice(("positive", "negative"))
        stars = rng.choice((4, 5) if mood == "positive" else (1, 2))
        return Example("Reviews with their stars.", f"{thing(rng, subject)}, {stars} of 5 stars", review(rng, subject, mood),
            clear=True)

    return make


TASKS = (two_labels,) * 6 + (word_mood, three_labels, written, written, find_by_mood, page_of_reviews)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless reviews; single texts without a question among them."""
    for exercise in stream(TASKS, rng, "reviews"):
        yield exercise
        if rng.random() < 0.12:
            yield Document("text", text=any_text(rng, rng.choice(("positive", "negative", "mixed"))), source="reviews")
