"""`python -m localtune`, apart from `serve`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from localtune.__main__ import main
from localtune.config import Settings
from localtune.store import Store


def test_keys_are_added_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path)]
    assert main(["keys", "add", "Ana", *state]) == 0
    key = capsys.readouterr().out.strip()
    assert Store(tmp_path).keys.find(key) is not None
    assert main(["keys", "list", *state]) == 0
    listed = capsys.readouterr().out
    assert "Ana" in listed and "sk-local" in listed and key not in listed
    assert main(["keys", "revoke", key[:11], *state]) == 0
    assert Store(tmp_path).keys.find(key) is None
    assert main(["keys", "revoke", "sk-nothing", *state]) == 1


def test_admin_keys_are_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path)]
    assert main(["keys", "admin", *state]) == 0
    key = capsys.readouterr().out.strip()
    assert main(["keys", "list", *state]) == 0
    assert f"{key[:17]}…" in (listed := capsys.readouterr().out) and key not in listed
    assert Store(tmp_path).permissions.admin(key) is not None
    assert main(["keys", "revoke", key[:17], *state]) == 0
    assert Store(tmp_path).permissions.admin(key) is None
    assert main(["keys", "revoke", key[:17], *state]) == 1


def test_models_of_a_fresh_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_light_commands_do_not_load_pytorch(tmp_path: Path) -> None:
    code = (
        "import sys; from localtune.__main__ import main; "
        f"main(['keys', 'list', '--state', {str(tmp_path)!r}]); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("wrong", [{"port": 70_000}, {"idle_exit_minutes": 0}, {"max_running_jobs": 0}, {"max_model_bytes": 0}])
def test_senseless_settings_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        Settings(state=tmp_path, **wrong)


@pytest.mark.parametrize(
    ("host", "allowed"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_the_public_key_is_for_this_machine_alone(tmp_path: Path, host: str, allowed: bool) -> None:
    assert Settings(state=tmp_path, host=host).builtin_key_allowed is allowed
    assert not Settings(state=tmp_path, host=host, own_keys_only=True).builtin_key_allowed
