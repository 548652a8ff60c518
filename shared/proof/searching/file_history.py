"""One file through the commits after a deployed one: its contents at each, under every name it was given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.proof.model.history import Branch, Commit, FileVersion
from shared.proof.model.ports import History
from shared.proof.model.python_names import is_loaded_like, is_python_name
from shared.proof.model.search import descendants
from shared.proof.model.similarity import best_match

_MOST_NAMES = 20
"""A file that was renamed more often than this is followed no further."""

_MOST_COMPARED = 400
"""Files of one commit that are read to find a renamed one."""

Blobs = Mapping[str, str]
"""Path to blob id, for those of a file's names that exist at a commit."""


Vanished = tuple[str, str, str]
"""A commit, the parent that still had the file, and the name under which it had it."""

Fails = Callable[[str, str], bool]
"""Whether a blob fails to compile; its path is what the compiler is told."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The other name of a file; None where it has none."""

    path: str | None
    is_unknown: bool = False
    """True where it may have one: the contents by which it would be known are not in this copy."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What became of a file after `start`."""

    start: str
    names: tuple[str, ...]
    commits: Sequence[Commit]
    """All commits that the branch has and `start` has not, children before parents."""
    after: frozenset[str]
    """Those of them that descend from `start`."""
    at: Mapping[str, Blobs]
    """For `start` and for each commit of `after`."""
    versions: Sequence[Commit]
    """Those of `after` that changed the file, children before parents."""
    lost: bool = False
    """True where the file vanished, and whether it was deleted or renamed cannot be told."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a file is followed from. `graph` may hold its path-limited graph, to save a walk."""

    commit: str
    path: str
    graph: Sequence[FileVersion] = ()


def follow(history: History, fails: Fails, begin: Start, branch: Branch) -> Lineage:
    """Follows a file from a commit to the branch's head.

    Where it vanished after it had been mended, its new name is of no interest: what breaks there is another break.
    """
    start, names = begin.commit, [begin.path]
    commits = history.commits(branch.head, start)
    after = descendants(start, commits)
    graph = begin.graph or (history.versions(names, [branch.head], [start]) if after else ())
    asked: dict[Vanished, Counterpart] = {}
    while True:
        at = _states(history, start, names, [each for each in commits if each.id in after], graph)
        renamed = _renamed_to(history, at, commits, fails, asked)
        new = [name for name in dict.fromkeys(renamed) if name not in names]
        if not new or len(names) >= _MOST_NAMES:
            break
        names += new
        graph = history.versions(names, [branch.head], [start])
    touched = {version.commit.id for version in graph}
    versions = [each for each in commits if each.id in after and each.id in touched and _changed(each, at)]
    lost = any(each.is_unknown for each in asked.values())
    return Lineage(start, tuple(names), commits, after, at, versions, lost)


def _changed(commit: Commit, at: Mapping[str, Blobs]) -> bool:
    """Whether a commit made a version that none of its parents had."""
    return all(at[commit.id] != at.get(parent) for parent in commit.parents)


def _states(
    history: History, start: str, names: Sequence[str], after: Sequence[Commit], graph: Sequence[FileVersion]
) -> dict[str, Blobs]:
    """The contents at each commit. A commit outside the graph has what its parents have, where these agree.

    The graph may be that of a search among files of one name; the others are no names of this file.
    """
    wanted = frozenset(names)
    touched = {
        version.commit.id: {name: blob for name, blob in version.blobs.items() if name in wanted} for version in graph
    }
    at: dict[str, Blobs] = {start: _look_up(history, start, names)}
    for commit in reversed(after):
        inherited = [at.get(parent) for parent in commit.parents]
        if commit.id in touched:
            at[commit.id] = touched[commit.id]
        elif inherited[0] is not None and all(each == inherited[0] for each in inherited):
            at[commit.id] = inherited[0]
        else:
            at[commit.id] = _look_up(history, commit.id, names)
    return at


def _look_up(history: History, commit: str, names: Sequence[str]) -> Blobs:
    found = history.blobs((commit, name) for name in names)
    return {name: blob for (_, name), blob in found.items()}


def _renamed_to(
    history: History,
    at: Mapping[str, Blobs],
    commits: Sequence[Commit],
    fails: Fails,
    asked: dict[Vanished, Counterpart],
) -> list[str]:
    """The new names that the file was given where one of its names vanished while it failed; each is asked once."""
    found: list[str] = []
    for commit in commits:
        if commit.id not in at:
            continue
        for parent in commit.parents:
            for name, blob in at.get(parent, {}).items():
                gone = (commit.id, parent, name)
                if name in at[commit.id] or gone in asked or not fails(blob, name):
                    continue
                asked[gone] = counterpart(history, name, blob, appeared_in=commit.id, not_in=parent)
                renamed = asked[gone].path
                found += [renamed] if renamed else []
    return found


def counterpart(history: History, path: str, blob: str, *, appeared_in: str, not_in: str) -> Counterpart:
    """The path that holds (nearly) the contents of `blob` in one commit and does not exist in another.

    Finds the new name of a file that vanished from `path`, or, with the commits exchanged, the old name of one that
    appeared there. Of several copies the one that kept the file name is taken. A name under which Python would not
    look for the file is none: `app.py` that became `app.py.disabled` is gone.
    """
    there, missing = history.tree(appeared_in), history.tree(not_in)
    fresh = {
        other: entry.blob for other, entry in there.items() if other not in missing and is_loaded_like(other, path)
    }
    exact = {other: b"" for other, held in fresh.items() if held == blob}
    if exact:
        return Counterpart(best_match(path, b"", exact))
    python = [other for other in sorted(fresh) if is_python_name(other)][:_MOST_COMPARED]
    contents = {other: history.read(fresh[other]) for other in python}
    content = history.read(blob) or b""
    found = best_match(path, content, {other: text for other, text in contents.items() if text is not None})
    return Counterpart(found, is_unknown=found is None and None in contents.values())
