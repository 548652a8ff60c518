"""Runs git on the example repository: arguments and input go in, its output comes out, settings have no say."""

import os
import shutil
import subprocess

from shared.errors import InputError

# No setting of the machine or its user may change what is written.
_GIT_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_DEFAULT_HASH": "sha1",
    "LC_ALL": "C",
}


def run_git(arguments: list[str], stream: bytes = b"") -> bytes:
    """What git wrote to stdout. Raises `shared.errors.InputError` where it is missing or fails."""
    program = shutil.which("git")
    if program is None:
        raise InputError("git was not found on PATH: install git 2.30 or newer and try again.")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [program, *arguments], input=stream, capture_output=True, env=kept | _GIT_ENVIRONMENT, check=False
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
        raise InputError(f"git could not work on the example repository: {said[-1]}")
    return done.stdout
