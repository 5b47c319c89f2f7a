"""Turns of owners: nobody waits until another has been served completely."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from localtune.infer.request import GenerateRequest
from localtune.infer.runner import Runner
from localtune.infer.sequence import Sequence
from localtune.infer.waiting import FairQueue

MakeRequest = Callable[..., GenerateRequest]


def sequences(request_for: MakeRequest, owners: str, **changes: object) -> list[Sequence]:
    """One sequence per letter."""
    return [Sequence(request_for([40], owner=owner, **changes), send=[].extend) for owner in owners]


def served(queue: FairQueue, placed: list[Sequence]) -> str:
    """Owners of those who get a place, in their order; they join `placed`."""
    owners = ""
    while sequence := queue.next(placed):
        queue.leave(sequence)
        placed.append(sequence)
        owners += sequence.request.owner
    return owners


def queue_of(sequences: list[Sequence], places: int) -> FairQueue:
    queue = FairQueue(places)
    for sequence in sequences:
        queue.join(sequence)
    return queue


def test_owners_take_turns_and_each_is_served_in_its_own_order(request_for: MakeRequest) -> None:
    line = sequences(request_for, "aaaaabbc")
    placed: list[Sequence] = []
    assert served(queue_of(line, places=8), placed) == "abcabaaa"
    assert [one for one in placed if one.request.owner == "a"] == line[:5]


def test_a_free_place_goes_to_whoever_holds_the_fewest(request_for: MakeRequest) -> None:
    queue = queue_of(sequences(request_for, "aaabb"), places=4)
    assert served(queue, sequences(request_for, "bb")) == "aa"


def test_one_place_goes_from_owner_to_owner(request_for: MakeRequest) -> None:
    queue, turns = queue_of(sequences(request_for, "aaabbb"), places=1), []
    while sequence := queue.next([]):
        queue.leave(sequence)
        turns.append(sequence.request.owner)
    assert "".join(turns) == "ababab"


def test_who_has_no_place_gets_one_of_the_spare_ones_and_nobody_gets_more(request_for: MakeRequest) -> None:
    placed = sequences(request_for, "aaa")
    queue = queue_of(sequences(request_for, "aabbcdef"), places=3)
    assert served(queue, placed) == "bcd"
    assert sorted(one.request.owner for one in queue) == list("aabef")


def test_cancelled_ones_lose_their_turn(request_for: MakeRequest) -> None:
    line = sequences(request_for, "aab")
    queue = queue_of(line, places=3)
    line[0].cancelled = line[2].cancelled = True
    queue.drop_cancelled()
    assert list(queue) == [line[1]]
    line[1].cancelled = True
    queue.drop_cancelled()
    assert not queue and queue.next([]) is None


def test_a_newcomer_is_answered_while_anothers_long_texts_go_on(folder: Path, request_for: MakeRequest) -> None:
    runner = Runner(folder, max_slots=4)
    greedy = sequences(request_for, "g" * 40, max_tokens=200)
    [newcomer] = sequences(request_for, "n", max_tokens=10)
    with torch.inference_mode():
        for sequence in greedy:
            runner.submit(sequence)
        for _ in range(5):
            runner.step()
        runner.submit(newcomer)
        for _ in range(10):
            runner.step()
    assert newcomer.finished
    assert [one.count for one in greedy[:5]] == [14, 14, 14, 14, 0]  # 5 alone, 9 with the newcomer's
