"""Customer e-mails: triage by word and by number, subjects, summaries, answers and short support talks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks.grammar import capital, expand, phrases, sentences
from localtune.base.corpus.tasks.layout import Example, Maker, stream
from localtune.base.corpus.tasks.topics import TOPICS, Topic
from localtune.base.corpus.tasks.words import CITIES, JOBS, MONTHS, THINGS, WEEKDAYS, code, invented, person

REGISTERS = {
    "formal": (phrases("Dear Sir or Madam, / Dear Madam, / Dear Sirs, / Dear {agent}, / To whom it may concern,"),
               phrases("""
                   I am writing because {problem}. / I would like to inform you that the following happened: {problem}.
                   With reference to {code}: {problem}. / May I draw your attention to this: {problem}.
               """),
               phrases("""
                   I would be grateful for a quick answer. / I look forward to your reply.
                   Please let me know what can be done. / Thank you in advance for your help.
               """),
               phrases("Yours faithfully, / Yours sincerely, / Kind regards, / Best regards, / Respectfully,")),
    "friendly": (phrases("Hello, / Hi {agent}, / Good morning, / Hello dear team, / Hi there, / Good evening,"),
                 phrases("""
                     {problem}. / I hope you are well! {problem}. / Maybe you can help me: {problem}.
                     A small thing: {problem}. / Just a quick note: {problem}.
                 """),
                 phrases("""
                     Could you have a look? / It would be lovely to hear from you. / Thanks a lot! / Have a nice {day}!
                     Thank you for your time.
                 """),
                 phrases("Best wishes, / Cheers, / Warm regards, / Have a good day, / Thanks,")),
    "curt": (phrases("""
        Hi, / Hello. / Hey / To the service:
    """), phrases("""
        {problem}. / {problem}! / Short and clear: {problem}. / Again: {problem}.
    """),
             phrases("""
                 Please answer. / Call me. / I need an answer today. / What now? / Do something.
             """), phrases("""
                 Thx / Regards / -- / Bye
             """)),
    "angry": (phrases("""
        Hello! / To whoever reads this, / Dear so-called service, / Attention!
    """), phrases("""
        I can't believe it: {problem}! / This is the [third|fourth|fifth] time I write: {problem}.
        Enough is enough, {problem}!
    """),
              phrases("""
                  I expect an answer today! / Otherwise I will go to my lawyer. / I will never order again. / Sort it out!
              """), phrases("""
                  Not amused, / An unhappy customer, / Without kind regards, / Regards,
              """)),
    "spoken": (phrases("""
        hi / hey guys / hello there / good day to you
    """), phrases("""
        so {problem} / sorry to bother you but {problem} / ok so here it is, {problem} / pls help, {problem}
    """),
               phrases("""
                   thanks in advance / pls get back to me / hope you can help :) / any idea? / let me know ok?
               """), phrases("""
                   thx / cheers / greetings / take care
               """)),
    "guest": (phrases("""
        Dear friends, / Respected team, / Dear ladies and gentlemen, / Good day,
    """), phrases("""
        I hope this mail finds you well. {problem}. / Excuse my English, please. {problem}.
        First of all many greetings from {city}. {problem}.
    """),
              phrases("""
                  I thank you from my heart. / I remain with friendly greetings. / Please be so kind and write me back.
                  For your trouble I thank you very much.
              """),
              phrases("With friendly greetings, / With best respect, / Many greetings from {city},")),
}
HEADS = ("Subject: {subject}\nFrom: {sender}\nDate: {date}\n\n{body}", "Subject: {subject}\n\n{body}",
    "From: {sender}\nSubject: {subject}\nContent: {body}", "{subject}\n{body}", "{body}",
         "From: {sender}\nTo: {agent}\nSubject: {subject}\nDate: {date}\nContent: {body}", "Mail: {body}")


@dataclass(frozen=True)
class Mail:
    """A customer's mail, its topic, and the plain facts it was made of."""

    topic: Topic
    subject: str
    body: str
    problem: str
    sender: str
    slots: dict[str, object]

    def text(self, form: str, rng: random.Random) -> str:
        """The mail with the header lines of `form`."""
        agent = f"{self.slots['agent']}"
        return form.format(subject=self.subject, sender=self.sender, body=self.body, agent=agent,
            date=f"{rng.randint(1, 28)} {rng.choice(MONTHS)}")


