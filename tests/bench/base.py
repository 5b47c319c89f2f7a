"""Held-out figures of the shipped base and of models tuned from it: `python3 start.py bench base [--help]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from localtune.base.evaluation.command import evaluate
from localtune.base.evaluation.options import add_options
from localtune.config import DATA

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=DATA / "base" / "small", help="folder of the model")
    add_options(parser)
    evaluate(parser.parse_args())
