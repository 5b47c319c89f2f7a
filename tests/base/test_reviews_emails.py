"""Breadth and truth of the corpus' reviews and mails: labels, concessions, tables, variety."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from localtune.base.corpus.tasks import emails, opinions, reviews, styles
from localtune.base.corpus.tasks.layout import Task
from localtune.base.corpus.tasks.mails import HEADS, REGISTERS, mail
from localtune.base.corpus.tasks.tables import read
from localtune.base.corpus.tasks.topics import TOPICS

MOODS = ("positive", "negative")
FRAMES = read("frames.ini")


def lowered(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.lower() for text in texts)


def spoken(subject: str, mood: str) -> set[str]:
    """Clauses and verdicts that only a text of this mood may end on."""
    rows = [clause for aspect in opinions.ASPECTS[subject].values() for clause in aspect[mood]]
    return set(lowered((*rows, *FRAMES[mood]["verdicts"])))


def last_said(text: str, subject: str) -> str:
    """The mood of the clause that ends latest in the text; of two that end together, the longer."""
    low = text.lower()
    found = [(low.rfind(clause) + len(clause), len(clause), mood) for mood in MOODS for clause in spoken(subject, mood)
        if clause in low]
    return max(found)[2]


@pytest.mark.parametrize("mood", MOODS)
def test_what_follows_but_decides(mood: str) -> None:
    rng = random.Random(1)
    turn = re.compile(r"\b(but|yet|however,|nevertheless|even so,|that said,|still,)\b", re.IGNORECASE)
    checked = 0
    for _ in range(600):
        subject = rng.choice(opinions.SUBJECTS)
        text = opinions.concession(rng, subject, mood)
        if turn.search(text):
            checked += 1
            assert last_said(text, subject) == mood, text
    assert checked > 200


def test_every_concessive_frame_says_both_sides() -> None:
    for frame in FRAMES["turn"]["frames"]:
        assert ("{other}" in frame) != ("{small}" in frame), frame
        assert "{mine}" in frame or "{verdict}" in frame, frame
    for frame in FRAMES["plain"]["frames"]:
        assert "{other}" not in frame and "{small}" not in frame, frame
        assert re.search(r"\{(mine|verdict|word|word_a)\}", frame), frame


def test_what_is_conceded_and_what_decides_speak_of_different_aspects() -> None:
    rng = random.Random(2)
    for _ in range(500):
        subject = rng.choice(opinions.SUBJECTS)
        slots = opinions.clauses(rng, subject, "negative")
        decided = {slots[key] for key in slots if key.startswith("aspect")}
        owners = {aspect for aspect, rows in opinions.ASPECTS[subject].items() if slots["other"] in rows["positive"]}
        assert owners - decided


def test_every_label_set_names_two_labels_in_equal_shares() -> None:
    assert len({question for question, _, _ in reviews.LABEL_SETS}) == len(reviews.LABEL_SETS) >= 50
    assert all(yes != no for _, yes, no in reviews.LABEL_SETS)
    rng = random.Random(3)
    for _ in range(10):
        make = reviews.two_labels(rng)
        counts = Counter(make(rng).answer for _ in range(300))
        assert len(counts) == 2 and min(counts.values()) > 105


@pytest.mark.parametrize("task", [reviews.stars, emails.urgency], ids=lambda task: task.__name__)
def test_grades_are_balanced(task: Task) -> None:
    rng = random.Random(4)
    make = task(rng)
    counts = Counter(make(rng).answer for _ in range(1_000))
    assert min(counts.values()) > 0.75 * 1_000 / len(counts)


def test_most_reviews_ask_for_the_sentiment() -> None:
    assert reviews.TASKS.count(reviews.two_labels) / len(reviews.TASKS) >= 0.65


def test_praise_and_blame_hold_a_thousand_lines_each_and_share_none() -> None:
    lines = {mood: {line.lower() for rows in words.lines.values() for line in rows} for mood, words in opinions.MOODS.items()}
    assert min(map(len, lines.values())) >= 1_000
    assert not lines["positive"] & lines["negative"]
    assert all(set(words.lines) >= {*opinions.SUBJECTS, "any", "tweet"} for words in opinions.MOODS.values())
    assert not set(FRAMES["positive"]["verdicts"]) & set(FRAMES["negative"]["verdicts"])


def distinct(texts: list[str], size: int) -> float:
    """Different word sequences of a size among all of them (distinct-n, Li et al. 2016)."""
    grams = [tuple(words[n:n + size]) for words in (text.lower().split() for text in texts) for n in range(len(words) - size + 1)]
    return len(set(grams)) / len(grams)


def test_reviews_are_more_varied_than_a_single_frame() -> None:
    rng = random.Random(5)
    broad = [opinions.review(rng, rng.choice(opinions.SUBJECTS), rng.choice(MOODS)) for _ in range(2_000)]
    naive = [f"The {rng.choice(opinions.ASPECT_NAMES['product'])} of this {opinions.thing(rng, 'product')} is "
        f"{rng.choice(opinions.MOODS[rng.choice(MOODS)].adjectives)}." for _ in range(2_000)]
    assert len(set(broad)) > 1_900
    assert distinct(broad, 2) > 1.3 * distinct(naive, 2)
    assert len({word for text in broad for word in text.lower().split()}) > 4_000


@pytest.mark.parametrize("style", styles.STYLES, ids=lambda style: style.__name__)
def test_careless_styles_keep_the_text_readable(style: styles.Style) -> None:
    rng, text = random.Random(6), "I really love this lamp, and you're going to want to keep it because it's great."
    changed = [style(text, rng) for _ in range(50)]
    assert any(one != text for one in changed)
    assert all(abs(len(one) - len(text)) < 40 for one in changed)


def test_topics_are_many_and_each_has_its_own_words() -> None:
    assert len(TOPICS) >= 60
    cores = [core.lower() for topic in TOPICS for core in (*topic.problems, *topic.messages)]
    assert [core for core, count in Counter(cores).items() if count > 1] == []
    assert {topic.name: len(topic.problems) + len(topic.messages) for topic in TOPICS
        if len(topic.problems) + len(topic.messages) < 15} == {}


def test_mails_come_in_all_registers_with_all_slots_filled() -> None:
    rng = random.Random(7)
    texts = [mail(rng, rng.choice(TOPICS)).text(rng.choice(HEADS), rng) for _ in range(2_000)]
    assert not any(re.search(r"[{}\[\]|]|a\(n\)", text) for text in texts)
    openings = Counter(register for register, rows in REGISTERS.items() for text in texts
        if any(hello in text for hello in rows["hello"] if "{" not in hello))
    assert set(openings) == set(REGISTERS) and min(openings.values()) > 30


def test_departments_are_of_known_topics_and_share_none() -> None:
    topics = [name for rows in emails.DEPARTMENTS.values() for name in rows]
    assert len(topics) == len(set(topics)) >= 30
    assert set(topics) <= {topic.name for topic in TOPICS}


def test_the_name_asked_for_is_among_the_names_given() -> None:
    rng = random.Random(8)
    for task in (emails.by_word, emails.department):
        for _ in range(200):
            example = task(rng)(rng)
            assert re.search(rf"(^|[\s:,;(/]){re.escape(example.answer)}([\s,;.)/]|$)", example.instruction), example.instruction