def _slots(rng: random.Random) -> dict[str, object]:
    day, month = rng.choice(WEEKDAYS), rng.choice(MONTHS)
    return {"code": code(rng), "product": rng.choice(THINGS), "day": day, "Day": day, "month": month, "Month": month,
        "city": rng.choice(CITIES),
            "job": rng.choice(JOBS), "name": person(rng), "agent": person(rng), "n": str(rng.randint(2, 9))}


def ended(problem: str, capitals: bool = True) -> str:
    """The problem as a sentence or a question."""
    asks = not problem.startswith("what a ") and problem.split()[0] in ("when", "how", "can", "do", "does", "is", "are", "may",
        "what", "who", "which", "will", "could", "shall")
    return (capital(problem) if capitals else problem) + ("?" if asks else ".")


def mail(rng: random.Random, topic: Topic, long: bool = False) -> Mail:
    """A mail about `topic` in a random register."""
    slots, sender = _slots(rng), person(rng)
    hello, opening, wish, bye = REGISTERS[rng.choice(sorted(REGISTERS))]
    problem = expand(rng.choice(topic.problems), rng, slots)
    lines = [expand(rng.choice(opening), rng, {**slots, "problem": problem})]
    lines += [expand(detail, rng, slots) + "." for detail in rng.sample(topic.details,
        min(len(topic.details), rng.randint(2, 3) if long else rng.choice((0, 0, 1, 2))))]
    lines += [expand(rng.choice(wish), rng, slots)] if rng.random() < 0.7 else []
    body = " ".join(lines).replace(problem + ".", ended(problem, capitals=False))
    body = body if rng.random() < 0.1 else sentences(body)
    if rng.random() < 0.75:
        body = f"{expand(rng.choice(hello), rng, slots)}\n{body}"
    if rng.random() < 0.7:
        body = f"{body}\n{expand(rng.choice(bye), rng, slots)}\n{rng.choice((sender, sender.split()[0]))}"
    return Mail(topic, expand(rng.choice(topic.subjects), rng, slots), body, problem, sender, slots)


def _form(rng: random.Random) -> str:
    return rng.choice(HEADS)


def by_word(rng: random.Random) -> Maker:
    """Triage among all topics or a named few; the answer is the topic's name."""
    chosen = rng.sample(TOPICS, rng.choice((2, 3, 4, 6, 8, len(TOPICS))))
    form = _form(rng)
    listing = ", ".join(topic.name for topic in chosen)
    instruction = rng.choice(("Name the topic of the mail: {}.", "Which department? {}", "Sort the mail into one of these: {}.",
        "Categories: {}\nAnswer with one category.", "Topic of the e-mail ({}):")).format(listing)

    def make(rng: random.Random) -> Example:
        topic = rng.choice(chosen)
        return Example(instruction, mail(rng, topic).text(form, rng), topic.name)

    return make


def by_number(rng: random.Random) -> Maker:
    """Triage by numbers that mean something else in every document; they must be looked up."""
    chosen = rng.sample(TOPICS, rng.randint(2, 9))
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


def fixed_number(rng: random.Random) -> Maker:
    """Numbers shown by examples alone: the same topic keeps its number within the document."""
    chosen = rng.sample(TOPICS, 3)
    numbers = rng.sample(range(1, 30), 3)

    def make(rng: random.Random) -> Example:
        index = rng.randrange(3)
        subject = mail(rng, chosen[index])
        return Example("Give every mail the number of its kind, as in the examples.",
            f"{subject.subject}: {ended(subject.problem)}", str(numbers[index]), least=7)

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
        one = mail(rng, rng.choice(TOPICS), long=True)
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
        topic, slots = rng.choice(TOPICS), _slots(rng)
        lines = [f"{customer}: {capital(expand(rng.choice(topic.problems), rng, slots))}."]
        for asked, told in rng.sample(TURNS, rng.randint(0, 3)):
            lines += [f"{agent}: {asked}", f"{customer}: {expand(told, rng, slots)}"]
        answer = sentences(expand(rng.choice(topic.answers), rng, slots))
        known = f"Summary: the {customer.lower()} writes about {topic.name}\n\nKnown: {answer}\n\n" if rng.random() < 0.6 else ""
        return Example("Continue the talk as the service.", known + "\n".join(lines) + f"\n{agent}:",
            f"{answer} {rng.choice(ENDINGS)}" if rng.random() < 0.5 else answer, True)

    return make


TASKS = (by_word, by_word, by_number, by_number, fixed_number, about, summary, subject_line, reply, fact_of_mail, support,
    support)


def documents(rng: random.Random) -> Iterator[Document]:
    """Endless exercises on customer mails."""
    return stream(TASKS, rng, "emails")
