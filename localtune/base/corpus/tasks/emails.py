"""Tasks on e-mails: triage by word, number, department and urgency; subjects, summaries, answers and short support talks."""

from __future__ import annotations

import random
from collections.abc import Iterator

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import capital, expand, names, sentences
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.mails import HEADS, core, ended, facts, mail
from localtune.base.corpus.tasks.tables import raw, read
from localtune.base.corpus.tasks.topics import TOPICS, Topic
from localtune.base.corpus.tasks.words import invented

DEPARTMENTS = {"IT" if name == "it" else name.title(): names(topics)
    for name, topics in raw("departments.ini")["departments"].items()}
URGENCY = read("departments.ini")["urgency"]
_BY_NAME = {topic.name: topic for topic in TOPICS}
_UNHURRIED = tuple(topic for topic in TOPICS if topic.name not in ("spam", "server down", "health", "security", "repair"))


def _form(rng: random.Random) -> str:
    return rng.choice(HEADS)


def by_word(rng: random.Random) -> Maker:
    """Triage among all topics or a named few; the answer is the topic's name."""
    chosen = rng.sample(TOPICS, rng.choice((2, 3, 4, 6, 8, 12, 20)))
    form = _form(rng)
    case = rng.choice((str, str, str.capitalize, str.upper))
    listing = rng.choice((", ", ", ", " / ", "; ", "\n")).join(case(topic.name) for topic in chosen)
    instruction = rng.choice(("Name the topic of the mail: {}.", "Which department? {}", "Sort the mail into one of these: {}.",
        "Categories: {}\nAnswer with one category.", "Topic of the e-mail ({}):", "Classify the message. Labels: {}",
        "You sort the inbox. Reply with one label only: {}", "What does the customer want? Choose from: {}",
        "Which folder does this mail belong to?\n{}")).format(listing)

    def make(rng: random.Random) -> Example:
        topic = rng.choice(chosen)
        return Example(instruction, mail(rng, topic).text(form, rng), case(topic.name))

    return make


def by_number(rng: random.Random) -> Maker:
    """Triage by numbers that mean something else in every document; they must be looked up."""
    chosen = rng.sample(TOPICS, rng.choice((2, 3, 4, 5, 6, 8, 10, 14, 20)))
    numbers = rng.sample(range(1, 40), len(chosen)) if rng.random() < 0.5 else list(range(1, len(chosen) + 1))
    mark = rng.choice(("{}: {}", "{} = {}", "{}. {}", "{}) {}", "{} {}"))
    listing = "\n".join(mark.format(number, topic.name) for number, topic in zip(numbers, chosen))
    instruction = rng.choice(("Answer with the number of the topic.\n{}", "Topics:\n{}\nReply with one number.",
        "Classify the mail by number:\n{}", "{}\nWhich number fits the mail?")).format(listing)
    form = _form(rng)

    def make(rng: random.Random) -> Example:
        number, topic = rng.choice(list(zip(numbers, chosen)))
        return Example(instruction, mail(rng, topic).text(form, rng), str(number))

    return make


def _request(rng: random.Random, topic: Topic) -> str:
    """The core of a mail in a line, at times behind its subject."""
    slots = facts(rng)
    _, told = core(rng, topic, "friendly", slots)
    return told if rng.random() < 0.7 else f"{expand(rng.choice(topic.subjects), rng, slots)}: {told}"


def short_requests(rng: random.Random) -> Maker:
    """A line or two to be named, without any frills, and maybe no list of the names."""
    chosen = rng.sample(TOPICS, rng.randint(2, 10))
    listed = ", ".join(topic.name for topic in chosen)
    instruction = rng.choice((f"Topics: {listed}", f"Name the topic: {listed}", f"Intents: {listed}\nIntent of the message:",
        "What is the request about? Answer in a word or two.", "Topic?"))

    def make(rng: random.Random) -> Example:
        topic = rng.choice(chosen)
        return Example(instruction, _request(rng, topic), topic.name)

    return make


def department(rng: random.Random) -> Maker:
    """Which department answers the mail: several topics share one."""
    chosen = rng.sample(tuple(DEPARTMENTS), rng.randint(2, len(DEPARTMENTS)))
    instruction = rng.choice(("Forward the mail to one department: {}.", "Departments: {}\nWho answers?",
        "Route this request: {}")).format(", ".join(chosen))
    form = _form(rng)

    def make(rng: random.Random) -> Example:
        name = rng.choice(chosen)
        topic = _BY_NAME[rng.choice(DEPARTMENTS[name])]
        return Example(instruction, mail(rng, topic).text(form, rng), name)

    return make


def urgency(rng: random.Random) -> Maker:
    """How soon the writer needs an answer, told by one sentence of the mail."""
    instruction, high, low = rng.choice((("Urgent? yes or no", "yes", "no"), ("Priority: high or low", "high", "low"),
        ("Is the mail urgent?", "urgent", "not urgent"), ("Answer 1 for urgent mails and 2 for others.", "1", "2")))
    form = _form(rng)

    def make(rng: random.Random) -> Example:
        label, level = rng.choice(((high, "high"), (low, "low")))
        one = mail(rng, rng.choice(_UNHURRIED), closing=rng.choice(URGENCY[level]))
        return Example(instruction, one.text(form, rng), label)

    return make


