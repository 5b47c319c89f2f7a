"""Claims about a company and a product, and whether an advert supports them."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.adverts import double, single
from localtune.base.corpus.tasks.layout import Example, Maker
from localtune.base.corpus.tasks.naming import firm, goods, lookalike, other_firm, other_goods

Pair = tuple[str, str]
LABELS = (("yes", "no"),) * 7 + (("Yes", "No"), ("true", "false"), ("1", "0"), ("supported", "unsupported"))
QUESTIONS = (
    "Is the claim about the company and the product supported by the ad?", "Does the ad speak of this product of this company?",
    "Answer {yes} if company and product belong together in the ad, else {no}.",
    "Check whether the ad supports the pairing. {yes} or {no}?",
    "Supported by the text? Answer {yes} or {no}.", "Does the text say that the company sells the product? {yes}/{no}",
)
CLAIM_FIRST = (
    "Company: {0}\nProduct: {1}\nAd: {2}\nSupported:", "Company: {0}\nProduct: {1}\nAd: {2}\nSupported:",
    "Company: {0}\nProduct: {1}\nAd: {2}", "Product: {1}\nCompany: {0}\nText: {2}", "Claim: {0} sells {1}.\nText: {2}",
    "Product: {1}\nCompany: {0}\nAd: {2}\nSupported:", "Brand: {0}\nItem: {1}\nAdvert: {2}\nDoes it fit?",
    "Is this an ad of {0} for {1}?\n{2}", "{0} / {1}\n\n{2}",
)
AD_FIRST = (
    "{2}\nCompany: {0}\nProduct: {1}", "Text: {2}\nClaim: {0} offers {1}.", "Ad: {2}\nIs this an ad of {0} for {1}?",
    "Ad: {2}\nCompany: {0}\nProduct: {1}\nSupported:", "{2}\n\nDoes {0} sell {1}?",
    "Ad: {2}\nProduct: {1}\nCompany: {0}\nSupported:",
)
AGAIN = ("Company: {0}\nProduct: {1}", "{0}, {1}", "Does {0} sell {1}?", "Claim: {0} offers {1}.", "{1} by {0}",
    "Product: {1}\nCompany: {0}", "Company: {0}\nProduct: {1}\nSupported:")


def offer(rng: random.Random) -> tuple[str, tuple[Pair, ...]]:
    """An advert and the pairs of company and product it ties together: one, or two half of the time."""
    first = (firm(rng), goods(rng))
    if rng.random() < 0.5:
        return single(rng, *first), (first,)
    second = (other_firm(rng, first[0]), other_goods(rng, first[1]))
    both = [first, second]
    rng.shuffle(both)
    return double(rng, *both), (first, second)


def wrong(rng: random.Random, pairs: tuple[Pair, ...]) -> Pair:
    """A pair that the advert does not support: a wrong match, or a company or product that it does not name."""
    company, product = rng.choice(pairs)
    kind = rng.random()
    if len(pairs) == 2 and kind < 0.7:
        return company, next(other for _, other in pairs if other != product)
    if kind < 0.8:
        return (company, other_goods(rng, product)) if kind < 0.4 or len(pairs) == 2 else (other_firm(rng, company), product)
    if kind < 0.9:
        return firm(rng), goods(rng)
    return lookalike(rng, company), product


def claim_case(rng: random.Random, supported: bool) -> tuple[str, str, str]:
    """(company, product, ad); half of the ads name a rival, so that a false claim often uses only their words."""
    text, pairs = offer(rng)
    return (*(rng.choice(pairs) if supported else wrong(rng, pairs)), text)


def claim(rng: random.Random) -> Maker:
    """One advert, one claim, in fields or sentences, before or after the advert."""
    yes, no = rng.choice(LABELS)
    instruction = rng.choice(QUESTIONS).format(yes=yes, no=no)
    form = rng.choice(CLAIM_FIRST if rng.random() < 0.6 else AD_FIRST)

    def make(rng: random.Random) -> Example:
        truth = rng.random() < 0.5
        return Example(instruction, form.format(*claim_case(rng, truth)), yes if truth else no,
            clear=yes in ("yes", "Yes", "supported"))

    return make


def claims(rng: random.Random) -> Maker:
    """One advert, then several claims about it in turn."""
    yes, no = rng.choice(LABELS)
    instruction, form, again = rng.choice(QUESTIONS).format(yes=yes, no=no), rng.choice(AD_FIRST), rng.choice(AGAIN)

    def make(rng: random.Random) -> Example:
        text, pairs = offer(rng)
        asked = []
        for _ in range(rng.randint(2, 2 * len(pairs) + 1)):
            truth = rng.random() < 0.5
            asked.append((rng.choice(pairs) if truth else wrong(rng, pairs), yes if truth else no))
        (pair, answer), *rest = asked
        return Example(instruction, form.format(*pair, text), answer, yes in ("yes", "Yes", "supported"),
            more=tuple((again.format(*pair), answer) for pair, answer in rest))

    return make


def checklist(rng: random.Random) -> Maker:
    """Several claims first, then the advert; the answer goes through them."""
    yes, no = rng.choice(LABELS[:9])
    entry = rng.choice(("{0}, {1}", "{0} sells {1}", "{1} by {0}", "{0}: {1}"))

    def make(rng: random.Random) -> Example:
        text, pairs = offer(rng)
        listed, answers = [], []
        for number in range(1, rng.randint(3, 6)):
            truth = rng.random() < 0.5
            listed.append(f"{number}. {entry.format(*(rng.choice(pairs) if truth else wrong(rng, pairs)))}")
            answers.append(f"{number}. {yes if truth else no}")
        given = "\n".join((*listed, f"Ad: {text}"))
        return Example(f"Go through the claims; write {yes} or {no} for each.", given, "\n".join(answers))

    return make


def evidence(rng: random.Random) -> Maker:
    """The answer first says what the advert ties together, then compares."""
    form = rng.choice((*CLAIM_FIRST, *AD_FIRST))

    def make(rng: random.Random) -> Example:
        text, pairs = offer(rng)
        truth = rng.random() < 0.5
        pair = rng.choice(pairs) if truth else wrong(rng, pairs)
        found = "; ".join(f"{company} - {product}" for company, product in pairs)
        return Example("Write down the pairs of the ad, then the claim, then yes or no.", form.format(*pair, text),
            f"Ad: {found}. Claim: {pair[0]} - {pair[1]}. {'yes' if truth else 'no'}")

    return make


def found(rng: random.Random) -> Maker:
    """Which company, which product? Looked up in the advert from either side."""
    side = rng.randrange(3)

    def make(rng: random.Random) -> Example:
        text, pairs = offer(rng)
        company, product = rng.choice(pairs)
        asked, answer = (
            (f"Who offers {product}?", company), (f"What does {company} offer?", product),
            ("List each company with its product.", "\n".join(f"{one}: {thing}" for one, thing in pairs)),
        )[side]
        return Example("Answer from the ad.", f"Ad: {text}\n{asked}", answer, True)

    return make


TASKS = (claim,) * 5 + (claims,) * 4 + (checklist, evidence, found, found)
