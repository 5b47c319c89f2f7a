"""Copying, remembering, and saying the same thing in other words."""

from __future__ import annotations

from random import Random

from localtune.base.corpus.dialogue.slots import ARROW, HERE, WORDS, Slots, chat
from localtune.base.corpus.dialogue.talk import lines
from localtune.base.corpus.document import Document
from localtune.base.corpus.personas.bank import capital, read_bank
from localtune.base.corpus.personas.voices import hand_written

COPYING = read_bank(HERE / "copying.ini")
REPHRASE = read_bank(HERE / "rephrase.ini")
CONTENTS = (
    "{order}", "{code}", "{phone}", "{mail}", "{price}", "{time}", "{word}", "{word} {word2} {word3}", "{name} and {name2}",
    "{food}, {food2}, {food3}", "<Kin> <acts> <when>.", "<close>", "<open>", "{n} {n2} {n3} {n4}", "{sound} {sound2} {sound}",
    "{city}, {city2} and {city3}", "<adj> <animal>", "{name} lives in {city}.", "<Clause>.", "{code} {code2}",
)
ITEMS = ("{word}", "{animal}", "{food}", "{object}", "{code}", "{n}", "{name}", "{colour} {animal}")


def copy(rng: Random) -> Document:
    """A text given back unchanged."""
    slots = Slots(rng)
    slots["x"] = slots.fill(WORDS.expand(rng.choice(CONTENTS), rng))
    return chat(rng.choice(COPYING["ask"]["frames"]).format_map(slots), slots["x"])


def remember(rng: Random) -> Document:
    """One or two items, given back later, or put into another text."""
    slots, section = Slots(rng), rng.choice(("remember", "swap"))
    item = rng.choice(ITEMS if section == "remember" else ITEMS[1:4])
    slots["x"], slots["y"] = slots.fill(item), Slots(rng).fill(item)
    return chat(*(line.format_map(slots) for line in rng.choice(COPYING[section]["frames"]).split(ARROW)))


def rephrase(rng: Random) -> Document:
    """A sentence made shorter, longer, a question, somebody's words, or put into another tone."""
    slots = Slots(rng)
    core = slots.fill(rng.choice(REPHRASE["cores"]["lines"]))
    task = rng.choice((shorten, lengthen, retone, retone, report))
    return task(core, slots, rng)


def ask(kind: str, slots: Slots, text: str, rng: Random) -> str:
    """An instruction of that kind for `text`."""
    slots["x"] = text
    return slots.fill(rng.choice(REPHRASE["frames"][kind]))


def padded(core: str, rng: Random) -> str:
    """The core sentence with words around it that say nothing."""
    before = rng.choice(REPHRASE["padding"]["before"]) + " " if rng.random() < 0.7 else ""
    after = rng.choice(REPHRASE["padding"]["after"]) if not before or rng.random() < 0.4 else ""
    return capital(f"{before}{core}{after}.").replace(" ,", ",")


def shorten(core: str, slots: Slots, rng: Random) -> Document:
    """A padded sentence becomes its core."""
    return chat(ask("shorten", slots, padded(core, rng), rng), capital(core) + ".")


def lengthen(core: str, slots: Slots, rng: Random) -> Document:
    """A core sentence is padded."""
    return chat(ask("lengthen", slots, capital(core) + ".", rng), padded(core, rng))


def retone(core: str, slots: Slots, rng: Random) -> Document:
    """A sentence put into the voice of a persona."""
    voice = hand_written(rng)
    slots["role"], slots["adj"] = voice.role, rng.choice(voice.adjectives)
    plain = capital(core) + "."
    forms = (f"{{open}} {plain}", f"{plain} {{close}}", f"{{open}} {plain} {{close}}", f"{plain[:-1]}, {{tail}}{voice.end}")
    fields = {"open": rng.choice(voice.openers), "close": rng.choice(voice.closers), "tail": rng.choice(voice.tails)}
    return chat(ask("tone", slots, plain, rng), rng.choice(forms).format_map(fields))


def report(core: str, slots: Slots, rng: Random) -> Document:
    """A sentence as a question, or as what somebody says."""
    plain = capital(core) + "."
    if rng.random() < 0.4:
        return chat(ask("question", slots, plain, rng), f"Is it true that {core}?")
    slots["speaker"] = WORDS.expand("<name>", rng)
    return chat(ask("report", slots, plain, rng), f"{slots['speaker']} says that {core}.")


def register(rng: Random) -> Document:
    """A casual line made formal, or a formal one casual."""
    slots = Slots(rng)
    casual, formal = lines(rng.choice(REPHRASE["pairs"]["frames"]), slots)
    if rng.random() < 0.6:
        return chat(ask("formal", slots, casual, rng), formal)
    return chat(ask("casual", slots, formal, rng), casual)
