"""Kills a service and its real worker many times, at named places and at random moments: does every job end the same?

`python3 start.py bench crashes --kills N` trains the same small job N times at each place, and N times with random
deaths, and compares every life with one in which nobody died: all losses, all events, the bits of all weights. It prints
its table after every round of all places, so that a run that is stopped has measured something.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from localtune.crash import POINTS
from tests.durability.killing import REAL_WORKER, Life, kill_at_random, live
from tests.tiny import tiny_base

# A place is passed several times in a life; which passage is deadly is drawn from so many, by how the place begins.
PASSAGES = {"claim.before": 3, "claim.after": 1, "events": 4, "state": 4, "checkpoint": 3, "models": 1, "file": 2}
RANDOM = "random moments"


def one_life(folder: Path, bases: Path, place: str, rng: random.Random, seconds: float) -> tuple[dict[str, Any], int]:
    """What came of a job, and how many processes died over it."""
    settings = {"worker": REAL_WORKER}
    if place == RANDOM:
        life = Life(folder / "state", bases, settings)
        result = live(life, meanwhile=kill_at_random(rng, seconds, rng.randint(1, 3)))
        return result, life.deaths + life.worker_deaths
    fuse = folder / "fuse"
    most = next(count for beginning, count in PASSAGES.items() if place.startswith(beginning))
    fuse.write_text(str(rng.randint(1, most)), encoding="utf-8")
    result = live(Life(folder / "state", bases, settings, crash_at=f"{place}@{fuse}"))
    return result, int(not fuse.exists())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2, help="lives per place (default: %(default)s)")
    parser.add_argument("--only", choices=(*POINTS, RANDOM), help="one of the places")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    places = [options.only] if options.only else [*POINTS, RANDOM]
    lives, deaths, same = Counter(), Counter(), Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny_base(folder / "bases" / "small")
        began = time.monotonic()
        expected = live(Life(folder / "quiet", folder / "bases", {"worker": REAL_WORKER}))
        seconds = time.monotonic() - began
        for number in range(options.kills):
            for place in places:
                home = folder / f"{place} {number}"
                home.mkdir()
                lives[place] += 1
                try:
                    result, died = one_life(home, folder / "bases", place, rng, seconds)
                except AssertionError as broken:  # an orphan, a leftover, a job that never ends: the other lives go on
                    print(f"{place}, life {number}: {broken}", flush=True)
                    continue
                deaths[place] += died
                same[place] += result == expected
            report(places, lives, deaths, same)
    if same != lives:
        raise SystemExit("some jobs did not end as they would have ended")


def report(places: list[str], lives: Counter[str], deaths: Counter[str], same: Counter[str]) -> None:
    for place in places:
        print(f"{place:18} lives {lives[place]:4}  deaths {deaths[place]:4}  same end {same[place]:4}")
    print(f"{'all':18} lives {lives.total():4}  deaths {deaths.total():4}  same end {same.total():4}", flush=True)


if __name__ == "__main__":
    main()
