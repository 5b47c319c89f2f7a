"""Small ordering, grouping and assignment games; every answer is proved by trying all arrangements."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import listed
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.words import ANIMALS, COLOURS, FOOD, JOBS, PEOPLE, THINGS, WEEKDAYS

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
LETTERS = "ABCDE"
RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "before": operator.lt, "next": lambda a, b: b - a == 1, "beside": lambda a, b: abs(a - b) == 1, "same": operator.eq,
    "apart": operator.ne,
}
Arrangement = tuple[int, ...]  # place (or group, or value) of each entity


@dataclass(frozen=True)
class Clue:
    """`kind` between entity `a` and entity or value `b`; see `holds`."""

    kind: str
    a: int
    b: int


@dataclass(frozen=True)
class Game:
    """Entities, what each can be given, whether values are used once, and the clues that leave one arrangement."""

    entities: tuple[str, ...]
    values: tuple[str, ...]
    distinct: bool
    clues: tuple[Clue, ...]
    solution: Arrangement


def holds(clue: Clue, places: Arrangement) -> bool:
    """Whether the arrangement satisfies the clue."""
    a = places[clue.a]
    if clue.kind == "at":
        return a == clue.b
    if clue.kind == "not_at":
        return a != clue.b
    return RELATIONS[clue.kind](a, places[clue.b])


def arrangements(game: Game) -> list[Arrangement]:
    """All arrangements without looking at the clues."""
    return _space(len(game.entities), len(game.values), game.distinct)


def _space(entities: int, values: int, distinct: bool) -> list[Arrangement]:
    return list(permutations(range(values), entities) if distinct else product(range(values), repeat=entities))


def solve(game: Game) -> list[Arrangement]:
    """Every arrangement that satisfies all clues."""
    return [places for places in arrangements(game) if all(holds(clue, places) for clue in game.clues)]


def _clue(rng: random.Random, kinds: Sequence[str], entities: int, values: int) -> Clue:
    kind, first = rng.choice(kinds), rng.randrange(entities)
    second = rng.randrange(values) if kind in ("at", "not_at") else rng.choice([i for i in range(entities) if i != first])
    return Clue(kind, first, second)


def build(rng: random.Random, entities: Sequence[str], values: Sequence[str], distinct: bool, kinds: Sequence[str]) -> Game:
    """A game whose clues leave exactly one arrangement; clues that change nothing are not used."""
    left = _space(len(entities), len(values), distinct)
    solution = rng.choice(left)
    clues: list[Clue] = []
    while len(left) > 1:
        clue = _clue(rng, kinds, len(entities), len(values))
        if not holds(clue, solution):
            continue
        fewer = [places for places in left if holds(clue, places)]
        if len(fewer) < len(left):
            clues.append(clue)
            left = fewer
    rng.shuffle(clues)
    return Game(tuple(entities), tuple(values), distinct, tuple(clues), solution)


@dataclass(frozen=True)
class Setting:
    """Words of one scene: opening sentence and a sentence form per clue kind ({a}, {b} entities, {v} value)."""

    opening: str
    forms: dict[str, tuple[str, ...]]
    ask_who: str
    ask_value: str


ORDERS = (
    Setting("{names} stand in a line of {n}.", {
        "before": ("{a} stands before {b}.", "{b} stands somewhere after {a}."),
        "next": ("{a} is directly in front of {b}.", "{b} is right behind {a}."),
        "beside": ("{a} and {b} stand next to each other.",), "at": ("{a} is {v}.",), "not_at": ("{a} is not {v}.",)},
        "Who is {v}?", "Which place does {a} have?"),
    Setting("{names} run a race. There are no ties.", {
        "before": ("{a} finishes before {b}.", "{b} is slower than {a}.", "{a} beats {b}."),
        "next": ("{a} finishes just ahead of {b}.",),
        "beside": ("Nobody finishes between {a} and {b}.",), "at": ("{a} comes in {v}.",),
        "not_at": ("{a} does not come in {v}.",)}, "Who comes in {v}?", "In which place does {a} finish?"),
    Setting("{names} give talks one after another.", {
        "before": ("{a} speaks earlier than {b}.", "{b} speaks later than {a}."), "next": ("{b} speaks right after {a}.",),
        "beside": ("The talks of {a} and {b} follow each other in some order.",), "at": ("{a} gives the {v} talk.",),
        "not_at": ("{a} does not give the {v} talk.",)},
        "Who gives the {v} talk?", "Which talk is given by {a}?"),
    Setting("{names} live on the floors of a house, one on each; the first floor is the lowest.", {
        "before": ("{a} lives below {b}.", "{b} lives above {a}."), "next": ("{b} lives on the floor right above {a}.",),
        "beside": ("{a} and {b} live on neighbouring floors.",), "at": ("{a} lives on the {v} floor.",),
        "not_at": ("{a} does not live on the {v} floor.",)},
        "Who lives on the {v} floor?", "On which floor does {a} live?"),
)
SCHEDULE = Setting("{names} visit on different days, one each from {first} to {last}.", {
    "before": ("{a} visits on an earlier day than {b}.", "{b} visits after {a}."), "next": ("{b} visits the day after {a}.",),
    "beside": ("{a} and {b} visit on days next to each other.",), "at": ("{a} visits on {v}.",),
    "not_at": ("{a} does not visit on {v}.",)},
    "Who visits on {v}?", "On which day does {a} visit?")
GROUPS = Setting("{names} are put into two teams, {first} and {last}.", {
    "same": ("{a} and {b} are in the same team.", "{a} plays together with {b}."),
    "apart": ("{a} and {b} are in different teams.", "{a} never plays with {b}."),
    "at": ("{a} is in team {v}.",), "not_at": ("{a} is not in team {v}.",)}, "", "In which team is {a}?")
OWNERS = (
    Setting("{names} each have one {noun}: {values}.",
    {"at": ("{a} has the {v} one.",), "not_at": ("{a} does not have the {v} one.", "The {v} one is not {a}'s.")},
            "Who has the {v} one?", "Which colour does {a} have?"),
    Setting("{names} each choose one thing: {values}. No two choose the same.",
    {"at": ("{a} chooses the {v}.",), "not_at": ("{a} does not choose the {v}.", "The {v} is not for {a}.")},
            "Who chooses the {v}?", "What does {a} choose?"),
    Setting("{names} are, in some order, the {values}.",
    {"at": ("{a} is the {v}.",), "not_at": ("{a} is not the {v}.", "The {v} is not {a}.")},
            "Who is the {v}?", "What is {a}'s job?"),
)


def clue_text(rng: random.Random, clue: Clue, game: Game, setting: Setting) -> str:
    """The clue as a sentence of the setting."""
    by_value = clue.kind in ("at", "not_at")
    slots = {"a": game.entities[clue.a], "v": game.values[clue.b]} if by_value else {"a": game.entities[clue.a],
        "b": game.entities[clue.b]}
    return rng.choice(setting.forms[clue.kind]).format(**slots)


def scene(rng: random.Random) -> tuple[Game, Setting]:
    """A random game with two to six entities, mostly few, and its words."""
    people = rng.sample(PEOPLE, rng.choice((2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6)))
    kind = rng.random()
    if kind < 0.4:
        kinds = ("before", "before", "next", "beside", "at", "not_at")
        return build(rng, people, ORDINALS[:len(people)], True, kinds), rng.choice(ORDERS)
    if kind < 0.55:
        return build(rng, people, WEEKDAYS[:len(people)], True, ("before", "next", "at", "not_at")), SCHEDULE
    if kind < 0.75:
        teams = rng.choice((("Red", "Blue"), ("North", "South"), ("A", "B"), ("Lions", "Bears"), ("Oak", "Elm")))
        return build(rng, people, teams, False, ("same", "apart", "same", "apart", "at", "not_at")), GROUPS
    index = rng.randrange(3)
    values = rng.sample((COLOURS, FOOD + ANIMALS, JOBS)[index], len(people))
    return build(rng, people, values, True, ("at", "not_at", "not_at", "not_at")), OWNERS[index]


def passage(rng: random.Random, game: Game, setting: Setting) -> str:
    """Opening and clues, in running text or as a list."""
    opening = setting.opening.format(
        names=listed(game.entities), n=len(game.entities), values=listed(rng.sample(game.values, len(game.values))),
        first=game.values[0], last=game.values[-1], noun=rng.choice([thing for thing in THINGS if thing != "scissors"]))
    lines = [clue_text(rng, clue, game, setting) for clue in game.clues]
    return opening + ("\n- " + "\n- ".join(lines) if rng.random() < 0.3 else " " + " ".join(lines))


def question(rng: random.Random, game: Game, setting: Setting) -> tuple[str, str, tuple[str, ...]]:
    """(question, answer, the answers to choose from)."""
    who = rng.randrange(len(game.entities))
    value = game.values[game.solution[who]]
    if game.distinct and rng.random() < 0.5:
        return setting.ask_who.format(v=value), game.entities[who], game.entities
    return setting.ask_value.format(a=game.entities[who]), value, game.values


def direct(rng: random.Random) -> Maker:
    """Several questions about one game."""
    instruction = rng.choice(("Solve the puzzle.", "Read the clues and answer.", "Work out the answer from the clues.",
        "Answer with one word."))

    def make(rng: random.Random) -> Example:
        game, setting = scene(rng)
        answers = dict(question(rng, game, setting)[:2] for _ in range(rng.randint(1, 5)))
        (asked, answer), *rest = answers.items()
        return Example(instruction, f"{passage(rng, game, setting)}\n{asked}", answer, True, more=tuple(rest))

    return make


def _arranged(game: Game, joint: str) -> str:
    """Who has which value, in the order of the values where each is used once."""
    entries = sorted(zip(game.solution, game.entities)) if game.distinct else zip(game.solution, game.entities)
    return joint.join(f"{who}: {game.values[place]}" for place, who in entries)


def worked(rng: random.Random) -> Maker:
    """First the arrangement, then the answer that follows from it."""
    def make(rng: random.Random) -> Example:
        game, setting = scene(rng)
        asked, answer, _ = question(rng, game, setting)
        return Example("Write down the arrangement first, then the answer.", f"{passage(rng, game, setting)}\n{asked}",
            f"{_arranged(game, ', ')}. So: {answer}")

    return make


def reasoned(rng: random.Random) -> Maker:
    """The whole arrangement as the answer."""
    joint = rng.choice(("\n", ", ", "; "))

    def make(rng: random.Random) -> Example:
        game, setting = scene(rng)
        return Example("Give the whole arrangement, one entry per person.", passage(rng, game, setting), _arranged(game, joint))

    return make


def true_or_false(rng: random.Random) -> Maker:
    """Statements about one game, each true or not."""
    def make(rng: random.Random) -> Example:
        game, setting = scene(rng)
        answers = {}
        for _ in range(rng.randint(1, 4)):
            truth = rng.random() < 0.5
            statement = clue_text(rng, _statement(rng, game, truth), game, setting)
            answers[f"Statement: {statement}"] = "yes" if truth else "no"
        (first, answer), *rest = answers.items()
        return Example("Is the statement true? Answer yes or no.", f"{passage(rng, game, setting)}\n{first}", answer, True,
            more=tuple(rest))

    return make


def _statement(rng: random.Random, game: Game, truth: bool) -> Clue:
    kinds = ("before", "at", "not_at", "at") if game.distinct and game.values[0] in ("first", "Monday") else ("at", "not_at",
        "at")
    while True:
        clue = _clue(rng, kinds, len(game.entities), len(game.values))
        if holds(clue, game.solution) == truth:
            return clue


def five_options(rng: random.Random) -> Maker:
    """One statement of five is true; the answer is its letter, at times after the arrangement."""
    asked = rng.choice(("Which one of the following is true?", "Which of the following must be true?",
        "Which statement is correct?"))
    mark, thinking = rng.choice(("{}) {}", "({}) {}", "{}. {}")), rng.random() < 0.3
    instruction = "Answer with the letter of the right option."
    if thinking:
        instruction = "Write down the arrangement, then the letter of the right option."

    def make(rng: random.Random) -> Example:
        game, setting = scene(rng)
        options = _options(rng, game, setting)
        right = options[0]
        rng.shuffle(options)
        listing = "\n".join(mark.format(letter, option) for letter, option in zip(LETTERS, options))
        answer = LETTERS[options.index(right)]
        return Example(instruction, f"{passage(rng, game, setting)}\n{asked}\n{listing}",
            f"{_arranged(game, ', ')}. So: {answer}" if thinking else answer, not thinking)

    return make


def _options(rng: random.Random, game: Game, setting: Setting) -> list[str]:
    """Five different options, the true one first: names, values, or statements."""
    if len(game.entities) == 5 and game.distinct and rng.random() < 0.5:
        _, answer, choices = question(rng, game, setting)
        who = answer if choices is game.entities else game.entities[game.solution.index(game.values.index(answer))]
        value = game.values[game.solution[game.entities.index(who)]]
        form = setting.forms["at"][0]
        return [form.format(a=name, v=value) for name in (who, *(name for name in game.entities if name != who))]
    options = [clue_text(rng, _statement(rng, game, True), game, setting)]
    while len(options) < 5:
        option = clue_text(rng, _statement(rng, game, False), game, setting)
        if option not in options:
            options.append(option)
    return options


TASKS = (direct, direct, direct, worked, reasoned, true_or_false, true_or_false, five_options, five_options, five_options)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless logic games."""
    return stream(TASKS, rng, "logic")
