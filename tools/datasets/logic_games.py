"""Small logic games with five options, of which a solver that reads only the text proves exactly one right.

Three types: ordering (five in a row), grouping (six in two teams of three), assignment (five people, three colours, each used).
Every sentence of a rule or an option comes from `MEANING`, which is both how it is written and how the solver reads it.
"""
from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from itertools import permutations, product
from typing import Any

from tools.datasets.common import dealt, jsonl_text

SEED = 17
SIZES = {"train": 1000, "validation": 150, "test": 300}
LETTERS = "ABCDE"
PLACES = ("first", "second", "third", "fourth", "fifth")
VALUES = {"ordering": PLACES, "grouping": ("east", "west"), "assignment": ("red", "green", "blue")}
PEOPLE = {"ordering": 5, "grouping": 6, "assignment": 5}
World = dict[str, int]
Holds = Callable[[World], bool]
Game = dict[str, Any]

NAMES = ("Ada Bo Cleo Dan Eve Finn Gina Hugo Iris Jan Kira Leo Mona Ned Olga Paul Rosa Sven Tara Uwe Vera Will Xenia Yuri Zoe "
         "Abel Bea Cyril Dora Emil Faye Glen Hana Igor Jill Kurt Lena Max Nora Otto").split()
SCENES = {
    "ordering": ("{n} give a talk one after another", "{n} run a race without a tie", "{n} stand in a queue",
                 "{n} are seen by the dentist one by one", "{n} play one song each", "{n} sit in a row of five chairs",
                 "{n} take turns at the piano", "{n} present their projects in turn", "{n} arrive one at a time",
                 "{n} cross the bridge one behind the other"),
    "grouping": ("{n} form two teams of three, east and west", "{n} travel in two cars, east and west, three in each",
                 "{n} live in two houses, east and west, three in each", "{n} sleep in two tents, east and west, three in each",
                 "{n} work in two offices, east and west, three in each", "{n} guard two gates, east and west, three at each",
                 "{n} sit at two tables, east and west, three at each", "{n} row in two boats, east and west, three in each",
                 "{n} camp on two hills, east and west, three on each", "{n} take two paths, east and west, three on each"),
    "assignment": ("{n} each wear a red, green or blue hat", "{n} each get a red, green or blue card",
                   "{n} each paint a door red, green or blue", "{n} each choose a red, green or blue bike",
                   "{n} each hold a red, green or blue flag", "{n} each carry a red, green or blue bag",
                   "{n} each draw a red, green or blue ball", "{n} each buy a red, green or blue scarf",
                   "{n} each fly a red, green or blue kite", "{n} each use a red, green or blue cup"),
}
MEANING: dict[str, dict[str, Callable[..., bool]]] = {
    "ordering": {
        "{a} comes before {b}": lambda w, a, b: w[a] < w[b],
        "{a} comes later than {b}": lambda w, a, b: w[a] > w[b],
        "{a} comes right after {b}": lambda w, a, b: w[a] == w[b] + 1,
        "{a} and {b} are not next to each other": lambda w, a, b: abs(w[a] - w[b]) != 1,
        "{a} is {v}": lambda w, a, v: w[a] == v,
        "{a} is not {v}": lambda w, a, v: w[a] != v,
    },
    "grouping": {
        "{a} and {b} are together": lambda w, a, b: w[a] == w[b],
        "{a} and {b} are not together": lambda w, a, b: w[a] != w[b],
        "{a} is {v}": lambda w, a, v: w[a] == v,
        "if {a} is east, {b} is west": lambda w, a, b: w[a] != 0 or w[b] == 1,
        "if {a} is west, {b} is east": lambda w, a, b: w[a] != 1 or w[b] == 0,
    },
    "assignment": {
        "{a} and {b} have the same colour": lambda w, a, b: w[a] == w[b],
        "{a} and {b} have different colours": lambda w, a, b: w[a] != w[b],
        "{a} has {v}": lambda w, a, v: w[a] == v,
        "{a} does not have {v}": lambda w, a, v: w[a] != v,
        "if {a} has red, {b} has blue": lambda w, a, b: w[a] != 0 or w[b] == 2,
        "only {a} has {v}": lambda w, a, v: [name for name in w if w[name] == v] == [a],
    },
}
QUESTIONS: dict[str, Callable[[Sequence[bool]], bool]] = {  # is an option right, given in which worlds it holds
    "which of these could be true?": any,
    "which of these must be true?": all,
    "which of these cannot be true?": lambda held: not any(held),
    "which of these could be the complete arrangement?": any,
}
COMPLETE = "which of these could be the complete arrangement?"


def reader(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w)\\\}", r"(?P<\1>\\w+)", re.escape(template)) + r"\.?", re.IGNORECASE)


READERS = {kind: [(reader(template), holds) for template, holds in table.items()] for kind, table in MEANING.items()}


def understand(sentence: str, kind: str, names: Sequence[str]) -> Holds:
    """The meaning of one sentence; ValueError if it is not one of the game's."""
    if ";" in sentence or ":" in sentence:
        return understand_arrangement(sentence, kind, names)
    known = {name.lower(): name for name in names}
    for pattern, holds in READERS[kind]:
        match = pattern.fullmatch(sentence)
        if not match:
            continue
        words = {key: word.lower() for key, word in match.groupdict().items()}
        if all(word in (VALUES[kind] if key == "v" else known) for key, word in words.items()):
            args = [VALUES[kind].index(word) if key == "v" else known[word] for key, word in words.items()]
            return lambda world: holds(world, *args)
    raise ValueError(f"not a sentence of a {kind} game: {sentence!r}")


