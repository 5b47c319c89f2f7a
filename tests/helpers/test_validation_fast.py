"""A block of lines at once says of good lines what one line at a time says, and leaves every other block to that."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from helpers.formatting import chat_row
from helpers.validation import fast, secrets
from helpers.validation.facts import Facts, fold
from helpers.validation.marks import Marks, pair_table

ODD_TEXTS = ["plain", 'a "quoted" word', "C:\\dir\\", "\\", '\\"', '\\\\"', "tab\t", "ünï 雪 🙂", "{}",
             "}\n{", '"role"', "\0"]
RARE = b"\n-HIJK\\]^_"
GOOD = json.dumps(chat_row("s", "q", "a")).encode()


def at_once(*lines: bytes) -> Any:
    data = b"".join(line + b"\n" for line in lines)
    return fast.quick_chats(data, Marks(data))


@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("letters", [True, False])
def test_odd_texts_are_read_as_one_by_one(copies: int, letters: bool) -> None:
    dice = random.Random(0)
    rows = [chat_row(dice.choice([None, *ODD_TEXTS]), *dice.sample(ODD_TEXTS, 2)) for _ in range(20 * copies)]
    lines = [json.dumps(row, ensure_ascii=letters).encode() for row in rows]
    assert at_once(*lines) == [fast.quick_chat(line) for line in lines]


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace(b'"role": "user"', b'"role": "system", "role": "user"'),
        GOOD.replace(b'"role": "user"', b'"role" : "system","role" :"user"'),
        GOOD.replace(b'"role": "user"', b'"r\\u006fle": "system", "role": "user"'),
        GOOD.replace(b'"content": "q"', b'"content": "\\\\", "content": "\\\\"'),
        GOOD.replace(b'"messages"', b'"messages": [], "messages"'),
        GOOD.replace(b'"q"', b'" "'),
        GOOD.replace(b'"q"', b"7"),
        GOOD.replace(b'"q"', b'"\xff"'),
        GOOD.replace(b"assistant", b"user"),
        GOOD.replace(b"user", b"human"),
        GOOD.replace(b", {", b",\n{", 1),
        GOOD.replace(b'{"messages": [', b'{"messages": [\n'),
        GOOD + GOOD,
        GOOD + b"\r",
        b" " + GOOD,
        b"\xef\xbb\xbf" + GOOD,
        b"",
        b" ",
        GOOD + b" " + GOOD.replace(b", {", b",\n{", 1),  # as many objects as lines
        b"[" * 5000,
    ],
)
@pytest.mark.parametrize("around", [0, 1, 100])
def test_any_doubt_leaves_the_block_to_the_other_way(bad: bytes, around: int) -> None:
    assert at_once(GOOD, GOOD) is not None
    assert at_once(*[GOOD] * around, bad, *[GOOD] * around) is None


def test_a_last_line_without_line_feed_is_left_to_the_other_way() -> None:
    assert fast.quick_chats(GOOD, Marks(GOOD)) is None


@pytest.mark.parametrize("data", [b"", b"\n", b"-", b"\\\\", b"\n\n-a\\_", bytes(range(256)) * 3])
def test_every_rare_byte_is_marked_with_the_one_before(data: bytes) -> None:
    marks = Marks(data)
    assert marks.at.tolist() == [at for at, byte in enumerate(data) if byte in RARE]
    assert marks.ends.tolist() == [at for at, byte in enumerate(data) if byte == 10]
    pairs = [(b"\0" + data)[at : at + 2] for at in marks.at.tolist()]
    assert [int(pair).to_bytes(2, "big") for pair in marks.pairs] == pairs


@pytest.mark.parametrize("around", [b"", b" ", b"-" * 9])
@pytest.mark.parametrize(("beginning", "needle", "name"), [secret[:3] for secret in secrets._SECRETS])
def test_every_secret_is_led_to_by_its_beginning(beginning: bytes, needle: bytes, name: str, around: bytes) -> None:
    assert beginning.startswith(needle) or needle.startswith(beginning)
    data = around + beginning + around
    assert Marks(data).where(pair_table([beginning[-2:]])) == [len(around + beginning) - 1]


def test_many_texts_have_the_facts_of_each() -> None:
    examples = [(("user", "assistant"), (f"question {n}", text)) for n, text in enumerate(ODD_TEXTS)]
    many, single = Facts(), Facts()
    many.add(range(len(examples)), range(len(examples)), examples)
    for n, example in enumerate(examples):
        single.add([n], [n], [example])
    assert many == single and len(set(many.ends)) > 6
    assert many.ends[0] == hash(fold("question 0plain")) & 0xFFFFFFFF
