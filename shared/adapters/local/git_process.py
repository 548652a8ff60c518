"""Runs git without trusting the repository: in goes a path, out come bytes; no hook, filter, config or network.

All questions but two are asked in a scratch repository that borrows the object store (GIT_OBJECT_DIRECTORY), so that
the configuration of the repository under investigation is never in force: no promisor remote to fetch from, no
fsmonitor, no signature program, no replaced objects. The two are `rev-parse` (where is it?) and `for-each-ref`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from shared.errors import Misused, Unreadable

_NOWHERE = os.devnull


def environment(**extra: str) -> dict[str, str]:
    """The whole environment of every git process: nothing of the caller's but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": _NOWHERE,
        "GIT_CONFIG_GLOBAL": _NOWHERE,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **extra,
    }


def executable() -> str:
    """Where git is. Raises Unreadable where it is not installed."""
    found = shutil.which("git")
    if found is None:
        raise Unreadable("git was not found on PATH: install git 2.31 or newer")
    return found


class GitFailed(Exception):
    """A git process ended with an error; the text is what it printed."""


class Git:
    """Starts git processes with fixed leading arguments and environment, and counts them."""

    def __init__(self, leading: Sequence[str], extra: dict[str, str]) -> None:
        self._command = [executable(), *leading]
        self._environment = environment(**extra)
        self.processes_started = 0

    def run(self, *arguments: str) -> bytes:
        """Standard output of one git process. Raises GitFailed with the first line of what it complained of."""
        self.processes_started += 1
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitFailed(complaint[0] if complaint else f"git {arguments[0]} ended with {done.returncode}")
        return done.stdout

    def start(self, *arguments: str) -> "Conversation":
        """A git process that is asked many times over a pipe."""
        self.processes_started += 1
        return Conversation([*self._command, *arguments], self._environment)


class Conversation:
    """One running git process: write requests, read answers, close."""

    def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._ask = cast("BinaryIO", self._process.stdin)
        self._answer = cast("BinaryIO", self._process.stdout)

    def send(self, request: bytes) -> None:
        """Writes one or more complete requests."""
        try:
            self._ask.write(request)
            self._ask.flush()
        except BrokenPipeError as error:
            raise GitFailed("git ended in the middle of a conversation; the object store may be damaged") from error

    def line(self) -> bytes:
        """The next line of the answer, without its end."""
        line = self._answer.readline()
        if not line.endswith(b"\n"):
            raise GitFailed("git ended in the middle of a conversation; the object store may be damaged")
        return line[:-1]

    def take(self, size: int) -> bytes:
        """The next `size` bytes of the answer."""
        taken = self._answer.read(size)
        if len(taken) < size:
            raise GitFailed("git ended in the middle of a conversation; the object store may be damaged")
        return taken

    def close(self) -> None:
        """Ends the process: it stops by itself when its input ends."""
        self._ask.close()
        self._answer.close()
        self._process.wait()


def locate(path: str) -> dict[str, str]:
    """Where the parts of the repository at `path` are: git_dir, objects, shallow, format. Raises Unreadable."""
    if not Path(path).exists():
        raise Unreadable(f"{path}: no such directory; --repo takes a work tree or a bare repository")
    if not Path(path).is_dir():
        raise Unreadable(f"{path}: not a directory; --repo takes a work tree or a bare repository")
    questions = ["--absolute-git-dir", "--git-path", "objects", "--git-path", "shallow", "--show-object-format"]
    try:
        told = Git(["-C", path, "-c", "safe.directory=*"], {}).run("rev-parse", "--path-format=absolute", *questions)
    except GitFailed as error:
        raise Unreadable(f"{path}: not a git repository ({error}); --repo takes a work tree or a bare one") from error
    lines = os.fsdecode(told).splitlines()
    return dict(zip(("git_dir", "objects", "shallow", "format"), lines, strict=True))


def check_text(name: str, what: str) -> None:
    """Refuses what the line-based conversation with git cannot carry."""
    if not name or re.search(r"[\x00-\x1f\x7f]", name):
        raise Misused(f"{what} {name!r} is empty or holds control characters; name a branch, a tag or a commit")
