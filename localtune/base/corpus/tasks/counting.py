"""Counting, ordering, first and last, smallest and largest, small sums."""

from __future__ import annotations

import random
from collections.abc import Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.copying import items
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import ANIMALS, FOOD, MONTHS, PEOPLE, THINGS, WEEKDAYS, word

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def plural(noun: str, count: int) -> str:
    """'1 fox', '2 foxes'."""
    if count == 1:
        return noun
    if noun in ("sheep", "deer", "trout", "bison", "elk", "scissors"):
        return noun
    special = {"mouse": "mice", "goose": "geese", "wolf": "wolves", "knife": "knives", "leaf": "leaves", "moose": "moose",
        "cherry": "cherries"}
    if noun in special:
        return special[noun]
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh", "to", "go")) else "s")


def count_items(rng: random.Random) -> Maker:
    asked = rng.choice(("How many items are in the list?", "Count the items.", "Number of entries?",
        "How many things are named?"))
    words = rng.random() < 0.3

    def make(rng: random.Random) -> Example:
        chosen = items(rng, 1, 8)
        answer = NUMBER_WORDS[len(chosen)] if words else str(len(chosen))
        return Example(asked + (" Answer with a word." if words else ""), ", ".join(chosen), answer)

    return make


def count_one(rng: random.Random) -> Maker:
    form = rng.choice(("How often does '{}' occur?", "Count how many times {} appears.", "How many times is {} written?"))

    def make(rng: random.Random) -> Example:
        kinds = [word(rng) for _ in range(rng.randint(2, 3))]
        row = [rng.choice(kinds) for _ in range(rng.randint(3, 9))]
        wanted = rng.choice(kinds)
        return Example("Answer with a number.", f"{' '.join(row)}\n{form.format(wanted)}", str(row.count(wanted)), True)

    return make


def count_story(rng: random.Random) -> Maker:
    pool = rng.choice((ANIMALS, FOOD, THINGS))
    frame = rng.choice((
        ("There are {}.", "How many {} are there?"), ("In the room we see {}.", "How many {} do we see?"),
        ("{who} packed {}.", "How many {} did {who} pack?"), ("The list says: {}.", "How many {}?"),
    ))

    def make(rng: random.Random) -> Example:
        who = rng.choice(PEOPLE)
        nouns = rng.sample(pool, rng.randint(2, 4))
        counts = [rng.randint(1, 12) for _ in nouns]
        told = ", ".join(f"{count} {plural(noun, count)}" for noun, count in zip(nouns, counts))
        index = rng.randrange(len(nouns))
        given = f"{frame[0].format(told, who=who)} {frame[1].format(plural(nouns[index], 2), who=who)}"
        return Example("Answer with a number.", given, str(counts[index]), True)

    return make


def extreme(rng: random.Random) -> Maker:
    best, label = rng.choice(((max, "largest"), (min, "smallest"), (max, "highest"), (min, "lowest"), (max, "biggest")))
    top = rng.choice((9, 20, 99, 999))
    asked = f"Which number is the {label}?"

    def make(rng: random.Random) -> Example:
        numbers = rng.sample(range(top + 1), rng.randint(2, 7))
        return Example(asked, ", ".join(map(str, numbers)), str(best(numbers)))

    return make


def extreme_of(rng: random.Random) -> Maker:
    fact, most, least = rng.choice((
        ("{} is {} years old.", "Who is the oldest?", "Who is the youngest?"),
        ("{} has {} coins.", "Who has the most coins?", "Who has the fewest coins?"),
        ("{} ran {} km.", "Who ran farthest?", "Who ran the shortest way?"),
        ("{} weighs {} kg.", "Who is the heaviest?", "Who is the lightest?"),
        ("{} scored {} points.", "Who won?", "Who came last?"), ("{} paid ${}.", "Who paid most?", "Who paid least?"),
    ))

    def make(rng: random.Random) -> Example:
        count = rng.randint(2, 5)
        values = rng.sample(range(2, 90), count)
        people = rng.sample(PEOPLE, count)
        text = " ".join(fact.format(who, value) for who, value in zip(people, values))
        high = rng.random() < 0.5
        wanted = people[values.index(max(values) if high else min(values))]
        return Example("Answer with a name.", f"{text} {most if high else least}", wanted, True)

    return make


