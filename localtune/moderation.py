"""Moderation by word rules: what a list of words can see, and nothing more.

Every category has patterns; a text is flagged for a category when one of them occurs in it. No pattern knows irony,
quotation, negation or any language but English: this stands in for a classifier so that code can be written and tested
against the endpoint, and protects nobody.
"""

from __future__ import annotations

import re

HARM = r"(?:kill|murder|stab|shoot|strangle|behead|beat up|burn alive)"
PEOPLE = r"(?:immigrants|foreigners|muslims|jews|christians|blacks|whites|gays|lesbians|women|men|disabled people)"
THREAT = rf"\b(?:i will|i'll|i am going to|i'm going to|we will|someone should) {HARM} (?:you|him|her|them|{PEOPLE})\b"

PATTERNS: dict[str, tuple[str, ...]] = {
    "harassment": (
        r"\b(?:you are|you're|you) (?:an? )?(?:such an? )?(?:idiot|moron|loser|worthless|stupid|pathetic|ugly)\b",
        r"\bnobody likes you\b", THREAT,
    ),
    "harassment/threatening": (THREAT,),
    "hate": (
        rf"\b(?:i hate|we hate|get rid of) (?:all )?{PEOPLE}\b",
        rf"\b{PEOPLE} are (?:vermin|subhuman|animals|inferior|parasites)\b",
    ),
    "hate/threatening": (rf"\b{HARM} (?:all |the )?{PEOPLE}\b",),
    "illicit": (
        r"\bhow (?:to|do i|can i) (?:shoplift|steal|launder money|forge|counterfeit|pick a lock|hack into|cook meth)\b",
        r"\b(?:buy|sell|smuggle) (?:cocaine|heroin|meth|fentanyl)\b",
        r"\b(?:build|make|buy) (?:an? )?(?:pipe |nail )?(?:bomb|untraceable gun|silencer)\b",
    ),
    "illicit/violent": (r"\b(?:build|make|buy) (?:an? )?(?:pipe |nail )?(?:bomb|untraceable gun|silencer)\b",),
    "self-harm": (
        r"\b(?:suicide|self-harm|kill(?:ing)? (?:myself|yourself)|cut(?:ting)? myself|hurt(?:ing)? myself|starve myself)\b",
    ),
    "self-harm/intent": (
        r"\bi (?:want|am going|plan|intend) to (?:die|kill myself|cut myself|hurt myself|end my life)\b",
    ),
    "self-harm/instructions": (r"\b(?:how to|best way to|ways to) (?:kill yourself|commit suicide|cut yourself)\b",),
    "sexual": (r"\b(?:porn|pornographic|erotica|nude photos?|explicit sex|sexual intercourse)\b",),
    "sexual/minors": (
        r"\b(?:child|underage|minor)s? (?:porn|nude|nudes|erotica)\b",
        r"\b(?:porn|nudes?|erotica) of (?:a |an )?(?:child|minor)",
    ),
    "violence": (
        rf"\b{HARM}(?:s|ed|ing)? (?:you|him|her|them|me|people|everyone|{PEOPLE}|my|his|the)\b",
        r"\b(?:massacre|bloodbath|torture|stabbed|strangled|beheaded|murdered)\b",
    ),
    "violence/graphic": (r"\b(?:beheaded|dismember(?:ed)?|disembowel(?:ed)?|severed head|pool of blood|guts spill)",),
}
CATEGORIES = tuple(PATTERNS)
COMPILED = {name: [re.compile(pattern, re.IGNORECASE) for pattern in rules] for name, rules in PATTERNS.items()}


def scores(text: str) -> dict[str, float]:
    """0 where no rule of a category applies, then 0.5, 0.75, 0.875 … with the number of places: flagged from 0.5 on."""
    plain = text.replace("’", "'")
    hits = {name: sum(len(rule.findall(plain)) for rule in rules) for name, rules in COMPILED.items()}
    return {name: 1 - 0.5**count for name, count in hits.items()}
