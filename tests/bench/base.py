"""Held-out figures of the shipped base and of personas tuned from it: `python3 start.py bench base`."""

from __future__ import annotations

import argparse

from localtune.base.evaluate import evaluate
from localtune.config import DATA

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="tuned models per persona")
    evaluate(DATA / "base" / "small", parser.parse_args().seeds)
