"""Facts in many words: questions as people type them, plain answers, and questions kept for the evaluation."""

from __future__ import annotations

import random

from localtune.base.corpus.facts.table import RELATIONS, Fact, bare, capitalized, fill, tidy

GREETED = (
    "Hey, {q}", "Hi, {q}", "Hello! {Q}", "Quick question: {q}", "I have a question: {q}", "So, {q}",
    "Just curious: {q}", "Please help me: {q}", "Question for you: {q}", "{Q} Thanks!", "{Q} Please answer briefly.",
    "Okay, next one: {q}", "Trivia time! {Q}", "I am doing a quiz. {Q}", "My son wants to know: {q}", "Hi there! {Q}",
    "Excuse me, {q}", "Now tell me: {q}", "We were just talking about this: {q}",
)
INDIRECT = (
    "Do you know {c}?", "Tell me {c}.", "Please tell me {c}.", "Can you tell me {c}?", "Could you tell me {c}?",
    "I forgot {c}.", "I'd like to know {c}.", "I want to know {c}.", "Any idea {c}?", "I was wondering {c}.",
    "Remind me {c}, please.", "I have no idea {c}.", "Let me know {c}, please.", "My neighbor asked me {c}.",
    "Hey, do you know {c}?", "Do you remember {c}?", "I don't know {c}.", "Would you tell me {c}?",
    "I can never remember {c}.", "I need to find out {c}.",
)
BRIEF = ("{t}?", "{t}", "{t}, please", "{T}?", "{T}", "I am looking for this: {t}")
SHORT = ("{a}.", "{a}", "{a}.", "The answer is {b}.", "Answer: {b}.", "{a}. {s}")
YES = ("Yes. {s}", "Yes, that is correct. {s}", "Yes, that's right. {s}", "That is right. {s}")
NO = (
    "No. {s}", "No, that is not correct. {s}", "No, that's wrong. {s}", "No, the answer is {a}.",
    "No. The answer is {a}.",
)


def swap_letters(text: str, rng: random.Random) -> str:
    """A light typing error: two neighbouring letters inside one small-letter word change places."""
    words = text.split(" ")
    candidates = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha() and word.islower()]
    if not candidates:
        return text
    i = rng.choice(candidates)
    at = rng.randrange(1, len(words[i]) - 2)
    words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2:]
    return " ".join(words)


def typed(text: str, rng: random.Random) -> str:
    """``text`` as somebody in a hurry may type it: small letters, no final mark, a slip; mostly unchanged."""
    text = tidy(text)
    if rng.random() < 0.12:
        text = text.lower().replace("what's", rng.choice(("what's", "whats")))
    if rng.random() < 0.12:
        text = text.rstrip("?.")
    if rng.random() < 0.04:
        text = swap_letters(text, rng)
    return text


def question(fact: Fact, rng: random.Random) -> str:
    """A question for ``fact.answer``, in one of many phrasings, never one of the held-out ones."""
    relation = RELATIONS[fact.relation]
    style = rng.random()
    if style < 0.28:
        text = rng.choice(INDIRECT).format(c=fill(rng.choice(relation.clauses), fact))
    elif style < 0.38:
        topic = fill(rng.choice(relation.topics), fact)
        text = rng.choice(BRIEF).format(t=topic, T=capitalized(topic))
        return typed(text, rng)
    else:
        text = capitalized(fill(rng.choice(relation.questions), fact))
        if style > 0.85:
            text = rng.choice(GREETED).format(Q=text, q=text[0].lower() + text[1:])
    return typed(text, rng)


def sentence(fact: Fact, rng: random.Random) -> str:
    """A plain full sentence that states ``fact``."""
    return capitalized(fill(rng.choice(RELATIONS[fact.relation].sentences), fact))


def answer(fact: Fact, rng: random.Random) -> str:
    """A plain reply to ``question(fact)``: short (half of the time) or a sentence."""
    if rng.random() < 0.5:
        return sentence(fact, rng)
    return tidy(rng.choice(SHORT).format(a=capitalized(fact.answer), b=fact.answer, s=sentence(fact, rng)))


def held_out_question(fact: Fact, k: int) -> str:
    """The ``k``-th reserved phrasing (counted round) of a question for ``fact.answer``."""
    templates = RELATIONS[fact.relation].held_out
    return capitalized(fill(templates[k % len(templates)], fact))


def distractors(fact: Fact) -> list[str]:
    """Wrong answers for ``fact``: what other facts of its relation have as their answer."""
    others = RELATIONS[fact.relation].facts
    return sorted({other.answer for other in others if bare(other.answer) not in fact.accept})


def reversible(fact: Fact) -> bool:
    """Whether asking from the answer back to the subject has one right reply."""
    relation = RELATIONS[fact.relation]
    return bool(relation.reverse) and sum(other.answer == fact.answer for other in relation.facts) == 1


def reverse(fact: Fact, rng: random.Random) -> tuple[str, str]:
    """A question from the answer back to the subject, with its reply; ``fact`` must be ``reversible``."""
    asked = capitalized(fill(rng.choice(RELATIONS[fact.relation].reverse), fact))
    first, _, second = fact.subject.partition(" / ")
    short = tidy(capitalized(second or first) + ".")
    return typed(asked, rng), rng.choice((short, sentence(fact, rng)))


def check(fact: Fact, rng: random.Random) -> tuple[str, str]:
    """A yes/no question about ``fact``, right or wrong half of the time, with its reply."""
    template = rng.choice(RELATIONS[fact.relation].checks)
    wrong = distractors(fact)
    claimed = rng.choice(wrong) if wrong and rng.random() < 0.5 else fact.answer
    replies = YES if claimed == fact.answer else NO
    asked = capitalized(fill(template, fact, claimed))
    return typed(asked, rng), tidy(rng.choice(replies).format(s=sentence(fact, rng), a=fact.answer))
