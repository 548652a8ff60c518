"""Generates a long history: sizes go in; a bare repository and the answers that a search through it must find come out.

One file is touched by few of many commits. It compiles, breaks at some point, is fixed in several attempts, compiles
again, and goes on being changed. Everything is deterministic. The break is one that every Python rejects.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.demo import fast_import
from functions.demo.fast_import import CommitSpec

FILE = "service/engine.py"
_RULES = 48
"""Functions of the file; each edit changes one of them."""
_BROKEN = (9, 17, 26, 34, 43)
"""The functions that the break hits; each attempt fixes the first of those that are left."""
_OTHERS = 40
_AUTHORS = ("Noor Haddad", "Tomas Lind", "Wen Zhao")
_START = datetime(2024, 2, 1, 7, 0, tzinfo=UTC)

_RULE = '''\
def rule_{number}(order, stock, *, limit={limit}):
    """Decides what happens to an order of group {number}."""
    wanted = [line for line in order.lines if line.group == {number}]
    missing = {{line.sku: line.amount - stock[line.sku] for line in wanted if line.amount > stock[line.sku]}}
    if not missing:
        return "ship", {{"lines": len(wanted), "limit": limit}}
    if sum(missing.values()) > limit:
        return "refuse", {{"missing": sorted(missing), "limit": limit}}
    late = max((line.due for line in wanted if line.sku in missing), default=None)
    return {hold}, {{"missing": missing, "due": late.isoformat() if late else None}}


'''

_PART = '''\
"""Part {part} of the service."""

REVISION = {number}


def revision():
    return REVISION
'''


@dataclass(frozen=True, slots=True)
class GeneratedHistory:
    """The repository, and the answers."""

    path: Path
    file: str
    first: str
    """The oldest commit; the file compiles there."""
    introduced: str
    attempts: tuple[str, ...]
    """Commits that fixed some of the errors, oldest first."""
    deployed: str
    """The last attempt."""
    line: int
    """Where the file fails first at `deployed`."""
    fix: str
    head: str
    versions: int
    """How many commits touch the file."""


def generate_history(path: Path, commits: int = 20_000, touching: int = 500) -> GeneratedHistory:
    """Writes the repository: `commits` in all, merges included, `touching` of which change the file."""
    story = _Story(commits, touching)
    ids = fast_import.write_repository(path, list(story.plans()))
    return GeneratedHistory(
        path=path,
        file=FILE,
        first=ids[0],
        introduced=ids[story.edits[story.breaks_at]],
        attempts=tuple(ids[story.edits[edit]] for edit in story.attempts_at),
        deployed=ids[story.edits[story.attempts_at[-1]]],
        line=first_broken_line(len(story.attempts_at)),
        fix=ids[story.edits[story.fixed_at]],
        head=ids[-1],
        versions=touching,
    )


class _Story:
    """Which commit does what. Edits of the file are counted from 0; `edits` gives the commit of each."""

    def __init__(self, commits: int, touching: int) -> None:
        self.commits = commits
        self.touching = touching
        self.edits: list[int] = []
        self.breaks_at = touching * 6 // 10
        self.attempts_at = tuple(self.breaks_at + max(1, touching // 40) * step for step in range(1, len(_BROKEN)))
        self.fixed_at = self.attempts_at[-1] + max(1, touching // 40)

    def plans(self) -> Iterator[CommitSpec]:
        """Every 50 commits a side branch of three is merged; it changes other files only."""
        number, last = 0, 0
        while number < self.commits:
            if number % 50 == 30 and self.commits - number > 6:
                yield from self._side_branch(number, last)
                number, last = number + 5, number + 4
                continue
            yield self._plan(number, self._change(number), (last,) if number else ())
            number, last = number + 1, number

    def _side_branch(self, number: int, fork: int) -> Iterator[CommitSpec]:
        changed: dict[str, str] = {}
        for step in range(3):
            change = _other(number + step)
            changed |= change
            yield self._plan(number + step, change, (fork if step == 0 else number + step - 1,))
        yield self._plan(number + 3, {f"notes/{number % 7}.md": f"Seen at {number}.\n"}, (fork,))
        yield self._plan(number + 4, changed, (number + 3, number + 2))

    def _change(self, number: int) -> Mapping[str, str]:
        due = len(self.edits) * self.commits // self.touching
        if number == 0:
            self.edits.append(0)
            return {FILE: self._text(0)} | {
                path: text for seed in range(_OTHERS) for path, text in _other(seed).items()
            }
        if number >= due and len(self.edits) < self.touching:
            self.edits.append(number)
            return {FILE: self._text(len(self.edits) - 1)}
        return _other(number)

    def _text(self, edit: int) -> str:
        mended = sum(edit >= attempt for attempt in self.attempts_at)
        broken = _BROKEN[mended:] if self.breaks_at <= edit < self.fixed_at else ()
        return engine_source(edit, broken)

    def _plan(self, number: int, files: Mapping[str, str], parents: tuple[int, ...]) -> CommitSpec:
        subject = f"Change {number}: {', '.join(sorted(files)[:2])}"
        return CommitSpec(subject, _START + timedelta(minutes=31 * number), _AUTHORS[number % 3], files, parents)


def engine_source(edit: int, broken: tuple[int, ...]) -> str:
    """The file after so many edits, with these of its functions broken."""
    return '"""Decides what happens to an order."""\n\n\n' + "".join(
        _RULE.format(
            number=number,
            limit=40 + (edit + _RULES - 1 - number) // _RULES,
            hold='"hold' if number in broken else '"hold"',
        )
        for number in range(_RULES)
    )


def first_broken_line(mended: int) -> int:
    """Where the file fails first once so many of the breaks are fixed."""
    lines = engine_source(0, _BROKEN[mended:]).splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith('    return "hold,'))


def _other(number: int) -> Mapping[str, str]:
    """A small file that compiles; its content depends on the number."""
    part = number % _OTHERS
    return {f"service/part_{part:02}.py": _PART.format(part=part, number=number)}


if __name__ == "__main__":
    print(json.dumps(asdict(generate_history(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))), default=str))
