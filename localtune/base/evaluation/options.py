"""The options of `evaluate`, apart from its imports so that `--help` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path


def number(text: str) -> int | float | str:
    """A hyperparameter: "auto", or a number."""
    return text if text == "auto" else float(text) if "." in text else int(text)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Everything but `--base`."""
    parser.add_argument("--tasks", metavar="A,B", help="only the tasks whose names begin like this")
    parser.add_argument("--seeds", type=int, default=3, help="tuned models per task")
    parser.add_argument("--quick", action="store_true", help="few held-out rows")
    parser.add_argument("--validation", action="store_true", help="judge on the rows for choosing settings")
    parser.add_argument("--chat", action="store_true", help="every task as a chat instead of prompt and completion")
    parser.add_argument("--reviews", type=Path, metavar="FILE", help="amazonReviewSnippets_GroundTruth.txt: real reviews")
    parser.add_argument("--natural", type=Path, metavar="FILE", help="natural text: its Amazon reviews as a held-out part")
    parser.add_argument("--epochs", type=number, default="auto")
    parser.add_argument("--batch", type=number, default="auto")
    parser.add_argument("--multiplier", type=number, default="auto")
    parser.add_argument("--trained", default="auto", help="what a job changes; see localtune/train/optimiser.py")
    parser.add_argument("--sweep", nargs="+", metavar="NAME=VALUES", help="such as multipliers=0.5,1,2 epochs=3,10")
    parser.add_argument("--out", type=Path, default=Path("build/evaluation"), help="folder of figures.json and figures.md")
