"""Kills a service and its real worker many times, at named places and at random moments: does every job end the same?

`python3 start.py bench crashes --kills N` trains the same small job N times at each place, and N times with random
deaths, and compares every life with one in which nobody died: all losses, all events, the bits of all weights.
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

LARGEST_PASSAGE = 4  # a place is passed several times in a life; which passage is deadly is drawn
RANDOM = "random moments"


def one_life(folder: Path, bases: Path, place: str, rng: random.Random, seconds: float) -> tuple[dict[str, Any], int]:
    """What came of a job, and how many processes died over it."""
    settings = {"worker": REAL_WORKER}
    if place == RANDOM:
        life = Life(folder / "state", bases, settings)
        result = live(life, meanwhile=kill_at_random(rng, seconds, rng.randint(1, 3)))
        return result, life.deaths + life.worker_deaths
    fuse = folder / "fuse"
    most = 1 if place.startswith(("models", "claim.after")) else LARGEST_PASSAGE
    fuse.write_text(str(rng.randint(1, 2 if place.startswith("file") else most)), encoding="utf-8")
    result = live(Life(folder / "state", bases, settings, crash_at=f"{place}@{fuse}"))
    return result, int(not fuse.exists())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2, help="lives per place (default: %(default)s)")
    parser.add_argument("--only", choices=(*POINTS, RANDOM), help="one of the places")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    lives, deaths, same = Counter(), Counter(), Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny_base(folder / "bases" / "small")
        began = time.monotonic()
        expected = live(Life(folder / "quiet", folder / "bases", {"worker": REAL_WORKER}))
        seconds = time.monotonic() - began
        for place in [options.only] if options.only else (*POINTS, RANDOM):
            for number in range(options.kills):
                home = folder / f"{place} {number}"
                home.mkdir()
                result, died = one_life(home, folder / "bases", place, rng, seconds)
                lives[place] += 1
                deaths[place] += died
                same[place] += result == expected
            print(f"{place:18} lives {lives[place]:4}  deaths {deaths[place]:4}  same end {same[place]:4}", flush=True)
    print(f"{'all':18} lives {lives.total():4}  deaths {deaths.total():4}  same end {same.total():4}")
    if same != lives:
        raise SystemExit("some jobs did not end as they would have ended")


if __name__ == "__main__":
    main()
