"""Writes planned commits into a bare git repository with one `git fast-import`, and returns their ids.

Author, dates and contents are all that goes into an id, so the same plans give the same ids on every machine.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

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
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [program, *arguments], input=stream, capture_output=True, env=environment | _GIT_ENVIRONMENT, check=False
    )
    if done.returncode:
        reasons = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
        raise InputError(f"git could not work on the example repository: {reasons[-1]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class CommitSpec:
    """A commit to be written. Numbers name other plans of the same call, counted from 0."""

    subject: str
    committed_at: datetime
    author: str
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    """New content by path, None for a deletion; whatever is left out stays as the first parent has it."""
    parents: tuple[int, ...] | None = None
    """None: the plan before this one (for the first plan: `onto`, else no parent)."""


def create_repository(path: Path, branch: str = "main") -> None:
    """Makes an empty bare repository whose HEAD is `branch`."""
    run_git(["init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path)])


def write_repository(path: Path, commits: Sequence[CommitSpec]) -> tuple[str, ...]:
    """Makes the repository and writes the plans to its branch `main`."""
    create_repository(path)
    return append_commits(path, commits)


def append_commits(
    path: Path, commits: Sequence[CommitSpec], *, branch: str = "main", onto: str | None = None
) -> tuple[str, ...]:
    """Appends the plans to `branch` and returns their commit ids in order. `onto` is an id in the repository."""
    marks = path / "provenfix-marks"
    stream = b"".join(_build_stream(commits, f"refs/heads/{branch}", onto))
    git = [f"--git-dir={path}", "-c", "core.fsync=none"]  # an example need not outlive a power cut
    run_git([*git, "fast-import", "--quiet", "--done", f"--export-marks={marks}"], stream)
    ids = dict(line.split(" ", 1) for line in marks.read_text("ascii").splitlines())
    marks.unlink()
    return tuple(ids[f":{number + 1}"] for number in range(len(commits)))


def _build_stream(plans: Iterable[CommitSpec], ref: str, onto: str | None) -> Iterator[bytes]:
    for number, plan in enumerate(plans):
        yield f"commit {ref}\nmark :{number + 1}\n".encode()
        who = f"{plan.author} <{plan.author.split()[0].lower()}@example.org>"
        yield f"author {who} {_format_time(plan)}\ncommitter {who} {_format_time(plan)}\n".encode()
        yield _format_data(plan.subject + "\n")
        yield from _format_parents(plan, number, onto)
        for path, content in plan.files.items():
            yield (
                f"D {path}\n".encode()
                if content is None
                else f"M 100644 inline {path}\n".encode() + _format_data(content)
            )
        yield b"\n"
    yield b"done\n"


def _format_parents(plan: CommitSpec, number: int, onto: str | None) -> Iterator[bytes]:
    if plan.parents is not None:
        names = [f":{parent + 1}" for parent in plan.parents]
    elif number:
        names = [f":{number}"]
    else:
        names = [onto] if onto else []
    for word, name in zip(["from", *["merge"] * len(names)], names, strict=False):
        yield f"{word} {name}\n".encode()


def _format_time(plan: CommitSpec) -> str:
    return f"{int(plan.committed_at.timestamp())} +0000"


def _format_data(content: str | bytes) -> bytes:
    payload = content.encode() if isinstance(content, str) else content
    return b"data %d\n%s\n" % (len(payload), payload)
