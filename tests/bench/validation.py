"""The validator against the seven checks that everybody copies: `python3 start.py bench validation [--megabytes 1000]`.

A chat file of about a thousand characters per line is written to a temporary folder. Each way runs in a process of its own,
on the same file, in turns (`--rounds`); seconds, processor seconds and peak memory include the processes it starts. A round's
ratio compares neighbours in time, so that other work on the machine disturbs both. The seven checks are written here from
their description: load all rows with json.loads; count format errors (type, messages, keys, roles, content, assistant);
rows without system or user message; messages per row; tokens per row; tokens of the answers; rows over 4,096 tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
MODEL = "gpt-4o-mini-2024-07-18"
SAMPLE_PAUSE = 20  # times as long as a look at the memory: the system holds a large process up while it counts its pages
WAYS = ("seven", "ours", "seven+tokens", "ours+tokens")


def write_chats(path: Path, megabytes: int) -> None:
    """Lines of three messages: words drawn from this project's README, so that tokens are those of a text."""
    rng = random.Random(0)
    words = [word for word in (ROOT / "README.md").read_text(encoding="utf-8").split() if word.isalpha()]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        number = 0
        while file.tell() < megabytes * 1_000_000:
            for number in range(number + 1, number + 1001):
                question = f"{number}. {' '.join(rng.choices(words, k=60))}?"
                answer = f"{' '.join(rng.choices(words, k=80))}.\n\"Yes\", naïve reader {number}!"
                texts = ("system", "You answer with care."), ("user", question), ("assistant", answer)
                messages = [{"role": role, "content": text} for role, text in texts]
                file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")


def seven_checks(path: Path, tokens: bool) -> None:
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    errors: Counter[str] = Counter()
    for row in rows:
        errors.update(format_errors(row))
    missing = sum(not any(m["role"] == role for m in row["messages"]) for role in ("system", "user") for row in rows)
    lengths = [len(row["messages"]) for row in rows]
    print(f"{len(rows):,} rows, {sum(errors.values())} errors, {missing} missing, at most {max(lengths)} messages")
    if tokens:
        count_tokens(rows)


def format_errors(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return ["data_type"]
    if not (messages := row.get("messages")):
        return ["missing_messages_list"]
    found = []
    for message in messages:
        if "role" not in message or "content" not in message:
            found.append("message_missing_key")
        if any(key not in ("role", "content", "name", "function_call", "weight") for key in message):
            found.append("message_unrecognized_key")
        if message.get("role") not in ("system", "user", "assistant", "function"):
            found.append("unrecognized_role")
        content, call = message.get("content"), message.get("function_call")
        if (not content and not call) or not isinstance(content, str):
            found.append("missing_content")
    if not any(message.get("role") == "assistant" for message in messages):
        found.append("example_missing_assistant_message")
    return found


def count_tokens(rows: list[Any]) -> None:
    from helpers.counting import encoding

    cl100k, totals, answers = encoding("cl100k_base"), [], []
    for row in rows:
        total = 3
        for message in row["messages"]:
            total += 3 + sum(len(cl100k.encode(value)) for value in message.values())
        totals.append(total)
        answers.append(sum(len(cl100k.encode(m["content"])) for m in row["messages"] if m["role"] == "assistant"))
    print(f"{sum(totals):,} tokens, {sum(answers):,} in answers, {sum(total > 4096 for total in totals)} rows too long")


def one_way(way: str, path: Path) -> None:
    started = time.perf_counter()
    tokens = way.endswith("+tokens")
    if way.startswith("seven"):
        seven_checks(path, tokens)
    else:
        from helpers.validation import check

        print(check(path, MODEL if tokens else None, tokens=tokens, quiet=True).summary())
    cpu = sum(psutil.Process().cpu_times()[:4])  # with the processes it started, where the system counts them
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu": cpu}))


def memory(process: psutil.Process) -> int:
    """Bytes of a process and those it started; a page that several share counts once (where the system tells: Linux)."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().pss if psutil.LINUX else one.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        pass
    return total


def measure(way: str, path: Path) -> dict[str, float]:
    """Runs one way in a fresh process; its seconds, processor seconds and peak megabytes."""
    command = [sys.executable, __file__, "--way", way, "--file", str(path)]
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    peak = 0
    while process.poll() is None:
        started = time.perf_counter()
        peak = max(peak, memory(process))
        time.sleep(max(0.05, SAMPLE_PAUSE * (time.perf_counter() - started)))
    said = process.stdout.read().splitlines()
    if process.wait():
        raise SystemExit(f"{way} failed")
    figures: dict[str, float] = json.loads(said[-1])
    took = f"{figures['seconds']:7.1f} s, {figures['cpu']:7.1f} s of processor, {peak / 1e6:6.0f} MB"
    print(f"{way:13} {took} | {said[0]}", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=WAYS, nargs="+", default=WAYS, help="these ways (default: all)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        one_way(options.way, options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chats.jsonl")
        write_chats(path, options.megabytes)
        print(f"{path.stat().st_size / 1e6:.0f} MB", flush=True)
        rounds = [{way: measure(way, path) for way in options.only} for _ in range(options.rounds)]
    for seven, ours in (WAYS[:2], WAYS[2:]):
        if {seven, ours} <= set(options.only):
            seconds, cpu = (median(r[seven][unit] / r[ours][unit] for r in rounds) for unit in ("seconds", "cpu"))
            print(f"{ours}: {seconds:.1f} times as fast as {seven} ({cpu:.1f} times by processor time)")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
