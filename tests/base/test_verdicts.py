"""Pages of verdicts: only the answers are learnt, and they are worth learning."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from localtune.base.batches import encode
from localtune.base.corpus.document import Document
from localtune.base.corpus.tasks import copying, pairing, verdicts
from localtune.config import DATA
from localtune.model.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(DATA / "base" / "small")


def pages(count: int) -> list[Document]:
    return list(islice(verdicts.documents(random.Random(5)), count))


def answers(document: Document) -> list[str]:
    said = [message["content"] for message in document.messages if message["role"] == "assistant"]
    return said + [answered for _, answered in document.turns]


def test_only_answers_are_learnt(tokenizer: Tokenizer) -> None:
    for document in pages(60):
        row = encode(document, tokenizer, 100_000, random.Random(0))
        learnt = tokenizer.decode([token for token, weight in zip(row.ids, row.weights) if weight])
        assert learnt.replace("<|im_end|>", "").replace("<|endoftext|>", "") == "".join(answers(document))


def test_turns_read_like_a_prompt_with_its_pattern(tokenizer: Tokenizer) -> None:
    document = Document("turns", turns=(("stork | stork:", " yes\n"), ("stork | crane:", " no\n")), answers_only=True)
    ids = encode(document, tokenizer, 1_024, random.Random(0)).ids
    assert tokenizer.decode(ids) == "stork | stork: yes\nstork | crane: no\n<|endoftext|>"


def test_a_page_holds_many_answers_in_both_forms() -> None:
    found = pages(300)
    assert {document.kind for document in found} == {"chat", "turns"}
    counts = sorted(len(answers(document)) for document in found)
    assert counts[len(counts) // 2] >= 5 and counts[-1] >= 20


def test_same_or_different_is_balanced() -> None:
    rng = random.Random(1)
    said = Counter(answer.strip() in ("same", "yes", "equal") for _ in range(200)
        for answer in answers(verdicts.page(pairing.twins(rng), rng)) if "END" not in answer)
    assert 0.42 < said[True] / said.total() < 0.58


def test_respaced_keeps_the_parts() -> None:
    rng = random.Random(2)
    for _ in range(300):
        example = copying.respaced(rng)(rng)
        assert _letters(example.given) == _letters(example.answer) and example.given != example.answer


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
