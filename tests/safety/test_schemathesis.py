"""Schemathesis on the service's own description of itself: right and wrong requests of every operation.

`LOCALTUNE_FUZZ_CASES=5000 pytest tests/safety/test_schemathesis.py -s` is the long run.
"""

from __future__ import annotations

import warnings
from collections import Counter

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, seed, settings

from tests.safety.fuzzing import CASES, QUIET, check, http, nothing_leaks

try:
    import requests
    import schemathesis
    from schemathesis import Case, GenerationMode
except ImportError:
    warnings.warn("NOT TESTED: Schemathesis is not installed (pip install -r tests/requirements.txt)", stacklevel=2)
    pytest.skip("Schemathesis is not installed", allow_module_level=True)

__all__ = ["http"]


def test_schemathesis_finds_no_fault(http: TestClient) -> None:
    operations = [found.ok() for found in schemathesis.openapi.from_dict(http.app.openapi()).get_all_operations()]
    runs = [
        (operation, mode) for operation in operations for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        # Without a body or a query every request is right: any text can stand in a path.
        if mode is GenerationMode.POSITIVE or list(operation.body) or list(operation.query)
    ]
    answers: Counter[int] = Counter()
    with nothing_leaks(http):
        for operation, mode in runs:

            @seed(1)
            @settings(QUIET, max_examples=-(-CASES // len(runs)))
            @given(operation.as_strategy(generation_mode=mode))
            def send(case: Case) -> None:
                sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
                answer = http.request(sent.method, sent.url, headers=dict(sent.headers), content=sent.body)
                answers[answer.status_code] += 1
                check((sent.method, sent.url, sent.body), answer)

            send()
    print(f"{answers.total()} requests to {len(operations)} operations: {dict(sorted(answers.items()))}")
    assert answers[200] and answers[400] and answers[404]
