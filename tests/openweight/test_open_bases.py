"""What a base must be before it is loaded, and what the service says when it is not."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import psutil
import pytest
import torch

from localtune.__main__ import parser
from localtune.catalog import built_in_names
from localtune.config import PROJECT
from localtune.ids import base_of, model_name
from localtune.openweight import load
from localtune.openweight.bases import read_bases
from localtune.openweight.folder import cached_folder
from localtune.openweight.load import BaseUnavailable, context_length, is_open_weight, load_config, load_model, load_tokenizer
from localtune.train.errors import JobError
from tests.openweight.open_jobs import open_spec
from tests.openweight.tiny_open import FAMILIES, tiny_open
from tests.tiny import tiny_base
from tests.train.jobs import run_job

TOKEN = "hf_" + "secret" * 5


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_open(tmp_path_factory.mktemp("base"), "llama")


def test_every_family_loads(tmp_path: Path) -> None:
    for family in FAMILIES:
        folder = tiny_open(tmp_path / family, family)
        assert load_model(folder, "cpu", torch.float32).device.type == "cpu"
        assert context_length(load_config(folder)) == 256
        assert load_tokenizer(folder).chat_template
        assert is_open_weight(folder)


def test_the_small_base_is_told_apart(tmp_path: Path) -> None:
    assert not is_open_weight(tiny_base(tmp_path / "tiny"))
    assert not is_open_weight(Path(__file__).parents[2] / "data/base/small")
    assert is_open_weight(Path("org/model"))


# Names and sources


def test_bases_of_file_and_options(base: Path, tmp_path: Path) -> None:
    (tmp_path / "bases.json").write_text(json.dumps({"one": str(base), "two": "org/model"}), encoding="utf-8")
    assert read_bases(tmp_path, [f"two={base}", "qwen3-0.6b=Qwen/Qwen3-0.6B"], built_in_names()) == {
        "one": str(base.resolve()), "two": str(base.resolve()), "qwen3-0.6b": "Qwen/Qwen3-0.6B",
    }


@pytest.mark.parametrize(
    ("option", "reason"),
    {
        "no source": ("name", "--base NAME=FOLDER"), "an alias": ("gpt-4o-mini=org/model", "built-in"),
        "the small base": ("small=org/model", "built-in"), "a colon": ("a:b=org/model", "letters, digits"),
        "a slash": ("a/b=org/model", "letters, digits"), "no folder": ("a=/nowhere/at/all", "no folder /nowhere/at/all"),
        "no hub id": ("a=model", "ORG/MODEL"), "twice": ("first=org/model", "given twice"),
    }.values(),
)
def test_wrong_bases_are_refused(option: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        read_bases(tmp_path, ["first=org/model", option], built_in_names())


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_incomplete_folders_are_named(missing: str, tmp_path: Path) -> None:
    folder = tiny_open(tmp_path / "base")
    (folder / missing).unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ValueError, match=missing.removesuffix(".json")) as caught:
        read_bases(tmp_path, [f"a={folder}"], ())
    assert str(folder) in str(caught.value)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"a": 1}'):
        (tmp_path / "bases.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="bases.json"):
            read_bases(tmp_path, [], ())


@pytest.mark.parametrize("name", ["my-base", "qwen3-0.6b", "a.b-c_d"])
def test_names_survive_in_those_of_models(name: str) -> None:
    assert base_of(model_name(name, "local", "Süffix: x")) == name
    assert base_of(model_name(name, "local", None) + ":ckpt-step-8") == name


# What loading can fail of


def changed(base: Path, folder: Path, **config: object) -> Path:
    """The same folder with another configuration."""
    folder.mkdir()
    for path in base.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    settings = {**json.loads((base / "config.json").read_text(encoding="utf-8")), **config}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["never-heard-of", "vit"])
def test_unknown_architecture(kind: str, base: Path, tmp_path: Path) -> None:
    folder = changed(base, tmp_path / "other", model_type=kind, auto_map={"AutoModelForCausalLM": "code.Model"})
    (folder / "code.py").write_text("raise SystemExit('executed')", encoding="utf-8")
    with pytest.raises(JobError, match=f"'{kind}'.*never executed") as caught:
        run_job(open_spec(tmp_path, folder))
    assert caught.value.code == "unknown_architecture"


def test_too_little_memory_is_told_before_loading(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = load.estimate_bytes(base, torch.float32)
    memory = psutil.virtual_memory()._replace(available=2 * needed)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    load_model(base, "cpu", torch.float32)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", None)
    with pytest.raises(JobError, match="GiB are free.*lora") as caught:
        run_job(open_spec(tmp_path, base, adaptation="full"))
    assert caught.value.code == "insufficient_memory"
    memory = memory._replace(available=needed - 1)
    with pytest.raises(BaseUnavailable, match="smaller base"):
        load_model(base, "cpu", torch.float32)


def test_damaged_weights_are_named(base: Path, tmp_path: Path) -> None:
    folder = changed(base, tmp_path / "other", hidden_size=64, head_dim=16)
    with pytest.raises(BaseUnavailable, match="cannot be loaded") as caught:
        load_model(folder, "cpu", torch.float32)
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("content", [b"short", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"[]", bytes(8)])
def test_what_is_no_safetensors_is_named_before_anything_is_loaded(content: bytes, tmp_path: Path) -> None:
    folder = tiny_open(tmp_path / "base")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="model.safetensors is no safetensors file"):
        read_bases(tmp_path, [f"a={folder}"], ())
    with pytest.raises(BaseUnavailable, match="model.safetensors is no safetensors file"):
        load_model(folder, "cpu", torch.float32)


def test_memory_for_answers_is_an_option() -> None:
    assert parser().parse_args(["serve", "--max-model-gb", "1.5"]).max_model_bytes == 1_500_000_000
    for wrong in ("0", "-1", "nan", "inf", "much"):
        with pytest.raises(SystemExit):
            parser().parse_args(["serve", "--max-model-gb", wrong])


# The hub


class Hub(http.server.BaseHTTPRequestHandler):
    """Refuses everything, in the words of the hub."""

    code = "GatedRepo"

    def do_GET(self) -> None:
        self.send_response(403 if self.code == "GatedRepo" else 404)
        self.send_header("X-Error-Code", self.code)
        self.send_header("X-Error-Message", f"you sent {self.headers.get('authorization')}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Hub]]:
    """A hub of our own, an empty cache, and a token that must not be told to anybody."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield Hub
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("refusal", "code", "cure"),
    [("GatedRepo", "base_gated", "Accept its terms"), ("RepoNotFound", "base_not_found", "Check the name")],
)
def test_refusals_of_the_hub(
    refusal: str, code: str, cure: str, hub: type[Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(hub, "code", refusal)
    with pytest.raises(JobError, match=cure) as caught:
        run_job(open_spec(tmp_path, Path("org/model")))
    assert caught.value.code == code
    told = str(caught.value) + "".join(capfd.readouterr())
    told += "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN not in told


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(JobError, match="Check the network.*--base NAME=FOLDER") as caught:
        run_job(open_spec(tmp_path, Path("org/model")))
    assert caught.value.code == "base_not_downloaded"
    assert cached_folder("org/model") is None


FIRST_USE = """
import sys, threading
from pathlib import Path
from localtune.openweight.load import load_config, load_tokenizer
together, wrong = threading.Barrier(4), []
def use(load):
    together.wait()
    try:
        load(Path(sys.argv[1]))
    except BaseException as error:
        wrong.append(repr(error))
threads = [threading.Thread(target=use, args=[load]) for load in (load_config, load_tokenizer) * 2]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("; ".join(wrong) or 0)
"""


def test_several_threads_may_be_the_first_to_need_transformers(base: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_USE, str(base)], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
