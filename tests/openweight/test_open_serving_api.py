"""Open-weight models through /chat/completions and /completions: whole, streamed, stopped, refused."""
from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from localtune.api.app import create_app
from localtune.config import Settings
from localtune.infer.open_tokenizer import AnsweringTokenizer
from localtune.infer.request import Token
from localtune.infer.text import TextStream
from localtune.openweight.load import load_model
from localtune.store import Store
from tests.openweight.tiny_open import FAMILIES, tiny_open

ASK = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def http(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that offers every family by its name, with a worker that does nothing."""
    torch.set_num_threads(1)
    state = tmp_path_factory.mktemp("state")
    bases = {name: str(folder) for name, folder in folders.items()}
    settings = Settings(state=state, open_bases=bases, threads=1, worker=("sleep", "600"))
    store = Store(state)
    key = {"authorization": "Bearer sk-local"}
    with TestClient(create_app(settings, store), base_url="http://localhost", headers=key) as client:
        yield client
    store.close()


def post(http: TestClient, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = http.post(f"/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if status == 200 else answer.json()["error"]


def events(http: TestClient, path: str, **body: Any) -> list[dict[str, Any]]:
    lines = http.post(f"/v1/{path}", json={**body, "stream": True}).text.splitlines()
    parts = [line.removeprefix("data: ") for line in lines if line]
    assert parts.pop() == "[DONE]"
    return [json.loads(part) for part in parts]


def chat(http: TestClient, model: str, **body: Any) -> dict[str, Any]:
    [choice] = post(http, "chat/completions", model=model, **{"messages": ASK, "temperature": 0, **body})["choices"]
    return choice


def expected(http: TestClient, folder: Path, prompt: list[int], n: int) -> list[int]:
    """Ids that transformers' `generate` writes, up to the first that ends an answer."""
    ends = http.app.state.engine.tokenizer(folder).stop_ids
    with torch.inference_mode():
        whole = load_model(folder, torch.device("cpu"), torch.float32).generate(
            input_ids=torch.tensor([prompt]), max_new_tokens=n, do_sample=False, eos_token_id=sorted(ends)
        )[0, len(prompt) :].tolist()
    return [id for id in whole if id not in ends]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_chat_is_written_by_the_models_own_template_and_answered_as_generate_does(
    http: TestClient, folders: dict[str, Path], family: str
) -> None:
    tokenizer = http.app.state.engine.tokenizer(folders[family])
    prompt = tokenizer.inner.apply_chat_template(ASK, add_generation_prompt=True)["input_ids"]
    ids = expected(http, folders[family], prompt, 24)
    answer = post(http, "chat/completions", model=family, messages=ASK, temperature=0, max_tokens=24, logprobs=True)
    [choice] = answer["choices"]
    assert choice["message"]["content"] == tokenizer.decode(ids).rstrip("\ufffd") or "\ufffd" in tokenizer.decode(ids)
    assert answer["usage"]["prompt_tokens"] == len(prompt)
    assert answer["usage"]["completion_tokens"] == len(choice["logprobs"]["content"]) == len(ids)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_completion_goes_on_from_the_prompt(http: TestClient, folders: dict[str, Path], family: str) -> None:
    tokenizer = http.app.state.engine.tokenizer(folders[family])
    prompt = "What is the capital"
    asked = {"model": family, "prompt": prompt, "temperature": 0, "max_tokens": 10, "logprobs": 1}
    answer = post(http, "completions", **asked)
    ids = expected(http, folders[family], list(tokenizer.inner(prompt)["input_ids"]), 10)
    assert answer["usage"]["completion_tokens"] == len(ids)
    assert answer["choices"][0]["logprobs"]["text_offset"][:1] == ([len(prompt)] if ids else [])
    echoed = post(http, "completions", **asked, echo=True)["choices"][0]
    assert echoed["text"] == prompt + answer["choices"][0]["text"]
    assert echoed["logprobs"]["token_logprobs"][0] is None
    assert all(value <= 0 for value in echoed["logprobs"]["token_logprobs"][1:])
    assert post(http, "completions", **{**asked, "prompt": ""})["usage"]["prompt_tokens"] == 1


def test_a_streamed_answer_says_the_same_as_a_whole_one(http: TestClient) -> None:
    """Led to write bytes of characters that have several, so that hardly a token is text of its own."""
    tokenizer = http.app.state.engine.tokenizer(http.app.state.catalog.resolve("p", "llama").folder)
    bias = {str(id): 100 for id in tokenizer.encode("é€😀ß")}
    asked = {"model": "llama", "messages": ASK, "seed": 4, "max_tokens": 60, "logit_bias": bias}
    whole = post(http, "chat/completions", **asked)
    parts = events(http, "chat/completions", **asked, stream_options={"include_usage": True})
    usage = parts.pop()["usage"]
    deltas = [part["choices"][0]["delta"].get("content", "") for part in parts]
    assert "".join(deltas) == whole["choices"][0]["message"]["content"]
    assert parts[-1]["choices"][0]["finish_reason"] == "length"
    assert usage == whole["usage"]


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_shown_one_by_one_are_whole_characters(http: TestClient, family: str) -> None:
    tokenizer = http.app.state.engine.tokenizer(http.app.state.catalog.resolve("p", family).folder)
    if family == "gemma":  # whose single bytes this tiny tokenizer declares special, which real ones do not
        tokenizer = AnsweringTokenizer(without_special_bytes(tokenizer.inner))
    text = "What is é€😀ß?\n  Paris"
    stream, shown = TextStream(()), []
    ids = tokenizer.encode(text)
    assert len(ids) > len("é€😀ß") and tokenizer.decode(ids) == text
    for id in ids:
        shown += [token.text for token in stream.push(Token(id, "", tokenizer.token_bytes(id)))[0]]
    assert "".join(shown) == text and "é" in shown and "😀" in shown


def test_the_space_a_tokenizer_writes_before_every_text_is_not_part_of_an_answer(http: TestClient) -> None:
    """As in Llama 2: the template's end and the answer's first word are one token with a space."""
    inner = Tokenizer(models.BPE(vocab={"<eos>": 0, "a": 1, "▁": 2, "▁a": 3}, merges=[("▁", "a")]))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer = AnsweringTokenizer(PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<eos>"))
    assert tokenizer.lead == " " and tokenizer.decode([3]) == " a"
    stream = TextStream((), tokenizer.lead)
    shown = [token.text for id in (3, 3, 1) for token in stream.push(Token(id, "", tokenizer.token_bytes(id)))[0]]
    assert shown == ["a", " a", "a"]
    for family in FAMILIES:
        assert http.app.state.engine.tokenizer(http.app.state.catalog.resolve("p", family).folder).lead == ""


def without_special_bytes(inner: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    stored = json.loads(inner.backend_tokenizer.to_str())
    stored["added_tokens"] = [token for token in stored["added_tokens"] if not token["content"].startswith("<0x")]
    changed = Tokenizer.from_str(json.dumps(stored))
    return PreTrainedTokenizerFast(tokenizer_object=changed, bos_token="<bos>", eos_token="<eos>")


def test_a_stop_sequence_is_cut_off(http: TestClient) -> None:
    whole = chat(http, "qwen3", max_tokens=40, logit_bias={"0": -100, "1": -100, "2": -100})["message"]["content"]
    stop = whole[5:8]
    cut = chat(http, "qwen3", max_tokens=40, stop=stop, logit_bias={"0": -100, "1": -100, "2": -100})
    assert cut["finish_reason"] == "stop"
    assert cut["message"]["content"] == whole[: whole.index(stop)]


def test_the_template_ends_the_answer(http: TestClient, folders: dict[str, Path]) -> None:
    tokenizer = http.app.state.engine.tokenizer(folders["gemma"])
    end = tokenizer.inner.convert_tokens_to_ids("<end_of_turn>")
    assert end in tokenizer.stop_ids and end != tokenizer.inner.eos_token_id
    assert chat(http, "gemma", logit_bias={str(end): 100})["finish_reason"] == "stop"


def test_special_tokens_have_names_among_alternatives_and_add_nothing_to_a_text(http: TestClient) -> None:
    answer = chat(http, "llama", logit_bias={"0": 100}, max_tokens=3, logprobs=True, top_logprobs=20)
    assert answer["message"]["content"] == ""
    names = [top["token"] for token in answer["logprobs"]["content"] for top in token["top_logprobs"]]
    assert "" not in names


def test_many_at_once_get_the_answers_of_one_by_one(http: TestClient) -> None:
    asked = [(family, {"messages": [{"role": "user", "content": "is it " * n + "Paris?"}], "max_tokens": 8 + n})
             for n in range(1, 5) for family in FAMILIES]
    alone = [chat(http, family, **body) for family, body in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(lambda one: chat(http, one[0], **one[1]), asked)) == alone


def test_too_much_for_the_context_is_refused(http: TestClient) -> None:
    error = post(http, "chat/completions", 400, model="llama", messages=[{"role": "user", "content": "Paris " * 3000}])
    assert error["code"] == "context_length_exceeded" and "256 tokens" in error["message"]
    error = post(http, "chat/completions", 400, model="llama", messages=ASK, max_tokens=255)
    assert error["code"] == "context_length_exceeded"


def test_a_conversation_the_template_refuses_is_a_400_with_its_words(http: TestClient) -> None:
    messages = [{"role": "system", "content": "Be brief."}, *ASK]
    error = post(http, "chat/completions", 400, model="gemma", messages=messages)
    assert error["type"] == "invalid_request_error" and "System role not supported" in error["message"]
    for family in ("llama", "qwen3"):
        chat(http, family, messages=messages, max_tokens=1)


def test_a_base_that_cannot_be_loaded_is_a_503_with_cause_and_cure(
    http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_open(tmp_path / "unknown", "llama")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "unheard-of"}), encoding="utf-8")
    monkeypatch.setitem(http.app.state.catalog.open_bases, "unknown", str(folder))
    for path, asked in (("chat/completions", {"messages": ASK}), ("completions", {"prompt": "a"})):
        error = post(http, path, 503, model="unknown", **asked)
        assert error["code"] == "unknown_architecture" and "unheard-of" in error["message"]
    broken = tiny_open(tmp_path / "broken", "llama")
    monkeypatch.setitem(http.app.state.catalog.open_bases, "broken", str(broken))
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    error = post(http, "chat/completions", 503, model="broken", messages=ASK)
    assert error["type"] == "server_error" and "broken" in error["message"]


def test_health_tells_what_is_loaded_and_how_long_that_took(http: TestClient) -> None:
    chat(http, "llama", max_tokens=1)
    loaded = {entry["source"]: entry for entry in http.get("/healthz").json()["loaded"]}
    assert loaded["llama"]["load_seconds"] > 0 and loaded["llama"]["bytes"] > 100_000
