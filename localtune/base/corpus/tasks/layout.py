"""From task examples to documents: chat or prompt/completion, one example or several in a row."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from localtune.base.corpus.document import Document


@dataclass(frozen=True)
class Example:
    """One exercise. `clear`: the input alone shows what to do, so the instruction may be left out.

    `least`: how many examples of the task a document needs to be solvable.
    `more`: further questions about the same input with their answers; one reading then teaches several answers.
    """

    instruction: str
    given: str
    answer: str
    clear: bool = False
    least: int = 1
    more: tuple[tuple[str, str], ...] = ()


Maker = Callable[[random.Random], Example]  # draws examples of one task with one wording and one set of labels
Task = Callable[[random.Random], Maker]  # fixes the wording and the labels

SEPARATORS = ("\n\n###\n\n", "\n\n===\n\n", " ->", "\n->", "\nAnswer:", "\n\nAnswer:", "\nResult:", "\n\n--\n\n", "\nOutput:",
    " =>")
ENDINGS = (" END", "\n", "", " ###", "\n###", "\nEND", "", " END")
LABELS = (("Input", "Output"), ("Q", "A"), ("Question", "Answer"), ("Task", "Solution"), ("Text", "Result"), ("Given", "Answer"))
LENGTHS = (0, 0, 0, 250, 350, 500, 700, 900)  # characters to reach by adding examples; 0 is a single example
BRIEF = 60  # characters; a document of one example shorter than this would be mostly frame
LONG = (1_500, 2_200, 3_000)
SHORT_SYSTEM = ("", "", "You are a helpful assistant.", "You are a careful assistant.", "Answer briefly.",
    "Follow the instruction exactly.")


def stream(tasks: Sequence[Task], rng: random.Random, source: str) -> Iterator[Document]:
    """Endless documents of `tasks` (repeat a task in the sequence to weight it)."""
    while True:
        yield document(rng.choice(tasks)(rng), rng, source)


def document(make: Maker, rng: random.Random, source: str) -> Document:
    """One document from examples of one task, in a random layout."""
    examples = draw(make, rng)
    kind = rng.random()
    if kind < (0.75 if examples[0].more else 0.5):
        return chat(examples, rng, source)
    if kind < 0.88:
        return completion(examples, rng, source)
    return plain(examples, rng, source)


def draw(make: Maker, rng: random.Random) -> list[Example]:
    """Examples until a random length is reached; 2 to 14 of them, or a single one."""
    target = rng.choice(LONG if rng.random() < 0.04 else LENGTHS)
    examples = [make(rng)]
    size = size_of(examples[0])
    if size < BRIEF:
        target = max(target, rng.choice(LENGTHS))
    while len(examples) < examples[0].least or (size < target and len(examples) < 14):
        examples.append(make(rng))
        size += size_of(examples[-1]) + 10
    return examples


def size_of(example: Example) -> int:
    """Characters of an example with all its questions."""
    return sum(map(len, (example.given, example.answer, *(part for pair in example.more for part in pair))))


def _silent(examples: Sequence[Example], rng: random.Random) -> bool:
    """Whether to leave the instruction out: only where the input or earlier examples show the task."""
    return (examples[0].clear or len(examples) > 2) and rng.random() < 0.45


def chat(examples: Sequence[Example], rng: random.Random, source: str) -> Document:
    """Every example is one turn; the instruction is the system message, opens the conversation, or stays away."""
    system, opening = "", ""
    if not _silent(examples, rng):
        if rng.random() < 0.55:
            system = examples[0].instruction
        else:
            system, opening = rng.choice(SHORT_SYSTEM), examples[0].instruction
    messages = [{"role": "system", "content": system}] if system else []
    everywhere = rng.random() < 0.3
    below = rng.random() < 0.3
    for index, example in enumerate(examples):
        asked = example.given
        if opening and (index == 0 or everywhere):
            asked = f"{asked}\n\n{opening}" if below else f"{opening}\n\n{asked}"
        for question, answer in ((asked, example.answer), *example.more):
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Document("chat", messages=tuple(messages), source=source)


def completion(examples: Sequence[Example], rng: random.Random, source: str) -> Document:
    """Earlier examples stand in the prompt as a pattern; the last answer is the completion.

    Half of the documents with a pattern are learnt whole instead, as plain text.
    """
    separator, ending = rng.choice(SEPARATORS), rng.choice(ENDINGS)
    if examples[0].given.endswith(":") and rng.random() < 0.8:
        separator = ""
    gap = "\n" if ending.endswith("\n") else "\n\n"
    head = "" if _silent(examples, rng) else examples[0].instruction + "\n\n"
    shown = "".join(f"{one.given}{separator} {one.answer}{ending}{gap}" for one in examples[:-1])
    last = examples[-1]
    prompt, answer = f"{head}{shown}{last.given}{separator}", f" {last.answer}{ending}"
    if shown and rng.random() < 0.5:
        return Document("text", text=prompt + answer, source=source)
    return Document("completion", prompt=prompt, text=answer, source=source)


def plain(examples: Sequence[Example], rng: random.Random, source: str) -> Document:
    """A worked list of examples under labels, as in a textbook."""
    asked, answered = rng.choice(LABELS)
    head = "" if _silent(examples, rng) else examples[0].instruction + "\n\n"
    turns = ((question, answer) for one in examples for question, answer in ((one.given, one.answer), *one.more))
    text = "\n\n".join(f"{asked}: {question}\n{answered}: {answer}" for question, answer in turns)
    return Document("text", text=head + text, source=source)
