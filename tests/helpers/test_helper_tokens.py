from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken
from helpers import bulk_tokens, counting, tables, tokens
from helpers.formatting import chat_row, completion_row, write_jsonl
from localtune.model.tokenizer import Tokenizer

MESSAGES = [{"role": "system", "content": "Marv is dry."}, {"role": "user", "content": "Capital of France?"}]
NEW, OLD = "gpt-4.1-2025-04-14", "gpt-3.5-turbo-0613"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (NEW, "o200k_base"),
        (f"ft:{NEW}:org:marv:abc", "o200k_base"),
        (f"{NEW}.ft-0123abcd", "o200k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:org::abc", "o200k_base"),
        ("ft:gpt-3.5-turbo-0613:org::abc", "cl100k_base"),
        ("gpt-oss-20b", "o200k_base"),
    ],
)
def test_encoding_belongs_to_the_base(model: str, name: str) -> None:
    assert tokens.encoding_for(model).name == name


def test_old_models_are_approximated_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="r50k_base"):
        assert tokens.encoding_for("davinci:ft-org-2022-01-01").name == "cl100k_base"


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("hello world", [15339, 1917], [24912, 2375]),
        ("tiktoken is great!", [83, 1609, 5963, 374, 2294, 0], None),
        ("<|endoftext|>", [27, 91, 8862, 728, 428, 91, 29], None),
    ],
)
def test_known_token_ids(text: str, cl100k: list[int], o200k: list[int] | None) -> None:
    assert tokens.encoding("cl100k_base").encode_ordinary(text) == cl100k
    assert o200k is None or tokens.encoding("o200k_base").encode_ordinary(text) == o200k


def test_chat_count_follows_the_published_rule() -> None:
    # system 1 + "Marv is dry." 5, user 1 + "Capital of France?" 4; twice 3 for the messages, 3 for the example
    assert tokens.count_chat(MESSAGES, OLD) == 1 + 5 + 1 + 4 + 3 * 2 + 3
    assert tokens.count_chat([{"role": "user", "content": "a", "name": "b"}], OLD) == 3 + 1 + 1 + 1 + 1 + 3
    assert tokens.count_chat([{"role": "assistant", "content": None, "weight": 0}], OLD) == 3 + 1 + 3
    assert tokens.count_chat([{"role": "user", "content": [{"type": "text", "text": "a"}]}], OLD) == 3 + 1 + 1 + 3


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 25), (10, 10), (33, 3), (34, 3), (100, 3), (8334, 2), (20_000, 1), (90_000, 1)]
)
def test_auto_epochs(examples: int, epochs: int) -> None:
    assert tokens.auto_epochs(examples) == epochs


def test_cost_is_price_times_tokens_times_epochs() -> None:
    rows = [{"prompt": "hello world", "completion": "hello world"}] * 10
    line = tokens.cost_table(rows, [OLD]).loc[OLD]
    assert (line["tokens"], line["epochs"], line["trained_tokens"]) == (40, 10, 400)
    assert line["usd"] == pytest.approx(400 * 8.00 / 1e6)
    assert line["collected"] == "2026-11-21"
    assert tokens.usage_cost(f"ft:{NEW}:org::x", 1_000_000, 1_000_000) == 3.00 + 12.00


def test_cost_table_without_models_leaves_out_prices_per_hour() -> None:
    table = tokens.cost_table([{"prompt": "a", "completion": "b"}])
    assert set(table.index) == set(tables.prices().query("unit == '1M tokens'")["model"])
    with pytest.warns(UserWarning, match="approximately"):
        assert tokens.cost_table([{"prompt": "a", "completion": "b"}], ["another-maker"])["usd"].isna().all()


def test_examples_are_billed_up_to_the_limit() -> None:
    row = {"prompt": "hello world " * 20, "completion": ""}
    table = tokens.token_table([row], "tiny-limit")
    assert table["tokens"][0] > 20 and table["billed"][0] == 20
    assert tokens.example_limit(f"ft:{NEW}:org::x") == 65_536 and tokens.example_limit("another-maker") is None


