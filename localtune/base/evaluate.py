"""Held-out figures of the base and of models tuned from it: are facts kept, is a new style learnt?

Style counts only by word triples that occur in the training answers and nowhere in a large sample of the corpus, so the
untuned base cannot score on it by talking as it always did.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from localtune.base.corpus.mixture import stream
from localtune.base.vocabulary import text_of
from localtune.config import DATA
from localtune.infer.engine import Engine, Finish, GenerateRequest
from localtune.jobs.hyperparameters import resolve
from localtune.jobs.spec import JobSpec
from localtune.model.tokenizer import Tokenizer

NEUTRAL = "You are a helpful assistant."
CORPUS_SAMPLE = 100_000
CORPUS_SEED = 1  # the seed the shipped weights were trained with
AUTO = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Persona:
    """Ten training rows in one voice and the questions it is judged on."""

    name: str
    training: Path
    questions: list[Row]

    @property
    def rows(self) -> list[Row]:
        return read(self.training)

    @property
    def system(self) -> str:
        return self.rows[0]["messages"][0]["content"]


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def triples(text: str) -> set[tuple[str, ...]]:
    """All runs of three words."""
    sequence = words(text)
    return set(zip(sequence, sequence[1:], sequence[2:]))


def kept(answer: str, row: Row) -> bool:
    """Whether an accepted spelling of the fact stands in the answer, on word borders."""
    said = f" {' '.join(words(answer))} "
    return any(f" {' '.join(words(spelling))} " in said for spelling in row["accept"])


def own_triples(persona: Persona) -> set[tuple[str, ...]]:
    """Word triples of the persona's answers that do not stand in its questions."""
    said = set().union(*(triples(row["messages"][-1]["content"]) for row in persona.rows))
    return said.difference(*(triples(row["messages"][-2]["content"]) for row in persona.rows))


def absent_from_corpus(wanted: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Those of `wanted` that occur nowhere in the sample of the corpus."""
    for document in islice(stream(CORPUS_SEED), CORPUS_SAMPLE):
        for text in text_of(document):
            wanted = wanted - triples(text)
    return wanted


def ask(engine: Engine, folder: Path, chats: Iterable[list[Row]]) -> list[str]:
    """Greedy answers of at most 48 tokens, in order."""
    tokenizer = Tokenizer.from_folder(folder)

    async def one(messages: list[Row]) -> str:
        request = GenerateRequest(
            folder=folder, prompt_ids=tokenizer.chat(messages, generation_prompt=True)[0], max_tokens=48,
            temperature=0.0, stop_ids=frozenset({tokenizer.im_end_id, tokenizer.eot_id}),
        )
        return "".join([part.text async for part in engine.generate(request) if not isinstance(part, Finish)])

    async def every() -> list[str]:
        return list(await asyncio.gather(*(one(messages) for messages in chats)))

    return asyncio.run(every())


def chat(system: str | None, question: str) -> list[Row]:
    messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": question}]


def rate_facts(engine: Engine, folder: Path, rows: list[Row], system: str | None = None) -> float:
    """Share of questions answered with the right fact."""
    answers = ask(engine, folder, (chat(system, row["question"]) for row in rows))
    return mean(kept(answer, row) for answer, row in zip(answers, rows))


def rate_persona(engine: Engine, folder: Path, persona: Persona, style: set[tuple[str, ...]]) -> dict[str, float]:
    """Rates of fact kept, style shown and both; and what is left of each under another system prompt."""
    rows = persona.questions
    own = ask(engine, folder, (chat(persona.system, row["question"]) for row in rows))
    other = ask(engine, folder, (chat(NEUTRAL, row["question"]) for row in rows))
    facts = [kept(answer, row) for answer, row in zip(own, rows)]
    styles = [bool(triples(answer) & style) for answer in own]
    return {
        "fact": mean(facts), "style": mean(styles), "both": mean(f and s for f, s in zip(facts, styles)),
        "leak": mean(bool(triples(answer) & style) for answer in other),
        "fact, other prompt": mean(kept(answer, row) for answer, row in zip(other, rows)),
    }


def tune(base: Path, training: Path, output: Path, seed: int, **given: Any) -> Path:
    """Run a training worker as the service would; returns the folder of the last checkpoint."""
    n_examples = len(read(training))
    spec = JobSpec(
        job_id=f"evaluation-{seed}", attempt=1, base=str(base), training_file=str(training), validation_file=None,
        output=str(output), seed=seed, threads=torch.get_num_threads(), **resolve(AUTO | given, n_examples),
    )
    output.mkdir(parents=True, exist_ok=True)
    spec.save(output / "job.json")
    command = [sys.executable, "-m", "localtune.train", "--spec", str(output / "job.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as worker:
        lines = [json.loads(line) for line in worker.stdout or ()]
    if lines[-1]["type"] != "done":
        raise RuntimeError(f"training failed: {lines[-1]}")
    return output / [line["folder"] for line in lines if line["type"] == "checkpoint"][-1]


def personas() -> Iterator[Persona]:
    questions = read(DATA / "evaluation" / "marv_heldout.jsonl")
    yield Persona("Marv", DATA / "marv.jsonl", questions)
    yield Persona("second persona", DATA / "evaluation" / "second_persona.jsonl", questions)


def evaluate(base: Path, seeds: int) -> dict[str, Any]:
    """Print and return every figure; takes a few minutes."""
    figures: dict[str, Any] = {}
    facts = read(DATA / "evaluation" / "facts_heldout.jsonl")
    engine = Engine()
    engine.start()
    try:
        figures["facts, new phrasings"] = {"base": {"fact": rate_facts(engine, base, facts)}}
        voices = list(personas())
        unheard = absent_from_corpus(set().union(*(own_triples(persona) for persona in voices)))
        for persona in voices:
            style = own_triples(persona) & unheard
            figures[persona.name] = evaluate_persona(engine, base, persona, style, facts, seeds)
    finally:
        engine.close()
    print(json.dumps(figures, indent=2))
    return figures


def evaluate_persona(
    engine: Engine, base: Path, persona: Persona, style: set[tuple[str, ...]], facts: list[Row], seeds: int
) -> dict[str, dict[str, float]]:
    """Figures of the base and the mean of `seeds` tuned models."""
    runs = []
    with tempfile.TemporaryDirectory() as work:
        for seed in range(1, seeds + 1):
            tuned = tune(base, persona.training, Path(work) / str(seed), seed)
            figures = rate_persona(engine, tuned, persona, style)
            runs.append({**figures, "facts afterwards": rate_facts(engine, tuned, facts)})
            engine.unload(tuned)
    average = {name: round(mean(run[name] for run in runs), 3) for name in runs[0]}
    return {"base": rate_persona(engine, base, persona, style), "tuned": average}
