from __future__ import annotations

import pytest

from localtune.infer.request import Token
from localtune.infer.text import TextStream


def feed(stop: tuple[str, ...], *pieces: bytes) -> tuple[list[str], bool]:
    """Texts shown after every piece, and whether a stop sequence was met."""
    stream, shown = TextStream(stop), []
    for piece in pieces:
        tokens, stopped = stream.push(Token(0, "", piece))
        shown.append("".join(token.text for token in tokens))
        if stopped:
            return shown, True
    return [*shown, "".join(token.text for token in stream.flush())], False


def test_without_stop_sequences_every_token_is_shown_at_once() -> None:
    assert feed((), b"Hello", b" you") == (["Hello", " you", ""], False)


def test_a_character_is_shown_when_its_last_byte_has_come() -> None:
    first, second, third = "é€".encode()[:1], "é€".encode()[1:3], "é€".encode()[3:]
    assert feed((), first, second, third) == (["", "é", "€", ""], False)


def test_an_unfinished_character_at_the_end_is_not_shown() -> None:
    assert feed((), b"a", "😀".encode()[:2]) == (["a", "", ""], False)


def test_bytes_that_can_never_be_a_character_are_replaced() -> None:
    assert feed((), b"\xff", b"a") == (["\ufffd", "a", ""], False)


@pytest.mark.parametrize("pieces", [(b"one STOP two",), (b"one S", b"TO", b"P two"), (b"one ", b"S", b"T", b"O", b"P")])
def test_a_stop_sequence_is_found_across_tokens_and_never_shown(pieces: tuple[bytes, ...]) -> None:
    shown, stopped = feed(("STOP",), *pieces)
    assert stopped
    assert "".join(shown) == "one "


def test_the_beginning_of_a_stop_sequence_is_shown_once_it_is_none() -> None:
    assert feed(("\n\n",), b"a", b"\n", b"b", b"\n") == (["a", "", "\nb", "", "\n"], False)


def test_the_earliest_of_several_stop_sequences_counts() -> None:
    assert feed(("world", "lo w"), b"hello world") == (["hel"], True)


def test_a_stop_sequence_of_multibyte_characters_is_found_inside_tokens() -> None:
    euro = "€".encode()
    assert feed(("€",), b"5 ", euro[:1], euro[1:] + b"!") == (["5 ", "", ""], True)


def test_an_overlapping_beginning_is_held_back() -> None:
    assert feed(("aab",), b"a", b"a", b"a", b"b") == (["", "", "a", ""], True)
