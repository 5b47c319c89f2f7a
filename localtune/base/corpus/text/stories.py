"""Small stories, diary pages and letters from a recursive grammar."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.grammar import expand, names, sentences
from localtune.base.corpus.tasks.words import ANIMALS, CITIES, COLOURS, FOOD, JOBS, MEN, MONTHS, THINGS, WEEKDAYS, WOMEN

STORY = {
    "story": ("{start} {wish} {way} {trouble} {help} {end}", "{start} {wish} {trouble} {end}",
    "{start} {way} {meeting} {help} {end}", "{start} {meeting} {trouble} {help} {end} {moral}",
    "{start} {wish} {way} {meeting} {end} {moral}"),
    "start": (
        "once there was a(n) {job} called {who} who lived in a(n) {house}.", "{who} was a(n) {trait} {job}.",
        "in a(n) {house} near {city} lived {who}, a(n) {trait} {job}.",
        "many years ago, {who} kept a(n) {animal} in a(n) {house}.",
        "there was once a(n) {animal} that could not sleep.", "{who} had a(n) {color} {thing} and was proud of it.",
        "on a {weather} morning {who} woke up early.", "nobody in {city} knew where {who} came from.",
        "{who} and {friend} were neighbours."),
    "wish": (
        "more than anything, {he} wanted a(n) {thing}.", "{he} dreamed of seeing {city}.",
        "every night {he} heard a(n) {animal} outside.", "one day {he} lost the {thing}.", "{he} wished for a friend.",
        "but the {thing} was broken.",
        "the only thing missing was a bit of {food}.", "{he} had promised {friend} a(n) {color} {thing}.",
        "{he} wanted to know what was behind the hill.", "{his} mother had said: 'never open the {color} box.'"),
    "way": (
        "so {he} packed {food} and {food} and set out.", "{he} walked for three days through the {wood}.",
        "{he} took the night train to {city}.", "the road led past a(n) {house} and over a bridge.",
        "{he} borrowed a boat and rowed across the lake.",
        "with a(n) {thing} in {his} bag {he} left the town.", "it was {weather}, and the way was long."),
    "meeting": (
        "on the road {he} met a(n) {animal}.", "there sat an old {job} and asked for {food}.",
        "a(n) {animal} with {color} eyes stood at the gate.", "'good day,' said the {animal}, 'where are you going?'",
        "by the well {he} met {friend}.",
        "a(n) {trait} {job} opened the door and asked {him} in.", "'I have waited for you,' said a voice in the {wood}."),
    "trouble": (
        "suddenly the light went out.", "then a storm came up and took the roof away.", "but the bridge was gone.",
        "a thief had taken the {thing}.", "{he} fell ill and stayed in bed for a week.",
        "the {animal} ran off with {his} {food}.",
        "the key did not fit.", "nobody would listen to {him}.", "{he} could find neither the way forward nor the way back.",
        "the water rose and rose."),
    "help": (
        "luckily, {friend} came by with a(n) {thing}.", "the {animal} showed {him} a path.",
        "{he} sat down, ate some {food} and thought.", "{friend} laughed and said: 'that is easy.'",
        "then {he} remembered the {thing} in {his} pocket.",
        "a(n) {job} from {city} knew what to do.", "together they pulled until it gave way.",
        "{he} sang the song of {his} grandmother, and the door opened."),
    "end": (
        "in the evening they all ate {food} together.", "and {he} never lost the {thing} again.",
        "{who} came home and slept for two days.", "since that day there has been a(n) {animal} on the town's sign.",
        "{friend} told the story in {city} for years.",
        "and if you go there, you can still see the {color} {thing}.", "{who} gave the {thing} away and was happy.",
        "the next morning everything was as before.", "they are friends to this day."),
    "moral": ("sometimes the small way is the short one.", "whoever shares gets more.", "patience opens many doors.",
    "not everything that is {color} is gold.", "a friend is worth more than a(n) {thing}."),
}
DIARY = {
    "story": ("{date} {diary} {diary} {close}", "{date} {diary} {diary} {diary}", "{date} {diary} {diary} {diary} {close}",
    "{diary} {diary} {close}"),
    "date": ("{weekday}.", "{weekday}, {weather}.", "{month} {n}.", "{weekday}, the {n}th of {month}.", "dear diary,"),
    "diary": (
        "got up at {n} and made {food} for breakfast.", "it was {weather} all day.",
        "in the morning I met {friend} at the market and bought {food}.", "worked until {n} and missed the bus.",
        "my {thing} broke again, so I used the old one.",
        "called my sister in {city}; she has a new {animal}.", "read {n}0 pages of my book.",
        "lunch with {friend}: soup and {food}.", "I could not find my {thing} and looked for it for an hour.",
        "the neighbours had a party, and I baked a cake.",
        "{friend} told me about a trip to {city}.", "tried to fix the {thing}; it took all afternoon.",
        "a(n) {animal} sat on the balcony and looked at me.", "went for a run along the river, {n} kilometres.",
        "painted the kitchen {color}.",
        "started to learn the piano.", "the doctor says all is well.", "wrote three letters and posted only one."),
    "close": ("now I am tired.", "good night.", "tomorrow I will sleep longer.", "a good day after all.",
    "I must not forget to call {friend}.", "next week I go to {city}.", "that's all for today."),
}
LETTER = {
    "story": ("dear {friend}, {letter} {letter} {closing}", "hello {friend}, {letter} {letter} {letter} {closing}",
    "my dear {friend}, {letter} {letter} {closing}"),
    "letter": (
        "thank you for the {thing} you sent me.", "it is {weather} here in {city}.", "I have found work as a(n) {job}.",
        "do you remember the {animal} from last summer?", "the children ask about you every day.",
        "I have learned to cook {food} soup.",
        "we moved into a(n) {house} near the station.", "last {weekday} we took a walk in the {wood}.",
        "I bought a(n) {color} {thing}, just like yours.", "when will you come and visit us?",
        "my neighbour, a(n) {trait} {job}, plays the drum at night.",
        "the {thing} you lost was under the sofa.", "please write to me what the doctor said."),
    "closing": ("write soon! yours, {who}.", "many greetings, {who}.", "with love, {who}.", "take care of yourself. {who}.",
    "see you in {month}! {who}."),
}
WORDS = {
    "trait": names("""
        poor, rich, clever, lazy, cheerful, shy, brave, kind, young, old, curious, quiet, proud, honest, busy, lonely,
        friendly, tall, stubborn
    """),
    "house": names("""
        small house, tower, lighthouse, windmill, cellar, castle, hut, boat house, farm, narrow street, garden house, attic,
        blue house, school
    """),
    "wood": names("dark wood, pine forest, tall grass, snow, moor, vineyard, park, mountains, sand"),
    "weather": names("sunny, rainy, foggy, cold, hot, windy, snowy, grey, mild, stormy"),
}


def tale(rng: random.Random, grammar: dict[str, tuple[str, ...]] | None = None) -> str:
    """A story, diary page or letter; names and the main things stay the same through the text."""
    grammar = grammar or rng.choice((STORY, STORY, DIARY, LETTER))
    woman = rng.random() < 0.5
    who, friend = rng.choice(WOMEN if woman else MEN), rng.choice(WOMEN + MEN)
    he, his, him = ("she", "her", "her") if woman else ("he", "his", "him")
    slots = {**grammar, **WORDS, "who": who, "friend": friend, "he": he, "his": his, "him": him, "thing": rng.choice(THINGS),
        "animal": rng.choice(ANIMALS), "color": rng.choice(COLOURS), "city": rng.choice(CITIES),
             "job": JOBS, "food": FOOD, "weekday": WEEKDAYS, "month": MONTHS, "n": str(rng.randint(5, 9))}
    return sentences(expand("{story}", rng, slots)).replace(" i ", " I ")
