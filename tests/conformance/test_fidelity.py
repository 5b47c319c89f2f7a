"""docs/fidelity.md is complete and current."""

from __future__ import annotations

from tests.conformance.fidelity import PAGE, page, problems


def test_every_operation_and_parameter_has_evidence_or_a_deviation() -> None:
    assert problems() == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.conformance.fidelity`"
