"""Opinions in praise and blame: sentences, reviews of nine subjects, and tweets, from the hand-written tables.

A text has one mood. Where it concedes something, the part that decides comes from `frames.ini` and has the text's mood.
"""

from __future__ import annotations

import random
import re
from collections import Counter

from localtune.base.corpus.tasks.grammar import Slots, capital, expand, names, phrases, sentences
from localtune.base.corpus.tasks.moods import MOODS
from localtune.base.corpus.tasks.styles import restyled
from localtune.base.corpus.tasks.tables import raw, read
from localtune.base.corpus.tasks.words import CITIES, MONTHS, PRODUCTS, WEEKDAYS, invented

OTHER = {"positive": "negative", "negative": "positive"}
SUBJECTS = ("product", "film", "book", "restaurant", "hotel", "app", "service", "travel", "game")
_FRAMES = read("frames.ini")
THINGS = {subject: names(value) for subject, value in raw("frames.ini")["things"].items()}
ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "tenth")
_REPEATED = ("mine", "word", "word_a", "verdict", "back", "aspect")
_COMMON = {
    "positive": names("great, good, wonderful, lovely, superb, perfect, fantastic, brilliant, amazing, charming"),
    "negative": names("bad, terrible, awful, poor, horrible, dreadful, useless, disappointing, weak, boring"),
}
BEFORE_NOUN = {mood: _COMMON[mood] * 4 + words.before_noun for mood, words in MOODS.items()}
BUT = ("but", "yet", "however,", "although", "still,", "then again,")


def _numbered(frame: str) -> str:
    """The second {mine} becomes {mine1} and so on, as a text should not say the same twice."""
    seen: Counter[str] = Counter()

    def slot(match: re.Match[str]) -> str:
        seen[match[1]] += 1
        repeated = match[1] in _REPEATED and seen[match[1]] > 1
        return f"{{{match[1]}{seen[match[1]] - 1}}}" if repeated else match[0]

    return re.sub(r"\{(\w+)\}", slot, frame)


def _aspects() -> dict[str, dict[str, dict[str, tuple[str, ...]]]]:
    """Clauses by subject, aspect and mood."""

    def sides(text: str) -> dict[str, tuple[str, ...]]:
        good, bad = text.split("||")
        return {"positive": phrases(good), "negative": phrases(bad)}

    return {subject: {aspect: sides(text) for aspect, text in rows.items()} for subject, rows in raw("aspects.ini").items()}


ASPECTS = _aspects()
ASPECT_NAMES = {subject: tuple(rows) for subject, rows in ASPECTS.items()}
TURNS, PLAIN = (tuple(_numbered(frame) for frame in _FRAMES[kind]["frames"]) for kind in ("turn", "plain"))
BACK = {subject: _FRAMES["back"][subject] for subject in SUBJECTS}
COMPARISONS = {mood: _FRAMES[f"{mood} more"]["comparisons"] for mood in MOODS}
IRONY = _FRAMES["negative"]["irony"]


def scene(rng: random.Random, subject: str) -> Slots:
    """What stays the same within one text: the thing, days, places, numbers."""
    noun = thing(rng, subject)
    return {"thing": noun, "gadget": noun, "film": noun, "day": rng.choice(WEEKDAYS), "city": rng.choice(CITIES),
        "month": rng.choice(MONTHS), "brand": invented(rng), "n": str(rng.randint(2, 9)), "nth": rng.choice(ORDINALS)}


def thing(rng: random.Random, subject: str) -> str:
    """A noun of the subject."""
    return rng.choice(THINGS[subject])


def background(rng: random.Random, subject: str, setting: Slots) -> str:
    """A neutral clause: when, where, with whom."""
    return expand(rng.choice(BACK[subject] if rng.random() < 0.8 else _FRAMES["back"]["any"]), rng, setting)


def clauses(rng: random.Random, subject: str, mood: str) -> dict[str, str]:
    """The slots of a frame: what is conceded never speaks of an aspect that the verdict speaks of."""
    conceded, *aspects = rng.sample(ASPECT_NAMES[subject], 5)
    rows, own = ASPECTS[subject], _FRAMES[mood]
    slots = {"other": rng.choice(rows[conceded][OTHER[mood]]), "small": rng.choice(own["small"])}
    for number, aspect in enumerate(aspects):
        tail = str(number or "")
        slots[f"mine{tail}"], slots[f"aspect{tail}"] = rng.choice(rows[aspect][mood]), aspect
        slots[f"verdict{tail}"] = rng.choice(own["verdicts"])
        slots[f"word{tail}"], slots[f"word_a{tail}"] = rng.choice(MOODS[mood].adjectives), rng.choice(BEFORE_NOUN[mood])
    return slots