def fixed_number(rng: random.Random) -> Maker:
    """Numbers shown by examples alone: the same topic keeps its number within the document."""
    chosen = rng.sample(TOPICS, rng.choice((2, 3, 3, 4)))
    numbers = rng.sample(range(1, 30), len(chosen))
    short = rng.random() < 0.6

    def make(rng: random.Random) -> Example:
        index = rng.randrange(len(chosen))
        given = _request(rng, chosen[index]) if short else mail(rng, chosen[index]).body
        return Example("Give every mail the number of its kind, as in the examples.", given, str(numbers[index]),
            least=2 * len(chosen) + 1)

    return make


def about(rng: random.Random) -> Maker:
    """Is the mail about this topic? yes or no."""
    form = _form(rng)

    def make(rng: random.Random) -> Example:
        topic, other = rng.sample(TOPICS, 2)
        truth = rng.random() < 0.5
        given = f"{mail(rng, topic).text(form, rng)}\n\nIs this mail about: {(topic if truth else other).name}?"
        return Example("Answer yes or no.", given, "yes" if truth else "no", True)

    return make


def summary(rng: random.Random) -> Maker:
    form = rng.choice(("{sender}: {problem}.", "The customer writes: {problem}.", "{topic} - {problem}", "{problem}.",
        "{sender} writes about {topic}: {problem}."))
    head = _form(rng)

    def make(rng: random.Random) -> Example:
        one = mail(rng, rng.choice(TOPICS), long=True, plain=True)
        text = one.text(head, rng)
        sender = one.sender if one.sender in text else "A customer"
        return Example("Summarise the mail in one sentence.", text,
            capital(form.format(sender=sender, problem=one.problem, topic=one.topic.name)))

    return make


def subject_line(rng: random.Random) -> Maker:
    def make(rng: random.Random) -> Example:
        one = mail(rng, rng.choice(TOPICS))
        return Example("Write a subject line for the mail.", one.body, expand(one.subject, rng, {}))

    return make


def reply(rng: random.Random) -> Maker:
    """An answer that greets the sender and solves the topic's problem."""
    hello = rng.choice(("Dear {},", "Hello {},", "Hi {},", "Good day {},"))
    opening = rng.choice(("Thank you for your mail.", "Thank you for writing to us.", "Thanks for getting in touch.",
        "We have read your message.", ""))
    bye = rng.choice(("Kind regards, your {firm} team", "Best wishes, {firm}", "Your {firm} service", "Have a nice day!"))
    head = rng.choice([form for form in HEADS if "{sender}" in form])

    def make(rng: random.Random) -> Example:
        one = mail(rng, rng.choice(TOPICS))
        answer = sentences(expand(rng.choice(one.topic.answers), rng, one.slots))
        lines = [hello.format(one.sender), f"{opening} {answer}".strip(), bye.format(firm=invented(rng))]
        return Example("Answer the customer politely.", one.text(head, rng), "\n".join(lines))

    return make


def fact_of_mail(rng: random.Random) -> Maker:
    """Sender, subject or topic of one of several mails."""

    def make(rng: random.Random) -> Example:
        mails = [mail(rng, topic) for topic in rng.sample(TOPICS, rng.randint(1, 4))]
        text = "\n\n".join(f"From: {one.sender}\nSubject: {one.subject}\n{ended(one.problem)}" for one in mails)
        one = rng.choice(mails)
        asked, answer = rng.choice(((f"Who wrote about {one.topic.name}?", one.sender),
            (f"What is the subject of {one.sender}'s mail?", one.subject), (f"Topic of {one.sender}'s mail?", one.topic.name)))
        return Example("Read the mails and answer.", f"{text}\n\n{asked}", answer, True)

    return make


TURNS = (("Could you give me your order number?", "It is {code}."), ("May I have your name, please?", "{name}."),
    ("Since when?", "Since {day}."),
         ("Which product is it about?", "The {product}."), ("Where do you live?", "In {city}."),
         ("When can we reach you?", "On {day}, please."))
ENDINGS = ("Is there anything else?", "Can I do anything else for you?", "Have a nice day!", "Sorry again for the trouble.",
    "We are happy to help.")


def support(rng: random.Random) -> Maker:
    """A support talk with a summary of what is known; the agent's next line is the answer."""
    customer, agent = rng.choice((("Customer", "Agent"), ("Client", "Service"), ("User", "Support"), ("Guest", "Host")))

    def make(rng: random.Random) -> Example:
        topic, slots = rng.choice(TOPICS), facts(rng)
        lines = [f"{customer}: {ended(expand(rng.choice(topic.problems), rng, slots))}"]
        for asked, told in rng.sample(TURNS, rng.randint(0, 3)):
            lines += [f"{agent}: {asked}", f"{customer}: {expand(told, rng, slots)}"]
        answer = sentences(expand(rng.choice(topic.answers), rng, slots))
        known = f"Summary: the {customer.lower()} writes about {topic.name}\n\nKnown: {answer}\n\n"
        known = known if rng.random() < 0.6 else ""
        return Example("Continue the talk as the service.", known + "\n".join(lines) + f"\n{agent}:",
            f"{answer} {rng.choice(ENDINGS)}" if rng.random() < 0.5 else answer, True)

    return make


TASKS = (*(by_word, by_number) * 3, short_requests, short_requests, fixed_number, department, urgency, about, summary,
    subject_line, reply, fact_of_mail, support)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless exercises on customer mails."""
    return stream(TASKS, rng, "emails")
