"""Command line: `python -m localtune serve | keys | models | export`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from localtune import __version__
from localtune.config import LAUNCHERS, Settings, default_state_dir


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    # A console that knows only the system's code page must not end the service over a character.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    options = parser().parse_args(arguments)
    return options.command(options)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m localtune", description="A local fine-tuning service.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_serve(commands)
    add_keys(commands)
    models = commands.add_parser("models", help="list the models of a state folder")
    models.add_argument("--state", type=absolute, default=None, help="state folder")
    models.set_defaults(command=list_models)
    add_export(commands)
    return top


def add_serve(commands: argparse._SubParsersAction) -> None:
    serve = commands.add_parser("serve", help="run the service")
    serve.add_argument("--host", default=Settings.host, help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=Settings.port, help="0: a free port (default: %(default)s)")
    serve.add_argument("--state", type=absolute, default=None, help="folder of database, files and models")
    serve.add_argument(
        "--base", action="append", default=[], metavar="NAME=SOURCE",
        help="offer an open-weight model: its folder or hub id; may be repeated, or listed in the state folder's bases.json",
    )
    serve.add_argument(
        "--max-model-gb", dest="max_model_bytes", type=gigabytes, metavar="GB",
        help="of open-weight models held in memory for answers (default: as many as there is room for)",
    )
    serve.add_argument("--keys", action="store_true", help="accept only keys made with `keys add`, not sk-local")
    serve.add_argument("--idle-exit", type=float, metavar="MINUTES", help="stop after so long without request or job")
    add_launcher(serve)
    serve.set_defaults(command=run_service)


def add_launcher(serve: argparse.ArgumentParser) -> None:
    group = serve.add_argument_group("where jobs are trained")
    group.add_argument("--launcher", choices=LAUNCHERS, default=Settings.launcher, help="(default: %(default)s)")
    group.add_argument("--processes", type=int, help=f"for one job (default: what FILE says, else {Settings.processes})")
    group.add_argument(
        "--accelerate", type=absolute, metavar="FILE",
        help="a configuration of Accelerate: how open-weight models are spread over the processes (FSDP)",
    )
    group.add_argument("--ray-address", metavar="URL", help="dashboard of the Ray cluster (default: RAY_ADDRESS, else here)")
    group.add_argument("--ray-gpus", type=float, default=Settings.ray_gpus, help="for one job (default: %(default)s)")


def add_export(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser("export", help="write a fine-tuned model to a folder for other programs")
    export.add_argument("model", help="its name, as `models` shows it")
    export.add_argument("folder", type=absolute, help="a new folder; nothing is ever overwritten")
    export.add_argument("--merge", action="store_true", help="whole weights instead of an adapter beside its base")
    export.add_argument("--state", type=absolute, default=None, help="state folder")
    export.add_argument("--key", help="only a model that this API key may ask")
    export.set_defaults(command=export_model)


def add_keys(commands: argparse._SubParsersAction) -> None:
    keys = commands.add_parser("keys", help="add, list or revoke API keys")
    actions = keys.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key with a project of its own and show it, this once")
    add.add_argument("name", help="whose key it is")
    add.set_defaults(command=add_key)
    show = actions.add_parser("list", help="list keys by their first characters")
    show.set_defaults(command=list_keys)
    admin = actions.add_parser("admin", help="make an admin key that shares a project's checkpoints, and show it")
    admin.add_argument("project", nargs="?", default="proj_local", help="a project of `list` (default: %(default)s)")
    admin.set_defaults(command=add_admin_key)
    revoke = actions.add_parser("revoke", help="make a key invalid")
    revoke.add_argument("prefix", help="the key's first characters, as `list` shows them")
    revoke.set_defaults(command=revoke_key)
    for action in (add, show, admin, revoke):
        action.add_argument("--state", type=absolute, default=None, help="state folder")


def absolute(text: str) -> Path:
    return Path(text).expanduser().resolve()


def gigabytes(text: str) -> int:
    """Bytes of an amount like 2.5; raises ValueError."""
    amount = float(text)
    if not 0 < amount < 1e6:
        raise argparse.ArgumentTypeError(f"{text} gigabytes make no sense")
    return int(amount * 1e9)


def run_service(options: argparse.Namespace) -> int:
    from localtune.openweight.accelerate_file import read_sharding
    from localtune.serve import open_bases, serve

    state = options.state or default_state_dir()
    try:
        sharding = read_sharding(options.accelerate) if options.accelerate else None
        usual = sharding.processes if sharding else Settings.processes
        settings = Settings(
            state=state, host=options.host, port=options.port, own_keys_only=options.keys,
            idle_exit_minutes=options.idle_exit, max_model_bytes=options.max_model_bytes,
            open_bases=open_bases(state, options.base), launcher=options.launcher,
            processes=usual if options.processes is None else options.processes, sharding=sharding,
            ray_address=options.ray_address, ray_gpus=options.ray_gpus,
        )
        settings.check_host()
        return serve(settings)
    except (ValueError, OSError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2


def add_key(options: argparse.Namespace) -> int:
    print(open_store(options).keys.add(options.name))
    return 0


def add_admin_key(options: argparse.Namespace) -> int:
    from localtune.store.permissions import UnknownProject

    try:
        print(open_store(options).permissions.add_admin_key(options.project))
    except UnknownProject as error:
        print(f"there is no project {error}", file=sys.stderr)
        return 1
    return 0


def list_keys(options: argparse.Namespace) -> int:
    store = open_store(options)
    for row in store.keys.list():
        print(f"{row['prefix']}…  {row['project']}  {row['name']}")
    for row in store.permissions.admin_keys():
        print(f"{row['prefix']}…  {row['project']}  admin key")
    return 0


def revoke_key(options: argparse.Namespace) -> int:
    from localtune.store.permissions import ADMIN_PREFIX

    store = open_store(options)
    admin = options.prefix.startswith(ADMIN_PREFIX)
    matching = store.permissions.revoke_admin_key(options.prefix) if admin else store.keys.revoke(options.prefix)
    if matching != 1:
        print(f"{matching} keys start with {options.prefix}; nothing revoked", file=sys.stderr)
    return 0 if matching == 1 else 1


def list_models(options: argparse.Namespace) -> int:
    for row in open_store(options).models.list_all():
        print(f"{row['name']}  {row['project']}  {row['folder']}")
    return 0


def export_model(options: argparse.Namespace) -> int:
    from localtune.openweight.export import export
    from localtune.train.errors import JobError

    state = options.state or default_state_dir()
    row = named_model(open_store(options), options.model, options.key)
    if row is None:
        print(f"there is no model {options.model} here; `python -m localtune models` lists them", file=sys.stderr)
        return 1
    try:
        written = export(state / row["folder"], options.folder, options.merge)
    except (JobError, OSError) as error:
        print(f"not exported: {error}", file=sys.stderr)
        return 1
    print(f"{options.folder}: {written}")
    return 0


def named_model(store, name: str, key: str | None):
    """The row of a model; with a key only if that may ask the model."""
    if key is not None:
        owner = store.keys.find(key)
        return store.models.visible(owner.project, name) if owner else None
    return next((row for row in store.models.list_all() if row["name"] == name), None)


def open_store(options: argparse.Namespace):
    from localtune.store import Store

    return Store(options.state or default_state_dir())


if __name__ == "__main__":
    sys.exit(main())