def sort_numbers(rng: random.Random) -> Maker:
    down = rng.random() < 0.4
    instruction = "Sort the numbers from large to small." if down else rng.choice(("Sort the numbers.",
        "Order from smallest to largest."))
    top = rng.choice((9, 30, 100, 500))

    def make(rng: random.Random) -> Example:
        numbers = rng.sample(range(top + 1), rng.randint(2, 7))
        return Example(instruction, " ".join(map(str, numbers)), " ".join(map(str, sorted(numbers, reverse=down))))

    return make


def sort_words(rng: random.Random) -> Maker:
    instruction = rng.choice(("Sort the words by the alphabet.", "Alphabetical order, please.",
        "Put the names in order from A to Z."))

    def make(rng: random.Random) -> Example:
        chosen = rng.sample(rng.choice((PEOPLE, ANIMALS, FOOD, THINGS)), rng.randint(2, 6))
        return Example(instruction, ", ".join(chosen), ", ".join(sorted(chosen)))

    return make


def first_letter(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        chosen = rng.sample(rng.choice((PEOPLE, ANIMALS, FOOD, THINGS)), rng.randint(2, 4))
        early = rng.random() < 0.5
        asked = f"Which word comes {'first' if early else 'last'} in the dictionary?"
        return Example("Answer with one word.", f"{', '.join(chosen)}\n{asked}", (min if early else max)(chosen, key=str.lower),
            True)

    return make


def more_or_less(rng: random.Random) -> Maker:
    sign, label = rng.choice(((1, "larger"), (-1, "smaller"), (1, "greater"), (1, "more")))

    def make(rng: random.Random) -> Example:
        low, high = sorted(rng.sample(range(rng.choice((10, 100, 1000))), 2))
        first, second = rng.sample((low, high), 2)
        truth = (first - second) * sign > 0
        return Example("Answer yes or no.", f"Is {first} {label} than {second}?", "yes" if truth else "no", True)

    return make


def add(rng: random.Random) -> Maker:
    operator = rng.choice("++-")
    words = rng.choice(("{} {} {} =", "What is {} {} {}?", "Work out {} {} {}."))
    top = rng.choice((9, 9, 20, 50))

    def make(rng: random.Random) -> Example:
        left, right = rng.randint(0, top), rng.randint(0, top)
        if operator == "-":
            left, right = max(left, right), min(left, right)
        value = left + right if operator == "+" else left - right
        return Example("Give the result.", words.format(left, operator, right), str(value), True)

    return make


def add_story(rng: random.Random) -> Maker:
    gain, loss = rng.choice((("gets", "gives away"), ("buys", "sells"), ("finds", "loses"), ("picks", "eats"),
        ("receives", "returns")))

    def make(rng: random.Random) -> Example:
        who, thing, start, change = rng.choice(PEOPLE), rng.choice(FOOD + THINGS), rng.randint(1, 12), rng.randint(1, 9)
        up = rng.random() < 0.5 or change > start
        total = start + change if up else start - change
        given = (f"{who} has {start} {plural(thing, start)} and {gain if up else loss} {change} "
                 f"{'more' if up else 'of them'}. How many {plural(thing, 2)} does {who} have now?")
        return Example("Answer with a number.", given, str(total), True)

    return make


def calendar(rng: random.Random) -> Maker:
    days, kind = rng.choice(((WEEKDAYS, "day"), (MONTHS, "month")))

    def make(rng: random.Random) -> Example:
        index = rng.randrange(len(days))
        step, label = rng.choice(((1, "after"), (-1, "before")))
        return Example(f"Answer with a {kind}.", f"Which {kind} comes {label} {days[index]}?", days[(index + step) % len(days)],
            True)

    return make


def sequence(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        start, step = rng.randint(0, 30), rng.choice((1, 1, 2, 2, 3, 5, 10))
        row = [start + step * index for index in range(rng.randint(3, 6))]
        return Example("Continue the row with one number.", ", ".join(map(str, row)) + ", ...", str(row[-1] + step), True)

    return make


TASKS = (
    count_items, count_items, count_one, count_story, count_story, extreme, extreme, extreme_of, extreme_of, sort_numbers,
    sort_words,
    first_letter, more_or_less, add, add, add_story, calendar, sequence,
)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless counting and ordering exercises."""
    return stream(TASKS, rng, "counting")
