"""Who goes with what: short statements that tie two names, then many small questions about them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from localtune.base.corpus.tasks.grammar import listed
from localtune.base.corpus.tasks.layout import Example, Maker
from localtune.base.corpus.tasks.naming import firm, goods, lookalike
from localtune.base.corpus.tasks.words import (
    ANIMALS, COLOURS, FOOD, JOBS, PEOPLE, THINGS, WEEKDAYS, code, invented, person, place, word,
)

Name = Callable[[random.Random], str]
Pair = tuple[str, str]
LABELS = (("yes", "no"),) * 6 + (("Yes", "No"), ("true", "false"), ("1", "0"), ("right", "wrong"))


def one_of(values: Sequence[str], form: str = "{}") -> Name:
    """A maker that draws from a list."""
    return lambda rng: form.format(rng.choice(values))


def someone(rng: random.Random) -> str:
    """A first name, a full name, or an invented one."""
    return rng.choice((one_of(PEOPLE), one_of(PEOPLE), person, invented))(rng)


# statement, yes/no question, "who" question, "what" question, left names, right names
Relation = tuple[str, str, str, str, Name, Name]
RELATIONS: tuple[Relation, ...] = (
    ("{a} has the {b}.", "Does {a} have the {b}?", "Who has the {b}?", "What does {a} have?", someone, word),
    ("{a} makes {b}.", "Does {a} make {b}?", "Who makes {b}?", "What does {a} make?", firm, goods),
    ("{a} sells {b}.", "Does {a} sell {b}?", "Who sells {b}?", "What does {a} sell?", firm, goods),
    ("You get {b} from {a}.", "Does {a} offer {b}?", "Who offers {b}?", "What does {a} offer?", firm, goods),
    ("{b} are made by {a}.", "Are {b} made by {a}?", "By whom are {b} made?", "What is made by {a}?", firm, goods),
    ("{a} lives in {b}.", "Does {a} live in {b}?", "Who lives in {b}?", "Where does {a} live?", someone, place),
    ("{a} likes {b}.", "Does {a} like {b}?", "Who likes {b}?", "What does {a} like?", someone, one_of(FOOD)),
    ("{a} owns a {b}.", "Does {a} own a {b}?", "Who owns a {b}?", "What does {a} own?", someone, word),
    ("The {a} is {b}.", "Is the {a} {b}?", "What is {b}?", "Which colour is the {a}?", one_of(THINGS), one_of(COLOURS)),
    ("The code of {a} is {b}.", "Is {b} the code of {a}?", "Whose code is {b}?", "What is the code of {a}?", someone, code),
    ("{a} works as {b}.", "Does {a} work as {b}?", "Who works as {b}?", "What is {a}'s job?", someone, one_of(JOBS)),
    ("{a} belongs to {b}.", "Does {a} belong to {b}?", "What belongs to {b}?", "To whom does {a} belong?", invented, someone),
    ("{a} comes on {b}.", "Does {a} come on {b}?", "Who comes on {b}?", "When does {a} come?", someone, one_of(WEEKDAYS)),
    ("{a} is married to {b}.", "Is {a} married to {b}?", "Who is married to {b}?", "To whom is {a} married?", invented,
    invented),
    ("In room {b} we find {a}.", "Is {a} in room {b}?", "Who is in room {b}?", "In which room is {a}?", someone,
    lambda rng: str(rng.randint(1, 400))),
    ("The {b} is called {a}.", "Is the {b} called {a}?", "What is the {b} called?",
    "Which animal is {a}?", invented, one_of(ANIMALS)),
)
TABLES = ("{a}: {b}|\n", "{a} - {b}|\n", "{a} = {b}|, ", "{a}: {b}|; ", "{b} ({a})|, ", "{a} | {b}|\n", "{a} → {b}|\n")
FIELDS = ("Company: {a}\nProduct: {b}", "{a}, {b}", "{a}: {b}", "{a} - {b}", "Product: {b}\nCompany: {a}", "{b} from {a}")


def pairs(rng: random.Random, left: Name, right: Name, count: int) -> list[Pair]:
    """`count` pairs in which every name occurs once; some left names look alike."""
    first, second = draw(rng, left, count), draw(rng, right, count)
    if rng.random() < 0.15:
        first[-1] = lookalike(rng, first[0])
    return list(zip(first, second))


def draw(rng: random.Random, make: Name, count: int) -> list[str]:
    """Different names, none of which is part of another."""
    found: list[str] = []
    while len(found) < count:
        name = make(rng)
        if not any(name.lower() in other.lower() or other.lower() in name.lower() for other in found):
            found.append(name)
    return found


def number_of_pairs(rng: random.Random) -> int:
    """Mostly few, so that the first steps are easy."""
    return rng.choice((1, 1, 2, 2, 2, 2, 3, 3, 4, 5))


def asked_pair(rng: random.Random, known: Sequence[Pair], right: Name, truth: bool) -> Pair:
    """A pair of the table, or one that is not: usually a wrong match, else a name that is not there."""
    a, b = rng.choice(known)
    if truth:
        return a, b
    others = [other for _, other in known if other != b]
    if others and rng.random() < 0.75:
        return a, rng.choice(others)
    if rng.random() < 0.4:
        return lookalike(rng, a), b
    return a, next(other for other in iter(lambda: right(rng), "") if all(other != taken for _, taken in known))


def _shown(relation: Relation, table: str) -> Callable[[Sequence[Pair]], str]:
    if not table:
        return lambda known: " ".join(_sentence(relation[0], pair) for pair in known)
    entry, joint = table.rsplit("|", 1)
    return lambda known: joint.join(entry.format(a=a, b=b) for a, b in known)


def _sentence(form: str, pair: Pair) -> str:
    text = form.format(a=pair[0], b=pair[1])
    return text[:1].upper() + text[1:]


def matched(rng: random.Random) -> Maker:
    """One table of pairs, then many pairs to check with yes or no."""
    relation = rng.choice(RELATIONS)
    show = _shown(relation, rng.choice((*TABLES, "", "", "", "", "", "", "")))
    question = rng.choice((relation[1], relation[1], rng.choice(FIELDS)))
    yes, no = rng.choice(LABELS)
    evidence, first = rng.random() < 0.2, rng.random() < 0.25
    instruction = f"Do the two belong together in the text? Answer {yes} or {no}."
    if evidence:
        instruction = f"Say what the text says of the first name, then {yes} or {no}."

    def make(rng: random.Random) -> Example:
        known = pairs(rng, relation[4], relation[5], number_of_pairs(rng))
        told, asked = dict(known), {}
        for _ in range(1 if first else rng.randint(2, 7)):
            truth = rng.random() < 0.5
            pair = asked_pair(rng, known, relation[5], truth)
            proof = f"{pair[0]}: {told.get(pair[0], 'not there')}. " if evidence else ""
            asked[_sentence(question, pair)] = proof + (yes if truth else no)
        asked, text = list(asked.items()), show(known)
        given = f"{asked[0][0]}\n{text}" if first else f"{text}\n{asked[0][0]}"
        return Example(instruction, given, asked[0][1], yes.lower() == "yes" and not evidence, more=tuple(asked[1:]))

    return make


def recalled(rng: random.Random) -> Maker:
    """One table of pairs, then the other half of many of them."""
    relation = rng.choice(RELATIONS)
    show = _shown(relation, rng.choice((*TABLES, "", "", "", "", "")))
    bare = rng.random() < 0.3

    def make(rng: random.Random) -> Example:
        known = pairs(rng, relation[4], relation[5], rng.randint(2, 7))
        asked = []
        for a, b in rng.sample(known, rng.randint(1, len(known))):
            if bare or rng.random() < 0.5:
                asked.append((f"{a}?" if bare else _sentence(relation[3], (a, b)), b))
            else:
                asked.append((_sentence(relation[2], (a, b)), a))
        return Example("Answer from the text.", f"{show(known)}\n{asked[0][0]}", asked[0][1], True, more=tuple(asked[1:]))

    return make


MEMBERS: tuple[Name, ...] = (invented, firm, goods, someone, word, place, code)
LISTS = ("{}", "List: {}", "We saw {} there.", "On the paper stood: {}.", "They asked for {} and left.", "Guests: {}",
    "The winners are {}.", "I remember {}, nothing else.")


def member(rng: random.Random) -> Maker:
    """Does the name stand in the list or sentence? Many questions on each."""
    make_name, frame = rng.choice(MEMBERS), rng.choice(LISTS)
    yes, no = rng.choice(LABELS)
    form = rng.choice(("{}?", "Is {} there?", "{}", "Does the text name {}?", "Is {} in the list?", "Can you find {}?"))
    joint = rng.choice((", ", ", ", "and"))

    def make(rng: random.Random) -> Example:
        names = draw(rng, make_name, rng.choice((1, 2, 3, 4, 6)))
        asked = []
        for _ in range(rng.randint(2, 2 + len(names))):
            truth = rng.random() < 0.5
            known = rng.choice(names)
            other = lookalike(rng, known) if rng.random() < 0.35 else make_name(rng)
            name = known if truth or other in names else other
            asked.append((form.format(name), yes if name in names else no))
        text = frame.format(listed(names) if joint == "and" else joint.join(names))
        return Example(f"Does it stand in the text? Answer {yes} or {no}.", f"{text}\n{asked[0][0]}", asked[0][1],
            yes.lower() == "yes", more=tuple(asked[1:]))

    return make


def missing(rng: random.Random) -> Maker:
    """The second list lacks one entry of the first."""
    make_name, joint = rng.choice(MEMBERS), rng.choice((", ", "\n", " "))
    asked = rng.choice(("Which one is missing from the second list?", "What is missing below?", "Which entry was left out?"))

    def make(rng: random.Random) -> Example:
        names = draw(rng, make_name, rng.choice((2, 3, 3, 4, 5)))
        left_out = rng.choice(names)
        rest = [name for name in names if name != left_out]
        if rng.random() < 0.4:
            rng.shuffle(rest)
        return Example(asked, f"{joint.join(names)}\n\n{joint.join(rest)}", left_out)

    return make


def twins(rng: random.Random) -> Maker:
    """Two names: same or different; very short, so that many fit into one document."""
    yes, no = rng.choice((("same", "different"), ("same", "different"), ("yes", "no"), ("yes", "no"), ("equal", "not equal")))
    make_name = rng.choice((invented, invented, firm, firm, goods, goods, someone, word, code))
    form = rng.choice(("{}\n{}", "{} | {}", "{} = {}?", "A: {}\nB: {}", "{}, {}", "Is {} the same as {}?", "{} and {}"))
    hard = rng.choice((0.0, 0.3, 0.6))

    def make(rng: random.Random) -> Example:
        name, truth = make_name(rng), rng.random() < 0.5
        other = name if truth else lookalike(rng, name) if rng.random() < hard else make_name(rng)
        return Example(f"Are the two the same? Answer '{yes}' or '{no}'.", form.format(name, other),
            yes if name == other else no, clear=yes == "same")

    return make


TASKS = (matched,) * 5 + (recalled, recalled, member, member, missing, twins, twins)
