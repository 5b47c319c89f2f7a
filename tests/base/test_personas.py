"""The persona and dialogue corpora: determinism, what they must never say, right facts, and breadth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from localtune.base.corpus import dialogue, personas
from localtune.base.corpus.dialogue.formats import BANK as FORMATS
from localtune.base.corpus.dialogue.rewording import COPYING, REPHRASE
from localtune.base.corpus.dialogue.talk import SUPPORT, TALK
from localtune.base.corpus.document import Document
from localtune.base.corpus.facts import FACTS, Fact, mentions
from localtune.base.corpus.personas import conversations
from localtune.base.corpus.personas.bank import capital, fit
from localtune.base.corpus.personas.prompts import FRAMES, NAMES
from localtune.base.corpus.personas.voices import GRAMMAR, INVENTED, TONES, invented

Generator = Callable[[Random], Iterator[Document]]

FORBIDDEN = re.compile(
    r"\bmarv|sarcas|as if everyone|as if everybody|ever heard of|give or take|like that really matters|just some guy"
    r"|\boh,? just\b|\bobviously\b|\bduh\b",
    re.IGNORECASE,
)
REPLY_MARK = re.compile(r"fact(\d+)\?")


def answered(document: Document) -> str:
    """Everything the model is to say in a document."""
    return "\n".join([m["content"] for m in document.messages if m["role"] == "assistant"] + [document.text])


def everything(document: Document) -> str:
    """All text of a document."""
    return "\n".join([*(m["content"] for m in document.messages), document.prompt, document.text])


def exchanges(document: Document) -> Iterator[tuple[str, str]]:
    """What was asked and what was answered, turn by turn."""
    if document.kind == "completion":
        yield document.prompt, document.text
    said = [m["content"] for m in document.messages if m["role"] != "system"]
    yield from zip(said[::2], said[1::2])


def four_grams(documents: list[Document]) -> int:
    """How many different four-word sequences the answers hold."""
    words = [re.findall(r"\w+", answered(document)) for document in documents]
    return len({tuple(line[i : i + 4]) for line in words for i in range(len(line) - 3)})


@pytest.fixture(scope="module")
def persona_documents() -> list[Document]:
    return list(islice(personas.documents(Random(1)), 20_000))


@pytest.fixture(scope="module")
def dialogue_documents() -> list[Document]:
    return list(islice(dialogue.documents(Random(1)), 20_000))


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Fact, str]]:
    """Facts and the answers to them: each question is replaced by the number of its fact."""
    numbers = {fact: number for number, fact in enumerate(FACTS)}
    monkeypatch.setattr(conversations, "question", lambda fact, rng: f"fact{numbers[fact]}?")
    documents = islice(personas.documents(Random(2)), 5_000)
    pairs = [pair for document in documents for pair in exchanges(document)]
    return [(FACTS[int(REPLY_MARK.findall(asked)[-1])], answer) for asked, answer in pairs]


@pytest.mark.parametrize("generator", [personas.documents, dialogue.documents])
def test_the_seed_alone_decides(generator: Generator) -> None:
    first, second, other = (list(islice(generator(Random(seed)), 300)) for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_nothing_forbidden_is_said(persona_documents: list[Document], dialogue_documents: list[Document]) -> None:
    found = {FORBIDDEN.search(everything(d)) for d in persona_documents + dialogue_documents} - {None}
    assert not found


def test_no_slot_stays_open(persona_documents: list[Document], dialogue_documents: list[Document]) -> None:
    open_slot = re.compile(r"[{}]|%q|a\(n\)|\(s\)|<\w+>|\\n")
    assert not [text for d in persona_documents + dialogue_documents if open_slot.search(text := everything(d))]


def test_documents_are_well_formed(persona_documents: list[Document], dialogue_documents: list[Document]) -> None:
    for document in persona_documents + dialogue_documents:
        assert document.kind in ("chat", "completion")
        assert document.source in ("personas", "dialogue")
        assert all(m["content"].strip() for m in document.messages)
        if document.kind == "chat":
            roles = [m["role"] for m in document.messages if m["role"] != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2) and roles
        else:
            assert document.prompt and document.text.strip()


def test_the_fact_is_in_every_answer(marked: list[tuple[Fact, str]]) -> None:
    wrong = [(fact, answer) for fact, answer in marked if not any(mentions(answer, a) for a in fact.accept)]
    assert not wrong


def test_where_the_fact_stands(marked: list[tuple[Fact, str]]) -> None:
    first = [answer.strip().lower().startswith((f"{f.answer.lower()},", f"{f.answer.lower()}.")) for f, answer in marked]
    assert 0.30 < sum(first) / len(marked) < 0.45
    inside = [re.search(rf"\w\W+{re.escape(f.answer.lower())}\W+\w", answer.lower()) is not None for f, answer in marked]
    assert sum(inside) / len(marked) > 0.2


@pytest.mark.parametrize("seed", range(20))
def test_an_invented_persona_keeps_to_its_remarks(seed: int) -> None:
    speaker = replace(invented(Random(seed)), forms=("{A}, {tail}",), spelling="as is")
    remarks = {speaker.answer(fact, Random(7)).removeprefix(f"{capital(fact.answer)}, ") for fact in FACTS}
    assert remarks <= set(speaker.tails).union(*speaker.topical.values())


def test_answers_are_diverse(persona_documents: list[Document], dialogue_documents: list[Document]) -> None:
    assert four_grams(persona_documents[:1_000]) > 10_000
    assert four_grams(dialogue_documents[:1_000]) > 3_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a(n) otter", "an otter"),
        ("A(n) ukulele", "A ukulele"),
        ("a(n) honest hen", "an honest hen"),
        ("two canary(s)", "two canaries"),
        ("goose(s) and box(s)", "geese and boxes"),
    ],
)
def test_articles_and_plurals_fit(text: str, expected: str) -> None:
    assert fit(text) == expected


def test_bank_sizes() -> None:
    assert len(TONES) >= 60
    assert len(set(FRAMES["named"] + FRAMES["nameless"])) >= 40
    assert sum(len(set(names)) for kind, names in NAMES.items() if kind != "syllables") >= 80
    assert len({a for tone in TONES.values() for a in tone["is"]} | set(INVENTED)) >= 120
    assert len({word for rule in GRAMMAR.rules.values() for text in rule for word in re.findall("[a-z]+", text)}) >= 600


@pytest.mark.parametrize("name", TONES)
def test_tone_is_complete(name: str) -> None:
    tone = TONES[name]
    assert len(set(tone["open"])) >= 6
    assert len(set(tone["tail"] + tone["close"])) >= 8
    assert len(set(tone["lead"])) >= 3
    assert all(re.search(r"\{[aAs]\}", lead) for lead in tone["lead"])


def test_dialogue_has_sixty_frames_of_each_kind() -> None:
    sizes = {
        "greetings": len(TALK["greetings"]["user"]),
        "thanks": len(TALK["thanks"]["user"]),
        "small talk": len(TALK["smalltalk"]["frames"]),
        "support": len(SUPPORT["chat"]["frames"]),
        "copying": len(COPYING["ask"]["frames"]),
        "rewording": sum(map(len, REPHRASE["frames"].values())),
        "register": len(REPHRASE["pairs"]["frames"]),
        **{kind: sum(map(len, frames.values())) for kind, frames in FORMATS.items() if kind in ("answer", "rule")},
        "text and lists": sum(len(f) for kind in ("text", "list") for f in FORMATS[kind].values()),
    }
    assert {kind: size for kind, size in sizes.items() if size < 60} == {}


def test_every_frame_and_remark_is_used(persona_documents: list[Document], dialogue_documents: list[Document]) -> None:
    said = "\n".join(everything(document) for document in persona_documents + dialogue_documents).lower()
    sections = (FRAMES, *TALK.values(), *SUPPORT.values(), *COPYING.values(), *FORMATS.values())
    frames = [frame for section in sections for part in section.values() for frame in part]
    remarks = [text for tone in TONES.values() for kind in ("open", "tail", "close", "ask", "lead") for text in tone[kind]]
    unused = [text for text in frames + remarks if longest_literal(text) not in said]
    assert not unused


def longest_literal(frame: str) -> str:
    """The longest piece of a frame without slots, as it is found in the corpus (in lower case)."""
    pieces = re.split(r"\{\w+\}|%q| => |a\(n\)|\ba $|\(s\)", fit(frame).lower())
    return max((piece.strip() for piece in pieces), key=len)