def understand_arrangement(sentence: str, kind: str, names: Sequence[str]) -> Holds:
    return lambda world: arrangement(world, kind) == sentence


def arrangement(world: World, kind: str) -> str:
    """A whole world in words: `first: Ada; second: Bo; …` or `red: Ada, Eve; green: …`."""
    return "; ".join(f"{value}: {', '.join(sorted(name for name in world if world[name] == number))}"
                     for number, value in enumerate(VALUES[kind]))


def all_worlds(kind: str, names: Sequence[str]) -> list[World]:
    """Everything that is possible before any rule."""
    if kind == "ordering":
        return [dict(zip(names, places)) for places in permutations(range(5))]
    worlds = [dict(zip(names, values)) for values in product(range(len(VALUES[kind])), repeat=len(names))]
    if kind == "grouping":
        return [world for world in worlds if sum(world.values()) == 3]
    return [world for world in worlds if set(world.values()) == {0, 1, 2}]


def solve(game: Game) -> list[str]:
    """The letters of all options that are right, from the text of the game alone, by trying every world."""
    kind = game["type"]
    scene, *rules = [part.strip() for part in game["passage"].split(". ")]
    names = [word for word in re.findall(r"\w+", scene) if word in NAMES]
    condition = re.match(r"If (.+), (which of these .+)", game["question"])
    question = condition.group(2) if condition else game["question"][0].lower() + game["question"][1:]
    given = [understand(rule, kind, names) for rule in rules + ([condition.group(1)] if condition else [])]
    worlds = [world for world in all_worlds(kind, names) if all(holds(world) for holds in given)]
    options = [understand(option, kind, names) for option in game["options"]]
    return [letter for letter, holds in zip(LETTERS, options) if QUESTIONS[question]([holds(world) for world in worlds])]


def sentence(kind: str, names: Sequence[str], rng: random.Random) -> str:
    a, b = rng.sample(list(names), 2)
    return rng.choice(list(MEANING[kind])).format(a=a, b=b, v=rng.choice(VALUES[kind]))


def rules_for(kind: str, names: Sequence[str], rng: random.Random) -> tuple[list[str], list[World]]:
    """Two to four rules, each of which excludes something, and the worlds they leave (at least three)."""
    worlds, rules, wanted = all_worlds(kind, names), [], rng.randint(2, 4)
    for _ in range(200):
        rule = sentence(kind, names, rng)
        left = [world for world in worlds if understand(rule, kind, names)(world)]
        if 3 <= len(left) < len(worlds):
            rules, worlds = rules + [rule], left
        if len(rules) == wanted:
            break
    return rules, worlds


def options_for(question: str, kind: str, worlds: list[World], rng: random.Random) -> tuple[str, list[str]] | None:
    """A right option and four wrong ones, or None if this game has none."""
    names = list(worlds[0])
    if question == COMPLETE:
        pool = [arrangement(world, kind) for world in rng.sample(all_worlds(kind, names), 15) + [rng.choice(worlds)]]
    else:
        pool = [sentence(kind, names, rng) for _ in range(60)]
    right, wrong = [], []
    for text in dict.fromkeys(pool):
        holds = understand(text, kind, names)
        (right if QUESTIONS[question]([holds(world) for world in worlds]) else wrong).append(text)
    return (rng.choice(right), rng.sample(wrong, 4)) if right and len(wrong) >= 4 else None


def one_game(kind: str, question: str, letter: str, split: str, rng: random.Random) -> Game | None:
    names = rng.sample(dealt(NAMES, split), PEOPLE[kind])
    rules, worlds = rules_for(kind, names, rng)
    start = ""
    if question != COMPLETE and rng.random() < 0.4:
        condition = sentence(kind, names, rng)
        left = [world for world in worlds if understand(condition, kind, names)(world)]
        if condition.startswith(("if", "only")) or not 1 < len(left) < len(worlds):
            return None
        start, worlds = f"If {condition}, ", left
    found = options_for(question, kind, worlds, rng)
    if found is None or any(option in rules for option in (found[0], *found[1])):
        return None
    options = found[1][:LETTERS.index(letter)] + [found[0]] + found[1][LETTERS.index(letter):]
    scene = rng.choice(dealt(SCENES[kind], split)).format(n=", ".join(names[:-1]) + " and " + names[-1])
    passage = " ".join(f"{text[0].upper()}{text[1:]}." for text in (scene, *rules))
    asked = start + question if start else question[0].upper() + question[1:]
    return {"type": kind, "passage": passage, "question": asked, "options": options, "answer": letter}


def make_games(count: int, seed: int, split: str = "train") -> list[Game]:
    """`count` different games with the answers A to E equally often; names and scenes are those of `split`.

    Each is `{"id", "type", "passage", "question", "options": [five], "answer": "A".."E"}`, like the files in data/logic_games.
    """
    rng, games, seen = random.Random(f"{seed} {split}"), [], set()
    while len(games) < count:
        kind, question = rng.choice(list(MEANING)), rng.choice(list(QUESTIONS))
        game = one_game(kind, question, LETTERS[len(games) % 5], split, rng)
        if game and game["passage"] not in seen and solve(game) == [game["answer"]]:
            seen.add(game["passage"])
            games.append({"id": f"{split}-{len(games) + 1}", **game})
    rng.shuffle(games)
    return games


def files() -> dict[str, str]:
    """train.jsonl, validation.jsonl and test.jsonl."""
    return {f"{split}.jsonl": jsonl_text(make_games(count, SEED, split)) for split, count in SIZES.items()}
