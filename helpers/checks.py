"""Exercise checks: ⏳ not answered yet, ✗ with a hint, ✓ right.

    with check("Exercise 1", epochs):
        assert epochs == 10, "10 examples: look for the number of passes that makes about 100 steps"
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def check(title: str, *answers: object) -> Iterator[None]:
    """Prints the state of an exercise; never raises, so that Run All goes on.

    `answers` are the learner's values. An ellipsis among them (`answer = ...`, or a function that still returns
    `...`) means "not answered". Inside the block stand asserts whose message is the hint.
    """
    try:
        yield
    except Exception as error:
        failure: Exception | None = error
    else:
        failure = None
    print(_verdict(title, failure, open_=any(answer is ... for answer in answers)))


def _verdict(title: str, failure: Exception | None, open_: bool) -> str:
    if open_:
        return f"⏳ {title}: replace the … with your answer and run this cell again."
    if failure is None:
        return f"✓ {title}: right."
    if isinstance(failure, AssertionError):
        return f"✗ {title}: {failure or 'not yet.'}"
    return f"✗ {title}: your answer raised {type(failure).__name__}: {failure}"