def framed(rng: random.Random, subject: str, mood: str, frames: tuple[str, ...], setting: Slots) -> str:
    """One of the frames, filled."""
    backs = {key: background(rng, subject, setting) for key in ("back", "back1")}
    return sentences(expand(rng.choice(frames), rng, {**setting, **backs, **clauses(rng, subject, mood)}))


def concession(rng: random.Random, subject: str, mood: str) -> str:
    """Something of the other mood is granted; the verdict has `mood`."""
    return framed(rng, subject, mood, TURNS, scene(rng, subject))


def _worded(rng: random.Random, subject: str, mood: str, setting: Slots) -> str:
    words = MOODS[mood]
    slots = {**setting, "aspect": ASPECT_NAMES[subject], "word": words.adjectives, "word_a": BEFORE_NOUN[mood],
        "negated": _FRAMES["worded"][mood], "noun": words.nouns, "verb": words.verbs, "adverb": words.adverbs}
    return capital(expand(rng.choice(_FRAMES["worded"]["frames"]), rng, slots))


def opinion(rng: random.Random, subject: str, mood: str, setting: Slots | None = None) -> str:
    """A sentence or two of praise or blame, without the last stop."""
    setting = setting or scene(rng, subject)
    kind = rng.random()
    if kind < 0.48:
        return rng.choice(MOODS[mood].lines[subject if kind < 0.26 else "any"])
    if kind < 0.56:
        return _worded(rng, subject, mood, setting)
    if kind < 0.62:
        return capital(expand(rng.choice(COMPARISONS[mood]), rng, setting))
    if kind < 0.65 and mood == "negative":
        return capital(rng.choice(IRONY))
    return framed(rng, subject, mood, PLAIN if kind < 0.86 else TURNS, setting)


def _joined(parts: list[str], rng: random.Random) -> str:
    """Sentences with their stops; questions and exclamations keep their own."""
    stop = rng.choice((". ", ". ", ". ", ". ", "! ", ", ", "... ", "\n"))
    if stop == ", ":
        parts = [parts[0], *(part if part.startswith(("I ", "I'")) else part[:1].lower() + part[1:] for part in parts[1:])]
    closed = [part if part[-1:] in "?!." else part + stop.rstrip() for part in parts[:-1]]
    last = parts[-1] + ("" if parts[-1][-1:] in "?!." else rng.choice((".", ".", ".", "!", "")))
    return ("\n" if stop == "\n" else " ").join([*closed, last])


def review(rng: random.Random, subject: str, mood: str) -> str:
    """A review of one to seven sentences; 'mixed' holds one opinion of each kind."""
    setting = scene(rng, subject)
    if mood == "mixed":
        first, second = rng.sample(("positive", "negative"), 2)
        later = rng.choice(MOODS[second].lines[rng.choice((subject, "any"))])
        start = rng.choice(MOODS[first].lines[subject])
        parts = [start, f"{capital(rng.choice(BUT))} {later[:1].lower()}{later[1:]}"]
    else:
        parts = [opinion(rng, subject, mood, setting) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5)))]
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4) if len(parts) > 1 else (0, 0, 0, 0, 1))):
        parts.insert(rng.choice((0, 0, len(parts))), capital(background(rng, subject, setting)))
    text = _joined(parts, rng)
    if rng.random() < 0.06:
        text = f"{capital(rng.choice(MOODS[mood].adjectives) if mood in MOODS else setting['thing'])}\n{text}"
    return restyled(text, rng) if rng.random() < 0.4 else text


def tweet(rng: random.Random, mood: str) -> str:
    """A short message with tags, handles, smileys and slang."""
    words = MOODS[mood]
    kind = rng.random()
    body = rng.choice(words.lines["tweet"]) if kind < 0.6 else opinion(rng, rng.choice(SUBJECTS), mood)
    body = body.lower() if rng.random() < 0.5 else body
    if rng.random() < 0.3:
        body += rng.choice((" ", ", ", "!! ", ". ")) + rng.choice(words.lines["tweet"])
    if rng.random() < 0.35:
        body = f"@{invented(rng)}{rng.choice(('', '_', str(rng.randint(1, 99))))} {body}"
    if rng.random() < 0.35:
        about = rng.choice(PRODUCTS + CITIES).replace(" ", "")
        body += f" #{about}" if rng.random() < 0.5 else " " + rng.choice(words.tags)
    if rng.random() < 0.4:
        body += " " + rng.choice(words.smileys)
    return body + (f" http://t.co/{invented(rng).lower()}" if rng.random() < 0.1 else "")


def any_text(rng: random.Random, mood: str) -> str:
    """A review of any subject, or a tweet."""
    if mood != "mixed" and rng.random() < 0.25:
        return tweet(rng, mood)
    return review(rng, rng.choice(SUBJECTS), mood)
