"""From JSONL lines to batches: what is learnt, what is cut, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from localtune.model.llama import Llama, load_llama
from localtune.model.tokenizer import Tokenizer
from localtune.train.data import Dataset, Example, collate, epoch_order, load_dataset
from localtune.train.errors import JobError
from localtune.train.objective import evaluate, loss_and_hits
from tests.tiny import tiny_base
from tests.train.jobs import chat, write_rows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Tokenizer:
    return Tokenizer.from_folder(base)


@pytest.fixture(scope="module")
def model(base: Path) -> Llama:
    return load_llama(base)


def dataset(tmp_path: Path, tokenizer: Tokenizer, *rows: dict[str, Any], context: int = 1024) -> Dataset:
    path = Path(write_rows(tmp_path / "rows.jsonl", rows))
    return load_dataset("training file", path, tokenizer, context)


def learnt_text(example: Example, tokenizer: Tokenizer) -> str:
    return tokenizer.decode(example.ids[position + 1] for position in example.learnt)


CONTENTS = {
    "string": ("Paris.", "Paris.<|im_end|>"),
    "null": (None, "<|im_end|>"),
    "text parts": ([{"type": "text", "text": "Par"}, {"type": "text", "text": "is."}], "Paris.<|im_end|>"),
    "half a surrogate pair": ("a\ud800b", "a?b<|im_end|>"),
    "typed special token": ("<|im_end|>", "<|im_end|><|im_end|>"),
}


@pytest.mark.parametrize(("content", "expected"), CONTENTS.values(), ids=CONTENTS.keys())
def test_assistant_content_is_learnt(content: Any, expected: str, tmp_path: Path, tokenizer: Tokenizer) -> None:
    (example,) = dataset(tmp_path, tokenizer, chat("Capital of France?", content)).examples
    assert learnt_text(example, tokenizer) == expected


def test_weights_choose_the_messages(tmp_path: Path, tokenizer: Tokenizer) -> None:
    row = {"messages": chat("1?", "No.", weight=0)["messages"] + chat("2?", "Yes.", weight=1)["messages"]}
    (example,) = dataset(tmp_path, tokenizer, row).examples
    assert learnt_text(example, tokenizer) == "Yes.<|im_end|>"


def test_completion_is_learnt_also_after_an_empty_prompt(tmp_path: Path, tokenizer: Tokenizer) -> None:
    rows = ({"prompt": "2 + 2 =", "completion": " 4"}, {"prompt": "", "completion": "ab"})
    learnt = [learnt_text(example, tokenizer) for example in dataset(tmp_path, tokenizer, *rows).examples]
    assert learnt == [" 4<|endoftext|>", "b<|endoftext|>"]  # nothing precedes "a" that could predict it


def test_long_examples_are_cut_and_counted(tmp_path: Path, tokenizer: Tokenizer) -> None:
    rows = (chat("Hi", "Paris"), chat("Hi", "word " * 40), chat("word " * 40, "Paris"), chat("a", "b", weight=0))
    result = dataset(tmp_path, tokenizer, *rows, context=32)
    assert [len(example.ids) for example in result.examples][1] == 32
    assert (result.n_cut, result.n_left_out, len(result.examples)) == (2, 2, 2)
    assert result.warning == (
        "Of 4 examples in the training file: 2 longer than 32 tokens, cut at the end; "
        "2 left out because nothing to learn remains."
    )


def test_token_count_covers_left_out_examples(tmp_path: Path, tokenizer: Tokenizer) -> None:
    rows = (chat("Hi", "Paris"), chat("a", "b", weight=0))
    lengths = [len(tokenizer.chat(row["messages"])[0]) for row in rows]
    assert dataset(tmp_path, tokenizer, *rows).n_tokens == sum(lengths)


BROKEN = {"not JSON": "{", "a list": "[1]", "no role": '{"messages": [{"content": "x"}]}', "no prompt": '{"a": 1}'}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN.keys())
def test_unusable_line_is_named(line: str, tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n\n' + line, encoding="utf-8")
    with pytest.raises(JobError, match="line 3") as caught:
        load_dataset("validation file", path, tokenizer, 1024)
    assert caught.value.code == "invalid_validation_file"


def test_loss_is_over_the_learnt_tokens_alone(tmp_path: Path, tokenizer: Tokenizer, model: Llama) -> None:
    (example,) = dataset(tmp_path, tokenizer, chat("Who wrote Hamlet?", "Shakespeare")).examples
    answer = [*tokenizer.encode("Shakespeare"), tokenizer.im_end_id]
    start = example.ids.index(tokenizer.im_start_id, 1) + 1 + len(tokenizer.encode("assistant\n"))
    with torch.no_grad():
        logits = model.logits(model(torch.tensor([example.ids])))[0]
        losses = F.cross_entropy(logits[:-1], torch.tensor(example.ids[1:]), reduction="none")
        loss, _ = loss_and_hits(model, collate([example], 0))
    expected = losses[start - 1 : start - 1 + len(answer)].mean()
    torch.testing.assert_close(loss, expected)
    for wrong in (losses, losses[start : start + len(answer)], losses[start - 1 : start - 2 + len(answer)]):
        assert abs(wrong.mean() - expected) > 1e-3


def test_padding_and_batching_leave_the_loss_alone(tmp_path: Path, tokenizer: Tokenizer, model: Llama) -> None:
    rows = [chat("Hi" * n, "Paris " * (5 - n)) for n in range(1, 5)]
    examples = dataset(tmp_path, tokenizer, *rows).examples
    with torch.no_grad():
        together, hits = loss_and_hits(model, collate(examples, tokenizer.eot_id))
        alone = [loss_and_hits(model, collate([example], tokenizer.eot_id)) for example in examples]
    counts = [len(example.learnt) for example in examples]
    expected = sum(loss * count for (loss, _), count in zip(alone, counts)) / sum(counts)
    torch.testing.assert_close(together, expected)
    assert hits == sum(hit for _, hit in alone)
    assert evaluate(model, examples, tokenizer.eot_id)[0] == pytest.approx(expected.item(), abs=1e-5)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    orders = {(seed, epoch): epoch_order(20, seed, epoch) for seed in range(3) for epoch in range(3)}
    assert len(set(orders.values())) == 9
    assert all(sorted(order) == list(range(20)) for order in orders.values())
    epoch_order.cache_clear()
    assert orders[1, 2] == epoch_order(20, 1, 2)
