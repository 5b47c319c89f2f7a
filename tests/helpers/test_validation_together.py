"""Lines compared with each other: near-duplicates and their bounds, and several processes that find what one finds."""

from __future__ import annotations

import json
import random
from array import array
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.formatting import chat_row, completion_row, write_jsonl
from helpers.validation import check, near, processes, validate
from helpers.validation.facts import Facts

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "lling", "m")]


def text(seed: object, words: int) -> str:
    return " ".join(random.Random(str(seed)).choices(WORDS, k=words))


def rows(count: int, words: int = 20) -> list[dict[str, Any]]:
    return [chat_row("Be brief.", text(f"q{n}", words), text(f"a{n}", words)) for n in range(count)]


def near_ones(found: Any) -> list[list[Any]]:
    return found.query("rule == 'near_duplicate'")[["line", "what"]].to_numpy().tolist()


@pytest.mark.parametrize("place", [0, 5, 10, 11])
@pytest.mark.parametrize("change", ["replaced", "added", "dropped"])
def test_one_changed_word_is_found_wherever_it_stands(place: int, change: str) -> None:
    for words, answer in ((12, "yes"), (12, text("long", 30)), (200, "yes"), (200, text("long", 30))):
        old = text("x", words).split()
        place_here = place * len(old) // 12
        cut = place_here + (change != "added")
        new = [*old[:place_here], *(["changed"] if change != "dropped" else []), *old[cut:]]
        pair = [chat_row(None, " ".join(said), answer) for said in (old, new)]
        found = near_ones(validate([*rows(50), *pair]))
        assert [line for line, _ in found] == [52] and "one word differs from line 51" in found[0][1]
        assert change == "dropped" or "'changed' here" in found[0][1]


def test_a_changed_word_in_an_answer_or_a_completion_is_found() -> None:
    old, new = text("x", 30), text("x", 30).replace(text("x", 30).split()[7], "changed", 1)
    assert len(near_ones(validate([*rows(50), chat_row(None, "q?", old), chat_row(None, "q?", new)]))) == 1
    assert len(near_ones(validate([completion_row("", old), completion_row("", new)]))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Is the lamp on the table in the large room of the old house bright?", "yes"), ("same", "no")),  # another label
        (("Is the lamp bright?", "yes"), ("Is the room bright?", "yes")),  # too short to be the same by chance
        ((text("x", 20) + " one two", "yes"), (text("x", 20) + " three four", "yes")),  # two words
        (("one " + text("x", 20) + " two", "yes"), ("three " + text("x", 20) + " four", "yes")),
        ((text("x", 20), text("y", 20)), (text("x", 20) + " z", text("y", 20) + " z")),  # one word in each text
        ((text("x", 20), text("y", 20)), (text("x", 20), text("z", 20))),  # only the question is the same
    ],
)
def test_what_differs_more_is_not_nearly_the_same(one: tuple[str, str], other: tuple[str, str]) -> None:
    other = (one[0], other[1]) if other[0] == "same" else other
    assert near_ones(validate([*rows(50), chat_row(None, *one), chat_row(None, *other)])) == []


def test_another_system_prompt_makes_another_example() -> None:
    question, answer = text("x", 20), text("y", 20)
    long = text("z", 20)
    pair = [chat_row(long, question, answer), chat_row(long + " more", question, answer)]
    assert near_ones(validate([*rows(50), *pair])) == []


