"""Writes docs/fidelity.md from the suite: `python -m tests.conformance.fidelity` (`--check` only compares)."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import openai

from tests.conformance.deviations import DEVIATIONS, Deviation
from tests.conformance.surface import OPERATIONS, WIRE, parameters

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "fidelity.md"
Place = tuple[str, str]  # operation, parameter

HEAD = """# Fidelity

How the local service compares with OpenAI's API, operation by operation and parameter by parameter, as version
{version} of the official Python SDK has them. **This page is generated**: `python -m tests.conformance.fidelity` writes it
from the marks on the tests in `tests/conformance/` and from the deviations listed there, and a test fails when it is out
of date. "Tests" counts the tests that vary the parameter and look at what it does; all of them also run against any other
address (`pytest tests/conformance --base-url … --api-key …`). Against a server that answers every request with nonsense of
the right shape every one of them must fail, but for those that `tests/conformance/test_negative_control.py` names; the
Node flow is not run there.

"The same" means what the public documents and traces of OpenAI's API show: no account was at hand to compare with.
"""


def evidence() -> dict[Place, set[str]]:
    """Names of the tests behind every operation and parameter."""
    found: dict[Place, set[str]] = defaultdict(set)
    for path in sorted(HERE.glob("test_conform_*.py")):
        module = importlib.import_module(f"tests.conformance.{path.stem}")
        for name, value in vars(module).items():
            for mark in getattr(value, "pytestmark", []) if name.startswith("test_") else []:
                if mark.name == "covers":
                    operation, names = mark.args
                    for parameter in ("", *names):
                        found[operation, parameter].add(name)
    return found


def deviations() -> dict[Place, list[Deviation]]:
    by_place: dict[Place, list[Deviation]] = defaultdict(list)
    for deviation in DEVIATIONS:
        by_place[deviation.operation, deviation.parameter].append(deviation)
    return by_place


def places() -> Iterator[Place]:
    """Every row that the page must have."""
    for operation in OPERATIONS:
        yield operation, ""
        yield from ((operation, parameter) for parameter in parameters(operation))
    yield "wire", ""
    yield from (("wire", subject) for subject in WIRE)


def problems() -> list[str]:
    """What keeps the page from being complete: rows without evidence, evidence and deviations for nothing."""
    rows, tests, known = set(places()), evidence(), deviations()
    return [
        *(f"{place} has neither a test nor a deviation" for place in rows if place not in tests and place not in known),
        *(f"tests speak of {place}, which is not there" for place in tests.keys() - rows),
        *(f"a deviation speaks of {place}, which is not there" for place in known.keys() - rows),
    ]


def page() -> str:
    tests, known = evidence(), deviations()
    lines = [HEAD.format(version=openai.__version__), *summary(tests, known)]
    for name, operation in OPERATIONS.items():
        lines += [f"\n## `{operation.method} {operation.path}`\n", f"`client.{name}`\n", *TABLE]
        lines += [row("(the whole)", (name, ""), tests, known)]
        lines += [row(f"`{parameter}`", (name, parameter), tests, known) for parameter in parameters(name)]
    lines += ["\n## What every request shares\n", *TABLE]
    lines += [row(f"{subject}: {what}", ("wire", subject), tests, known) for subject, what in WIRE.items()]
    return "\n".join(lines) + "\n"


TABLE = ["| | tests | known deviations |", "|---|---:|---|"]


def summary(tests: dict[Place, set[str]], known: dict[Place, list[Deviation]]) -> list[str]:
    rows = list(places())
    names = set().union(*tests.values())
    same = sum(place in tests and place not in known for place in rows)
    return [
        f"{len(OPERATIONS)} operations, {len(rows)} rows: {same} the same as far as {len(names)} test functions see, "
        f"{sum(place in known for place in rows)} with a known deviation."
    ]


def row(shown: str, place: Place, tests: dict[Place, set[str]], known: dict[Place, list[Deviation]]) -> str:
    differs = "<br>".join(f"{one.what} – {one.why}" for one in known.get(place, []))
    return f"| {shown} | {len(tests.get(place, ()))} | {differs} |"


def main(arguments: list[str]) -> int:
    if found := problems():
        print("\n".join(found), file=sys.stderr)
        return 1
    if "--check" in arguments:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