def test_shipped_files_are_what_the_list_says() -> None:
    folder = tables.DATA / "tokenizers"
    listed = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines())
    for path in folder.glob("*.xz"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[path.name]
    assert {f"{name}.tiktoken": sha for name, sha in counting.SHA256.items()}.items() <= listed.items()


def test_a_damaged_cache_file_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    target = tmp_path / hashlib.sha1(counting.RANKS_URL.format("cl100k_base").encode()).hexdigest()
    target.write_bytes(b"half a file")
    counting._unpack("cl100k_base")
    assert hashlib.sha256(target.read_bytes()).hexdigest() == counting.SHA256["cl100k_base"]
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_no_network_is_needed_on_a_fresh_machine(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from helpers import tokens\n"
        "print(len(tokens.encoding('o200k_base').encode('hello world')), tokens.encoding('cl100k_base').n_vocab)\n"
    )
    environment = {"TIKTOKEN_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(tables.ROOT), "SYSTEMROOT": "C:\\Windows"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert result.stdout.split() == ["2", "100277"], result.stderr


def test_the_trap_this_module_avoids_is_still_there() -> None:
    assert tiktoken.encoding_name_for_model(f"ft:{NEW}") == "cl100k_base"


def test_unknown_encodings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("network"))
    with pytest.raises(ValueError, match="p50k_base"):
        tokens.encoding("p50k_base")


ALL_MODELS = tables.models()


@pytest.fixture
def all_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "models", lambda: ALL_MODELS.copy())


def test_the_local_base_counts_as_the_service_does(all_models: None) -> None:
    own = Tokenizer.from_folder(tables.DATA / "base" / "small")
    chat, pair = chat_row("Be dry.", "¿Qué? <|im_end|>", "No."), completion_row("q ->", "a", "", " END")
    assert tokens.count_row(chat, "small") == len(own.chat(chat["messages"])[0])
    assert tokens.count_row(pair, "ft:small:org::x") == len(own.completion(**pair)[0])
    counter = bulk_tokens.TokenCounter(counting.LOCAL)
    counter.add_row(1, chat)
    counter.add_row(2, pair)
    assert list(counter.counts()) == [tokens.count_row(chat, "small"), tokens.count_row(pair, "small")]


@pytest.mark.parametrize("model", [NEW, "small"])
def test_truncated_texts_have_the_wanted_tokens(all_models: None, model: str) -> None:
    text = "hello world, " * 20
    for limit in (0, 1, 7):
        cut = tokens.truncate(text, limit, model)
        assert text.startswith(cut) and tokens.count(cut, model) == limit
    assert tokens.truncate("hello", 9, model) == "hello"
    assert "\ufffd" not in tokens.truncate("🙂🙃" * 5, 3, model)


def test_tools_and_preference_pairs_are_counted() -> None:
    chat = {"messages": MESSAGES}
    assert tokens.count_row({**chat, "tools": [{"type": "function"}]}, OLD) > tokens.count_row(chat, OLD)
    answer = {"role": "assistant", "content": "Paris."}
    pair = {"input": chat, "preferred_completion": [answer], "non_preferred_completion": [answer]}
    assert tokens.count_row(pair, OLD) == tokens.count_row(chat, OLD) + tokens.count_chat([answer, answer], OLD)


def test_price_list_of_all_models(all_models: None, tmp_path: Path) -> None:
    rows = [chat_row("Be dry.", f"Question {n}?", "No. " * 5) for n in range(20)]
    table = bulk_tokens.price_list(write_jsonl(tmp_path / "rows.jsonl", rows))
    alone = tokens.cost_table(rows, [NEW]).loc[NEW]
    assert {name: table.loc[NEW, name] for name in alone.index} == dict(alone)
    assert table.loc[NEW, "usd_per_example"] == pytest.approx(alone["usd"] / 20, rel=1e-3)
    assert (table["local_tokens"] == table.loc["small", "tokens"]).all() and table.loc["small", "usd"] == 0
    assert set(tables.prices().query("unit == '1M tokens'")["model"]) <= set(table.index)
    assert set(table.query("price.notna() and price > 0")["collected"]) == {"2026-11-21"}


def test_price_list_cuts_examples_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = bulk_tokens.price_list([completion_row("hello world " * 20, "x")] * 10)
    assert (table.loc["tiny-limit", "tokens"], table.loc["tiny-limit", "cut"]) == (200, 10)
