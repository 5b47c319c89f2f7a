"""Schemathesis on the service's own description of itself: right and wrong requests of every operation.

`python3 start.py bench fuzz --only schemathesis` is the long run.
"""

from __future__ import annotations

import warnings
from collections import Counter

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.safety.fuzzing import CASES, QUIET, SEED, admin_key, check, http, nothing_leaks, things

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
    names, admin = st.sampled_from(things(http)), admin_key(http)
    answers: Counter[int] = Counter()
    with nothing_leaks(http):
        for operation, mode in runs:

            @seed(SEED)
            @settings(QUIET, max_examples=-(-CASES // len(runs)))
            @given(operation.as_strategy(generation_mode=mode), st.data())
            def send(case: Case, data: st.DataObject) -> None:
                for name in case.path_parameters:  # text alone would hardly ever name what exists
                    if data.draw(st.booleans()):
                        case.path_parameters[name] = data.draw(names)
                sent = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
                headers = {**sent.headers, **(admin if "permissions" in operation.path else {})}
                answer = http.request(sent.method, sent.url, headers=headers, content=sent.body)
                answers[answer.status_code] += 1
                check((sent.method, sent.url, sent.body), answer)

            send()
    print(f"{answers.total()} requests to {len(operations)} operations: {dict(sorted(answers.items()))}")
    assert answers[200] and answers[400] and answers[404]
