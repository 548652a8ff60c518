"""The environment of a stack, which `provenfix up` writes into its folder for the commands that talk to it.

Without `--folder` and without such a file the command uses its own environment, which leads to what is deployed.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from functions.local.private_files import make_private, open_private, write_private
from shared.errors import InputError, UsageError

DEFAULT_FOLDER = ".provenfix"
_STACK_FILE = "stack.json"
_LOCK_FILE = "held"


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """While the block runs no other stack runs there: two would deliver the same messages and deploy side by side.

    The system releases the lock with the process, however that ends. Raises InputError if another process holds it.
    """
    make_private(folder)
    with open_private(folder / _LOCK_FILE, "wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder} is in use by another provenfix: stop it, or give another --folder") from None
        yield


@contextmanager
def publish_environment(folder: Path, environment: Mapping[str, str], *, keep: bool) -> Iterator[None]:
    """Writes the file while the block runs; it stays afterwards with `keep`."""
    file = folder / _STACK_FILE
    write_private(file, json.dumps({"environment": dict(environment)}, indent=2) + "\n")
    try:
        yield
    finally:
        if not keep:
            file.unlink(missing_ok=True)


@contextmanager
def override_environ(environment: Mapping[str, str]) -> Iterator[None]:
    """Google's clients read the addresses of emulators from the environment of their own process alone."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def load_named_environment(folder: Path) -> Mapping[str, str]:
    """As `load_environment`. Raises UsageError for a named folder that has no stack.

    A typing error must not lead to what is deployed: `dlq drop --all` would delete messages there.
    """
    if folder != Path(DEFAULT_FOLDER) and not (folder / _STACK_FILE).exists():
        what = "no stack runs in this folder" if folder.is_dir() else "there is no such folder"
        remedy = "name that of `provenfix up`, `watch` or `demo`, or omit --folder to use PROVENFIX_PROJECT"
        raise UsageError(f"--folder {folder}: {what}; {remedy}")
    return load_environment(folder)


def load_environment(folder: Path) -> Mapping[str, str]:
    """What the stack of this folder wrote; empty where there is none."""
    file = folder / _STACK_FILE
    if not file.exists():
        return {}
    try:
        return {str(name): str(value) for name, value in json.loads(file.read_text("utf-8"))["environment"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: not a file of `provenfix up` ({error}); delete it") from error
