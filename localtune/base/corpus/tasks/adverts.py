"""Adverts written by hand: frames that tie a company to a product, and frames that tie two companies to two products."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.grammar import capital, expand, phrases
from localtune.base.corpus.tasks.words import CITIES, MONTHS, PEOPLE

# {a} is the company, {p} the product.
SINGLE = phrases("""
[Looking for|Need|In need of|Short of] {p}? {a} [has them|makes the best ones|is the answer|will help]. {praise}
{a} [makes|sells|offers|delivers|builds|brings you] {p} [for every home|at fair prices|you can trust|since {year}|with care].
[Discover|Try|Meet|See] the new {p} [from|by|of|at] {a}. {praise}
{P} [from|by|made by] {a}: {slogan}
[Get|Order|Buy|Reserve] your {p} at {a} [today|this week|online|now] [and save {percent}%|with free delivery|with a warranty].
{slogan} {a} - {p} [for real life|for everyone|done right|made with care].
[Nobody|No one] knows {p} like {a}. {praise}
[This spring|This summer|This {month}|All week], {a} has {p} [on sale|from ${price}|at half price]. {praise}
{praise} {P}, only at {a}.
At {a} in {city} you find {p} [in all sizes|for small budgets|of the finest quality]. {slogan}
[Our customers|Thousands of people|Families in {city}] love {a}. [For|When it comes to] {p}, they are second to none.
{a}. {slogan} [Ask for|Come in for|Stop by for] {p} [in {city}|near you|at our shop].
{P}? [Think|Think of|Call|Ask] {a}. {slogan}
For {p}, [there is one name|one name counts|just remember one word]: {a}.
{slogan} {praise} {P} by {a}.
{a} [proudly presents|is glad to announce|now has in store]: {p}! {praise}
We are {a}, and we [love|live for|care about|know all about] {p}. {slogan}
[Tired of bad|Fed up with poor|Done with cheap] {p}? [Switch|Move|Come over] to {a}. {praise}
{who} from {city} says: "My {p} are from {a}, and I [would buy them again|smile every day|told all my friends]."
[Everything|All] about our {p} is [simple|honest|solid|new]: {slogan} Your {a}.
{praise} That is what we at {a} [promise|say|mean] when we talk about {p}.
The {p} from {a} [won a prize in {city}|are back|are new in town|are here for {month}]. {slogan}
[Since {year}|For {percent} years], {a} has [stood for|been the home of|been known for] {p}.
Yes, {a} [does|does do] {p}! {praise} {slogan}
One shop, one thing: {a}, {p}. {slogan}
[Open the door|Wake up|Come home] to {p} [by|from] {a}.
{slogan} With {p} from {a}, [every day counts|you are ready|nothing can go wrong|Monday feels like Sunday].
{percent}% off all {p} at {a} [until {month}|this weekend|while they last].
Dear {city}, {a} is here. [Bring home|Look at|Fall for] our {p}. {slogan}
[A word from|News from|Greetings from] {a}: our {p} [now cost ${price}|just got better|come with a gift].
{a} | {P} | {slogan}
{A} - {slogan} - {P} from ${price}
[Why wait|Why worry|Why look further]? {P} from {a} [arrive tomorrow|are ready for you|fit every taste].
{who} and the team of {a} [present|made|designed] {p} [you will love|for people in {city}|with heart].
[Better|Finer|Smarter] {p} [start|begin] with {a}. {praise}
What {city} needs is {p}, and what {a} [has|makes|sells] is just that.
{P}, {p}, {p}! Come to {a} [and choose|and see them all|before {month}].
Trust {a} with your {p}. {praise} {slogan}
Not sure which {p} to choose? The people at {a} [listen|help you|have time for you]. {slogan}
[Our|The] {p} are [light|strong|quiet|warm|fresh|clever], our prices [low|fair|small]. {slogan} {a} in {city}.
""")
# What may follow or precede a single advert: another company ({b}) with another product ({q}).
RIVAL = phrases("""
[Unlike|Different from] {b}, [which sells|known for] {q}, we keep to what we know.
[Next door|Across the street|Around the corner|Upstairs], {b} [offers|has|sells] {q}.
{b} [is our partner for|stays the place for|has|is where you get] {q}.
[For {q}|If you need {q}|If it is {q} you want|Those who need {q}], [go to|see|call|please ask] {b}.
{b} makes {q}. [We do not.|That is another story.|Good for them.|]
We work with {b}, the maker of {q}.
[Also in our mall|Also in this street|Another name in {city}]: {b}, {q} [of all kinds|at small prices|for everyone].
{Q}? [Those come from|That would be|You get them from|For those there is] {b}.
[Our friends at|Our neighbour|The people of] {b} [would love to show you|will find you|take care of] {q}.
{b}: {q}. [Every day.|Always.|In {city}.|From ${price}.|]
[Bought|Buy] {q} at {b}? [Show us the receipt and save {percent}%.|Then you get {percent}% off here.]
{q} [are|stay] the business of {b}.
[And|Also,] {b} [now brings you|has|offers] {q}.
[Sponsored by|With thanks to|Supported by] {b} - {q} [since {year}|from {city}|you can trust].
""")
# Two companies and two products in one breath.
DOUBLE = phrases("""
{a} [makes|sells|offers] {p}, [and|while|but] {b} [makes|sells|offers] {q}. {slogan}
[Choose|Pick|Take] {a} for {p} and {b} for {q}.
{P} by {a}, {q} by {b}: {slogan}
[While|Where|As] {b} [is known for|stands for|lives from] {q}, {a} [is all about|means|cares about] {p}.
{P} come from {a}. {Q} come from {b}. [Both are good.|{praise}|You choose.]
[Two shops, one street|Two names, one promise|Side by side in {city}]: {a} with {p}, {b} with {q}.
[Need|Want] {p}? {a}. [Need|Want] {q}? {b}. {slogan}
{a} has {p} from ${price}; {b} has {q} [on sale|at half price|for less].
[Buy|Order] {p} from {a} and get {percent}% off {q} [from|at|by] {b}.
At {a} you [find|get] {p}, at {b} you [find|get] {q}. {praise}
{a}: {p}. {b}: {q}. {slogan}
[Get|Fetch] your {q} at {b} [first|in the morning|on Monday], then [come|run|drive] to {a} for {p}.
{who} buys {p} at {a} and {q} at {b}. [What about you?|And you?|{slogan}]
[This week|This {month}|Today] in {city}: {p} at {a}, {q} at {b}.
The {p} of {a} and the {q} of {b} [go well together|were tested in {city}|won prizes]. {praise}
{b} [knows|does] {q} best, {a} [knows|does] {p} best. {slogan}
[Not|No,] {a} does not [sell|make] {q}, that is {b}. {a} [sells|makes] {p}.
{a} and {b} [have joined hands|share a shop now|moved in together]: the former brings {p}, the latter {q}.
{a} (for {p}) and {b} (for {q}) [open|meet|wait for you] in {city}. {slogan}
Looking for {p} or {q}? {a} has the [former|first], {b} the [latter|second].
""")
PRAISE = phrases("""
Quality you can feel. / Made to last. / You will not want to miss it. / Loved by young and old. / Simple, strong, honest.
Our best work yet. / Tested by people like you. / Come and see for yourself. / Rated five stars by our customers.
Nothing beats the feeling. / Worth every cent. / Made by hand, with love. / A little luxury for all. / Now even better.
You have earned it. / There is none like it. / Fresh ideas, fair prices. / Delivered to your door. / Free returns, always.
""")
SLOGANS = phrases("""
Comfort first. / Because details matter. / Small price, big smile. / Nature meets design. / Every day a little better.
Good things, made well. / Built for the long way. / Your life, made easier. / Feel the difference. / Simply more.
Think bright. / Ready when you are. / We care. / Right around the corner. / Your city, your choice. / Big ideas, small bills.
Come as you are. / Tomorrow starts here. / So good, so near. / It just works. / Make room for joy. / One click away.
""")


def slots(rng: random.Random) -> dict[str, str | tuple[str, ...]]:
    """What every frame may use besides companies and products."""
    return {
        "praise": PRAISE, "slogan": SLOGANS, "city": CITIES, "month": MONTHS, "who": PEOPLE,
        "year": str(rng.randint(1900, 2022)), "price": str(rng.randint(3, 400)), "percent": str(rng.randint(5, 60)),
    }


def single(rng: random.Random, company: str, product: str) -> str:
    """An advert that ties one company to one product."""
    given = {"a": company, "A": company.upper(), "p": product, "P": capital(product)}
    return " ".join(expand(rng.choice(SINGLE), rng, {**slots(rng), **given}).split())


def double(rng: random.Random, first: tuple[str, str], second: tuple[str, str]) -> str:
    """An advert that ties each of two companies to a product of its own."""
    (a, p), (b, q) = first, second
    given = {**slots(rng), "a": a, "p": p, "P": capital(p), "b": b, "q": q, "Q": capital(q)}
    if rng.random() < 0.5:
        return expand(rng.choice(DOUBLE), rng, given).strip()
    own, other = single(rng, a, p), capital(expand(rng.choice(RIVAL), rng, given).strip())
    return f"{other} {own}" if rng.random() < 0.4 and not other.startswith(("And", "Also,")) else f"{own} {other}"
