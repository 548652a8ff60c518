"""Runs git without trusting the repository: in goes a path, out come bytes; no hook, filter, config or network.

All questions but two are asked in a scratch repository that borrows the object store (GIT_OBJECT_DIRECTORY), so that
the configuration of the repository under investigation is never in force: no promisor remote to fetch from, no
fsmonitor, no signature program, no replaced objects. The two are `rev-parse` (where is it?) and `for-each-ref`.
"""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from shared.errors import InputError, UsageError
from shared.text.escaping import truncate

_NULL_DEVICE = os.devnull
MAX_QUOTE_LENGTH = 200
MAX_PATH_LENGTH = 4096


def build_environment(**extra: str) -> dict[str, str]:
    """The whole environment of every git process: nothing of the caller's but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": _NULL_DEVICE,
        "GIT_CONFIG_GLOBAL": _NULL_DEVICE,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **extra,
    }


def find_git() -> str:
    """Where git is. Raises InputError where it is not installed."""
    path = shutil.which("git")
    if path is None:
        raise InputError("git was not found on PATH: install git 2.31 or newer")
    return path


class GitError(InputError):
    """A git process ended with an error; the text is what it printed."""


# Own plumbing: pygit2 and dulwich read a repository under its own configuration, which must never be in force here, and
# only git itself reads every form of one (partial, shallow, borrowed objects).
class Git:
    """Starts git processes with fixed leading arguments and environment, and counts them.

    `name` is what the user calls the repository.
    """

    def __init__(self, name: str, leading: Sequence[str], extra: dict[str, str]) -> None:
        self.name = name
        self._command = [find_git(), *leading]
        self._environment = build_environment(**extra)
        self.processes_started = 0

    def run(self, *arguments: str) -> bytes:
        """Standard output of one git process. Raises GitFailed with what it complained of."""
        self.processes_started += 1
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            message = " ".join(done.stderr.decode("utf-8", "replace").split())
            message = re.sub(r"^(?:fatal|error): ", "", message) or f"git {arguments[0]} ended with {done.returncode}"
            raise GitError(truncate(message, MAX_QUOTE_LENGTH))
        return done.stdout

    def start(self, *arguments: str) -> "GitPipe":
        """A git process that is asked many times over a pipe."""
        self.processes_started += 1
        return GitPipe(self.name, [*self._command, *arguments], self._environment)


class GitPipe:
    """One running git process: write requests, read answers, close."""

    def __init__(self, name: str, command: Sequence[str], env: dict[str, str]) -> None:
        self._name = name
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
            raise self._damaged_repository() from error

    def read_line(self) -> bytes:
        """The next line of the answer, without its end."""
        line = self._answer.readline()
        if not line.endswith(b"\n"):
            raise self._damaged_repository()
        return line[:-1]

    def read_bytes(self, size: int) -> bytes:
        """The next `size` bytes of the answer."""
        taken = self._answer.read(size)
        if len(taken) < size:
            raise self._damaged_repository()
        return taken

    def close(self) -> None:
        """Ends the process: it stops by itself when its input ends."""
        with suppress(BrokenPipeError):  # it was gone already, with a request still in our buffer
            self._ask.close()
        self._answer.close()
        self._process.wait()

    def _damaged_repository(self) -> GitError:
        return GitError(f"{self._name}: git could not read on, its objects seem to be damaged; run git fsck there")


def locate_repository(path: str, git: Git) -> dict[str, str]:
    """Where the parts of the repository at `path` are: git_dir, objects, shallow, format. Raises InputError."""
    _require_directory(path)
    try:
        answers = _ask_rev_parse(git, path)
    except GitError as error:
        said = str(error).removeprefix("not a git repository (or any of the parent directories): .git")
        why = f" ({said})" if said else ""
        raise InputError(f"{path}: not a git repository{why}; --repo takes a work tree or a bare one") from error
    return dict(zip(_REV_PARSE_OPTIONS, map(os.fsdecode, answers), strict=True))


_REV_PARSE_OPTIONS = {
    "git_dir": ["--absolute-git-dir"],
    "objects": ["--git-path", "objects"],
    "shallow": ["--git-path", "shallow"],
    "format": ["--show-object-format"],
}


def _ask_rev_parse(git: Git, path: str) -> list[bytes]:
    """The answers to all questions; one at a time only where a path holds line ends, which separate answers."""
    ask = ["-C", path, "rev-parse", "--path-format=absolute"]
    answers = git.run(*ask, *(word for question in _REV_PARSE_OPTIONS.values() for word in question)).split(b"\n")[:-1]
    if len(answers) == len(_REV_PARSE_OPTIONS):
        return answers
    return [git.run(*ask, *question)[:-1] for question in _REV_PARSE_OPTIONS.values()]


def _require_directory(path: str) -> None:
    takes = "--repo takes a work tree or a bare repository"
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{path}: no such directory; {takes}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{truncate(path, MAX_QUOTE_LENGTH)}: cannot be read ({reason}); {takes}") from error
    if not path or not stat.S_ISDIR(mode):
        raise InputError(f"{path or repr(path)}: not a directory; {takes}")


def check_revision_name(name: str, what: str) -> None:
    """Refuses what the line-based conversation with git cannot carry, or what needs more than refs and commits.

    Git ends where it is asked for a reflog (`@{1}`) that is not there, or for a path outside a work tree (`main:./x`).
    """
    if not name or re.search(r"[\x00-\x1f\x7f:]|@\{", name):
        shown = repr(truncate(name, MAX_QUOTE_LENGTH))
        raise UsageError(f"{what} {shown} cannot be the name of a commit; name a branch, a tag or a commit id")


def can_name_file(path: str) -> bool:
    """Whether a path could be that of a file: it fits on a line and into an argument, has bytes, and leads down only.

    Logs and trees may hold any name. Git's own limit for a path is 4096 bytes; lone surrogates that stand for no byte
    come from escapes in JSON.
    """
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    down = not {b"", b".", b".."}.intersection(raw.split(b"/"))
    return down and len(raw) <= MAX_PATH_LENGTH and b"\n" not in raw and b"\0" not in raw
