"""Writes planned commits into a bare git repository: plans go in, commit ids come out, in one `git fast-import`.

Author, dates and contents are all that goes into an id, so the same plans give the same ids on every machine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from functions.demo.git import git


@dataclass(frozen=True, slots=True)
class Planned:
    """A commit to be written. Numbers name other plans of the same call, counted from 0."""

    subject: str
    committed_at: datetime
    author: str
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    """New content by path, None for a deletion; whatever is left out stays as the first parent has it."""
    parents: tuple[int, ...] | None = None
    """None: the plan before this one (for the first plan: `onto`, else no parent)."""


def create(path: Path, branch: str = "main") -> None:
    """Makes an empty bare repository whose HEAD is `branch`."""
    git(["init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path)])


def write_new(path: Path, plans: Sequence[Planned]) -> tuple[str, ...]:
    """Makes the repository and writes the plans to its branch `main`."""
    create(path)
    return write(path, plans)


def write(path: Path, plans: Sequence[Planned], *, branch: str = "main", onto: str | None = None) -> tuple[str, ...]:
    """Appends the plans to `branch` and returns their commit ids in order. `onto` is an id in the repository."""
    marks = path / "provenfix-marks"
    stream = b"".join(_stream(plans, f"refs/heads/{branch}", onto))
    git([f"--git-dir={path}", "fast-import", "--quiet", "--done", f"--export-marks={marks}"], stream)
    ids = dict(line.split(" ", 1) for line in marks.read_text("ascii").splitlines())
    marks.unlink()
    return tuple(ids[f":{number + 1}"] for number in range(len(plans)))


def _stream(plans: Iterable[Planned], ref: str, onto: str | None) -> Iterator[bytes]:
    for number, plan in enumerate(plans):
        yield f"commit {ref}\nmark :{number + 1}\n".encode()
        who = f"{plan.author} <{plan.author.split()[0].lower()}@example.org>"
        yield f"author {who} {_stamp(plan)}\ncommitter {who} {_stamp(plan)}\n".encode()
        yield _data(plan.subject + "\n")
        yield from _parents(plan, number, onto)
        for path, content in plan.files.items():
            yield f"D {path}\n".encode() if content is None else f"M 100644 inline {path}\n".encode() + _data(content)
        yield b"\n"
    yield b"done\n"


def _parents(plan: Planned, number: int, onto: str | None) -> Iterator[bytes]:
    if plan.parents is not None:
        names = [f":{parent + 1}" for parent in plan.parents]
    elif number:
        names = [f":{number}"]
    else:
        names = [onto] if onto else []
    for word, name in zip(["from", *["merge"] * len(names)], names, strict=False):
        yield f"{word} {name}\n".encode()


def _stamp(plan: Planned) -> str:
    return f"{int(plan.committed_at.timestamp())} +0000"


def _data(content: str | bytes) -> bytes:
    payload = content.encode() if isinstance(content, str) else content
    return b"data %d\n%s\n" % (len(payload), payload)