def test_a_template_shared_by_all_lines_costs_a_bounded_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is compared with a few others, and of a group only so many lines are read."""
    compared: list[int] = []
    real = near.changed_word
    monkeypatch.setattr(near, "changed_word", lambda one, other: compared.append(1) or real(one, other))
    monkeypatch.setattr(near, "MOST", 100)
    template = text("template", 40)
    found = near_ones(validate([chat_row(None, f"{template} {n} {text(n, 3)}", "yes") for n in range(400)]))
    assert found == [] and 0 < len(compared) <= 100 * near.LATEST * 4


def test_a_changed_word_is_found_among_many_lines_of_one_template() -> None:
    """Far more lines than are compared one by one share the beginning and the end of the text."""
    dice = random.Random(5)
    reviews = [dice.choices(WORDS, k=18) for _ in range(300)]
    planted = [[*reviews[9 * n][:n], "changed", *reviews[9 * n][n + 1 :]] for n in range(18)]
    template = "Is this review good or bad? Answer with one word.\n\nReview: {}\n\nAnswer:"
    rows = [chat_row(None, template.format(" ".join(words)), "good") for words in (*reviews, *planted)]
    assert [line for line, _ in near_ones(validate(rows))] == list(range(301, 319))


# --- two files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["case", "word"])
def test_what_is_nearly_the_same_in_the_validation_file_is_a_leak(tmp_path: Path, kind: str) -> None:
    question, answer = text("x", 20), text("y", 20)
    other = question.upper() if kind == "case" else question.replace(question.split()[4], "changed", 1)
    training = write_jsonl(tmp_path / "t.jsonl", [*rows(60), chat_row("Be brief.", question, answer)])
    report = check(training, validation=[*rows(3), chat_row("Be brief.", other, answer)])
    found = [what for line, rule, _, what, _ in report.findings.rows() if (line, rule) == (61, "leaked_example")]
    expected = "nearly the same as line 4" if kind == "case" else "one word differs from line 4"
    assert len(found) == 1 and found[0].startswith(expected + " of the validation file")
    assert report.findings.counts["leaked_example"] == 4 and "near_duplicate" not in report.findings.counts


# --- several processes -----------------------------------------------------------------------------------------------

ODD = [b"", b"{", b'{"messages": [{"role": "human", "content": "x"}]}', b"\xff", b" ", b"[1]", b"{}\r"]


def odd_file(path: Path, seed: int, lines: int = 300) -> Path:
    """Good lines, copies, near copies and every kind of bad line, empty ones at the beginning and the end too."""
    dice = random.Random(seed)
    good = [json.dumps(row).encode() for row in rows(60)]
    content = [dice.choice(ODD) if dice.random() < 0.2 else dice.choice(good) for _ in range(lines)]
    content[7] = json.dumps(chat_row("Be brief.", "write to jo@mail.org", "sk-proj-" + "a1" * 12)).encode()
    path.write_bytes(b"\n".join([b"", *content, *[b""] * dice.randint(0, 3)]))
    return path


@pytest.mark.parametrize("seed", range(2))
def test_processes_find_what_one_finds(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PART", 7000)
    training, other = odd_file(tmp_path / "t.jsonl", seed), odd_file(tmp_path / "v.jsonl", 10 + seed, 50)
    one, two = (check(training, validation=other, processes=n, quiet=True).to_dict() for n in (1, 2))
    assert one == two and len(one["counts"]) > 8 and one["counts"]["leaked_example"] > 0


@pytest.mark.parametrize("model", ["gpt-4.1-2025-04-14", "tiny-limit", "small"])
def test_processes_count_the_tokens_that_one_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr(processes, "PART", 7000)
    path = odd_file(tmp_path / "t.jsonl", 3)
    one, two = (check(path, model, tokens=True, processes=n, quiet=True) for n in (1, 2))
    assert one.to_dict() == two.to_dict() and one.tokens is not None and one.tokens["total"] > 10_000
    assert ("too_long" in one.findings.counts) == (model == "tiny-limit")


def test_labels_are_counted_over_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PART", 1000)
    pairs = [completion_row(text(n, 8), "negative" if n % 20 == 7 else "positive") for n in range(100)]
    path = write_jsonl(tmp_path / "t.jsonl", pairs)
    assert check(path, processes=2).findings.counts == {"label_imbalance": 1}
    assert check(write_jsonl(tmp_path / "g.jsonl", rows(60)), "tiny-limit", processes=2).findings.counts == {"too_long": 60}


def test_a_process_that_dies_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_start", lambda seed, start=processes._start: killed(start(seed)))
    with pytest.raises(OSError, match="processes=1"):
        check(write_jsonl(tmp_path / "t.jsonl", rows(60)), processes=2)


def killed(process: Any) -> Any:
    process.kill()
    return process


@pytest.mark.parametrize("count", [1, 2])
def test_a_bar_shows_what_is_done_and_the_time_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    labels: list[str] = []
    module = import_module("helpers.validation.check")  # the package's own name `check` is the function
    monkeypatch.setattr(module, "LARGE", 1)
    monkeypatch.setattr("helpers.progress.Progress.update", lambda bar, done, total, label: labels.append(label))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=iter(range(10**6)).__next__))
    check(write_jsonl(tmp_path / "t.jsonl", rows(60)), processes=count)
    assert any("s left" in label for label in labels) and "checked t.jsonl" in capsys.readouterr().out


def test_memory_grows_by_some_forty_bytes_a_line() -> None:
    facts = Facts()
    for line in range(1000):
        facts.add([line], [line], [(("user", "assistant"), (text(line, 20), text(-line, 20)))])
    lists = [value for value in vars(facts).values() if isinstance(value, array)]
    assert sum(len(values) * values.itemsize for values in lists) <= 50 * 1000
