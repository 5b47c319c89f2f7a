"""Write a data set's files: `python -m tools.datasets NAME [--out DIR]` (all of them: `all`)."""
from __future__ import annotations

import argparse
import importlib
from pathlib import Path

NAMES = ("sentiment", "claims", "triage", "entities", "superheroes", "products", "logic_games")
DATA = Path(__file__).parents[2] / "data"


def write(name: str, out: Path) -> list[Path]:
    """Makes the data set `name` anew in `out`; returns the files written."""
    out.mkdir(parents=True, exist_ok=True)
    files = importlib.import_module(f"tools.datasets.{name}").files()
    for file, text in files.items():
        (out / file).write_bytes(text.encode("utf-8"))
    return [out / file for file in files]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.datasets", description=__doc__)
    parser.add_argument("name", choices=(*NAMES, "all"))
    parser.add_argument("--out", type=Path, help="folder for the files (default: data/NAME)")
    arguments = parser.parse_args()
    for name in NAMES if arguments.name == "all" else (arguments.name,):
        out = DATA / name if arguments.out is None else arguments.out / name if arguments.name == "all" else arguments.out
        for path in write(name, out):
            print(path)


if __name__ == "__main__":
    main()
