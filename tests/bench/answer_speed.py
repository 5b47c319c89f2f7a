"""Answers of our engine and of `transformers.generate`: same weights, prompts, lengths and threads, greedy, in one run.

    python3 start.py bench answer_speed [--threads 1] [--repeats 3] [--tokens 40]

Compared are one request at a time, and 32 at once: against 32 `generate` calls in a row and against one `generate` call
with all 32 in a batch, which no server gets (they would have to arrive together and be known beforehand). All prompts have
the same number of tokens and no answer may end early, so nobody computes padding. The engine's time includes its queue, its
thread and the way back into the caller's event loop.

    python3 start.py bench answer_speed --labels [--repeats 3]

Classification instead: 200 mails, one token each, sixteen prompts to a request and eight requests at once, alone and behind
twelve solved examples that all prompts share. `generate` gets batches of 32 mails of like length, padded on the left.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from localtune.config import DATA
from localtune.infer.engine import Engine, Finish, GenerateRequest
from localtune.model.tokenizer import Tokenizer

CROWD = 32
Texts = list[list[int]]


def prompts(base: Path) -> Texts:
    """32 questions as chats, cut on the left to one length."""
    tokenizer = Tokenizer.from_folder(base)
    rows = (DATA / "evaluation" / "facts_heldout.jsonl").read_text(encoding="utf-8").splitlines()[:CROWD]
    chats = [tokenizer.chat([{"role": "user", "content": json.loads(row)["question"]}], generation_prompt=True)[0] for row in rows]
    shortest = min(map(len, chats))
    return [chat[-shortest:] for chat in chats]


class Ours:
    """The engine, asked the way the service asks it."""

    def __init__(self, base: Path, threads: int, tokens: int) -> None:
        self.base, self.tokens = base, tokens
        self.engine = Engine(threads=threads)
        self.engine.start()

    async def answer(self, prompt: list[int]) -> list[int]:
        request = GenerateRequest(self.base, prompt, self.tokens, stop_ids=frozenset(), temperature=0.0)
        return [part.id async for part in self.engine.generate(request) if not isinstance(part, Finish)]

    def one_by_one(self, texts: Texts) -> Texts:
        async def every() -> Texts:
            return [await self.answer(text) for text in texts]

        return asyncio.run(every())

    def together(self, texts: Texts) -> Texts:
        async def every() -> Texts:
            return list(await asyncio.gather(*map(self.answer, texts)))

        return asyncio.run(every())


class Theirs:
    """`transformers.generate` with its own cache."""

    def __init__(self, base: Path, tokens: int) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
        self.options = {"do_sample": False, "max_new_tokens": tokens, "min_new_tokens": tokens, "eos_token_id": None, "pad_token_id": 0}

    @torch.inference_mode()
    def together(self, texts: Texts) -> Texts:
        longest = max(map(len, texts))
        ids = torch.tensor([[0] * (longest - len(text)) + text for text in texts])
        mask = torch.tensor([[0] * (longest - len(text)) + [1] * len(text) for text in texts])
        return self.model.generate(ids, attention_mask=mask, **self.options)[:, longest:].tolist()

    def one_by_one(self, texts: Texts) -> Texts:
        return [self.together([text])[0] for text in texts]


def mails(base: Path) -> dict[str, Texts]:
    """200 prompts by the way of asking, shortest first."""
    tokenizer = Tokenizer.from_folder(base)
    with (DATA / "triage" / "train.csv").open(encoding="utf-8", newline="") as lines:
        text = "Subject: {subject}\nContent: {body}\n\n###\n\n"
        rows = [(text.format(**row), row["category"]) for row in csv.DictReader(lines)]
    solved = "".join(f"{prompt}{label}\n\n" for prompt, label in rows[-12:])
    asked = sorted((prompt for prompt, _ in rows[:200]), key=len)
    return {"alone": [tokenizer.document(one) for one in asked], "shared": [tokenizer.document(solved + one) for one in asked]}


def labels(ours: Ours, theirs: Theirs, texts: Texts) -> tuple[float, float, int]:
    """Processor seconds of engine and `generate` for one token to each text, and how many of these are the same."""

    async def requests() -> Texts:
        places = asyncio.Semaphore(8)

        async def request(group: Texts) -> Texts:
            async with places:
                return list(await asyncio.gather(*map(ours.answer, group)))

        groups = [texts[start : start + 16] for start in range(0, len(texts), 16)]
        return [answer for group in await asyncio.gather(*map(request, groups)) for answer in group]

    started = time.process_time()
    one = asyncio.run(requests())
    between = time.process_time()
    other = [answer for start in range(0, len(texts), CROWD) for answer in theirs.together(texts[start : start + CROWD])]
    return between - started, time.process_time() - between, sum(a == b for a, b in zip(one, other, strict=True))


def compare_labels(base: Path, threads: int, repeats: int) -> None:
    ours, theirs = Ours(base, threads, 1), Theirs(base, 1)
    try:
        for way, texts in mails(base).items():
            rounds = [labels(ours, theirs, texts) for _ in range(repeats + 1)][1:]  # the first warms up
            engine, generate, same = (statistics.median(values) for values in zip(*rounds))
            print(f"{way:<8}{sum(map(len, texts)):>8,} tokens: engine {engine:.2f} s, generate {generate:.2f} s of processor,",
                  f"{statistics.median(b / a for a, b, _ in rounds):.2f} x; same label {same:.0f} of {len(texts)}")
    finally:
        ours.engine.close()


def timed(answer: Callable[[Texts], Texts], texts: Texts) -> tuple[float, Texts]:
    """Generated tokens per second, and the tokens."""
    started = time.perf_counter()
    answers = answer(texts)
    return sum(map(len, answers)) / (time.perf_counter() - started), answers


def measure(ours: Ours, theirs: Theirs, texts: Texts, repeats: int) -> dict[str, list[float]]:
    """Tokens per second of all four, in turn, after one round that does not count."""
    ways = {
        "engine, one at a time": ours.one_by_one, "generate, one at a time": theirs.one_by_one,
        f"engine, {CROWD} at once": ours.together, "generate, one batch": theirs.together,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        answers = []
        for name, way in ways.items():
            rate, texts_out = timed(way, texts)
            answers.append(texts_out)
            if repeat:
                rates[name].append(rate)
    same = sum(len({tuple(text) for text in versions}) == 1 for versions in zip(*answers))
    print(f"all four ways give the same tokens: {same} of {len(texts)}")
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=40, help="length of every answer")
    parser.add_argument("--base", type=Path, default=DATA / "base" / "small")
    parser.add_argument("--labels", action="store_true", help="short prompts, one token each")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.labels:
        return compare_labels(options.base, options.threads, options.repeats)
    ours, theirs = Ours(options.base, options.threads, options.tokens), Theirs(options.base, options.tokens)
    try:
        rates = measure(ours, theirs, prompts(options.base), options.repeats)
    finally:
        ours.engine.close()
    for name, values in rates.items():
        print(f"{name:<26}{statistics.median(values):>9,.0f} tokens/s   ({min(values):,.0f} .. {max(values):,.0f})")
    single, alone, crowd, batch = rates.values()
    for name, above, below in (("one request", single, alone), (f"{CROWD} at once / in a row", crowd, alone),
                               (f"{CROWD} at once / one batch", crowd, batch)):
        print(f"{name:<26}{statistics.median(a / b for a, b in zip(above, below)):>9.2f} x")


if __name__ == "__main__":
    main()
