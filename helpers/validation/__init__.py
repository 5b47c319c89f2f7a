"""The first look at a training file: every problem at once, each with its line, a rule id and a fix.

A provider reports one problem per attempt, sometimes minutes after the upload. `check` finds what would be refused
("error"), what would train but probably not as meant ("warning"), and what is good to know ("info"). The rules are in
`rules.py` and on the page `docs/validation-rules.md`; on the command line: `python -m helpers.validation FILE`.
"""

from __future__ import annotations

from helpers.validation.check import check, is_accepted, validate
from helpers.validation.findings import Report
from helpers.validation.rules import RULES, rules_page

__all__ = ["RULES", "Report", "check", "is_accepted", "rules_page", "validate"]
