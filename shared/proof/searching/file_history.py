"""One file through the commits after a deployed one: its contents at each, under every name it was given."""

import posixpath
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.proof.model.commit_graph import find_descendants
from shared.proof.model.history import Branch, Commit, FileVersion
from shared.proof.model.paths import can_be_loaded_like, is_python_name
from shared.proof.model.ports import History

RENAME_THRESHOLD = 0.5
"""The share of common bytes from which git itself calls it a rename (`git diff -M`, default 50 %)."""


def measure_similarity(old: bytes, new: bytes) -> float:
    """The share of the larger file's bytes that both have, line by line, wherever the lines are: 0.0 to 1.0.

    CRLF counts as LF, as in git: new line ends do not make another file.
    """
    old, new = old.replace(b"\r\n", b"\n"), new.replace(b"\r\n", b"\n")
    larger = max(len(old), len(new))
    if larger == 0:
        return 1.0
    common = Counter(old.splitlines(keepends=True)) & Counter(new.splitlines(keepends=True))
    return sum(len(line) * count for line, count in common.items()) / larger


def find_best_match(path: str, content: bytes, candidates: Mapping[str, bytes]) -> str | None:
    """The path among `candidates` that is most similar to `content`, if any is similar enough to be the same file.

    `path` is the other name of that content: of several that are equally similar, the one with its file name is taken.
    """
    name = posixpath.basename(path)
    scored = [
        (measure_similarity(content, other), posixpath.basename(candidate) == name, candidate)
        for candidate, other in sorted(candidates.items())
    ]
    score, _, best = max(scored, key=lambda entry: entry[:2], default=(0.0, False, ""))
    return best if score >= RENAME_THRESHOLD else None


_MAX_NAMES = 20
"""A file that was renamed more often than this is followed no further."""

_MAX_COMPARED = 400
"""Files of one commit that are read to find a renamed one."""

Blobs = Mapping[str, str]
"""Path to blob id, for those of a file's names that exist at a commit."""


VanishedName = tuple[str, str, str]
"""A commit, the parent that still had the file, and the name under which it had it."""

FailsToCompile = Callable[[str, str], bool]
"""Whether a blob fails to compile; its path is what the compiler gets."""


@dataclass(frozen=True, slots=True)
class RenamedFile:
    """The other name of a file; None where it has none."""

    path: str | None
    is_unknown: bool = False
    """True where it may have one: the contents by which it would be known are not in this copy."""


@dataclass(frozen=True, slots=True)
class FileHistory:
    """The versions of a file after `start`."""

    start: str
    names: tuple[str, ...]
    commits: Sequence[Commit]
    """All commits that the branch has and `start` has not, children before parents."""
    later_ids: frozenset[str]
    """Those of them that descend from `start`."""
    blobs_at: Mapping[str, Blobs]
    """For `start` and for each commit of `later_ids`."""
    changing_commits: Sequence[Commit]
    """Those of `later_ids` that changed the file, children before parents."""
    is_lost: bool = False
    """True where the file vanished, and whether it was deleted or renamed is unknown."""


@dataclass(frozen=True, slots=True)
class HistoryStart:
    """Where a file is followed from. `file_versions` may hold its path-limited graph, to save a walk."""

    commit: str
    path: str
    file_versions: Sequence[FileVersion] = ()


def follow_file(
    history: History, fails_to_compile: FailsToCompile, history_start: HistoryStart, branch: Branch
) -> FileHistory:
    """Follows a file from a commit to the branch's head.

    Where it vanished after it was fixed, its new name is of no interest: what breaks there is another break.
    """
    start, names = history_start.commit, [history_start.path]
    commits = history.commits(branch.head, start)
    after = find_descendants(start, commits)
    graph = history_start.file_versions or (history.file_versions(names, [branch.head], [start]) if after else ())
    renames: dict[VanishedName, RenamedFile] = {}
    while True:
        at = read_contents(history, start, names, [commit for commit in commits if commit.id in after], graph)
        renamed = _find_new_names(history, at, commits, fails_to_compile, renames)
        new = [name for name in dict.fromkeys(renamed) if name not in names]
        if not new or len(names) >= _MAX_NAMES:
            break
        names += new
        graph = history.file_versions(names, [branch.head], [start])
    touched = {version.commit.id for version in graph}
    versions = [commit for commit in commits if commit.id in after and commit.id in touched and _is_changed(commit, at)]
    lost = any(renamed.is_unknown for renamed in renames.values())
    return FileHistory(start, tuple(names), commits, after, at, versions, lost)


def _is_changed(commit: Commit, blobs_at: Mapping[str, Blobs]) -> bool:
    """Whether a commit made a version that none of its parents had."""
    return all(blobs_at[commit.id] != blobs_at.get(parent) for parent in commit.parents)


def read_contents(
    history: History, start: str, names: Sequence[str], after: Sequence[Commit], file_versions: Sequence[FileVersion]
) -> dict[str, Blobs]:
    """The contents at each commit. A commit outside the graph has what its parents have, where these agree.

    The graph may be that of a search among files of one name; the others are no names of this file.
    """
    followed = frozenset(names)
    touched = {
        version.commit.id: {name: blob for name, blob in version.blobs.items() if name in followed}
        for version in file_versions
    }
    at: dict[str, Blobs] = {start: _find_blobs(history, start, names)}
    for commit in reversed(after):
        inherited = [at.get(parent) for parent in commit.parents]
        if commit.id in touched:
            at[commit.id] = touched[commit.id]
        elif inherited[0] is not None and all(blobs == inherited[0] for blobs in inherited):
            at[commit.id] = inherited[0]
        else:
            at[commit.id] = _find_blobs(history, commit.id, names)
    return at


def _find_blobs(history: History, commit: str, names: Sequence[str]) -> Blobs:
    blobs = history.blob_ids((commit, name) for name in names)
    return {name: blob for (_, name), blob in blobs.items()}


def _find_new_names(
    history: History,
    blobs_at: Mapping[str, Blobs],
    commits: Sequence[Commit],
    fails_to_compile: FailsToCompile,
    renames: dict[VanishedName, RenamedFile],
) -> list[str]:
    """The new names that the file was given where one of its names vanished while it failed; each is asked once."""
    paths: list[str] = []
    for commit in commits:
        if commit.id not in blobs_at:
            continue
        for parent in commit.parents:
            for name, blob in blobs_at.get(parent, {}).items():
                gone = (commit.id, parent, name)
                if name in blobs_at[commit.id] or gone in renames or not fails_to_compile(blob, name):
                    continue
                renames[gone] = find_renamed_file(history, name, blob, appeared_in=commit.id, not_in=parent)
                renamed = renames[gone].path
                paths += [renamed] if renamed else []
    return paths


def find_renamed_file(history: History, path: str, blob: str, *, appeared_in: str, not_in: str) -> RenamedFile:
    """The path that holds (nearly) the contents of `blob` in one commit and does not exist in another.

    Finds the new name of a file that vanished from `path`, or, with the commits exchanged, the old name of one that
    appeared there. Of several copies the one that kept the file name is taken. A name under which Python would not
    look for the file is none: `app.py` that became `app.py.disabled` is gone.
    """
    appeared, missing = history.tree(appeared_in), history.tree(not_in)
    fresh = {
        other: entry.blob
        for other, entry in appeared.items()
        if other not in missing and can_be_loaded_like(other, path)
    }
    exact = {other: b"" for other, held in fresh.items() if held == blob}
    if exact:
        return RenamedFile(find_best_match(path, b"", exact))
    python = [other for other in sorted(fresh) if is_python_name(other)][:_MAX_COMPARED]
    contents = {other: history.read(fresh[other]) for other in python}
    content = history.read(blob) or b""
    renamed = find_best_match(path, content, {other: text for other, text in contents.items() if text is not None})
    return RenamedFile(renamed, is_unknown=renamed is None and None in contents.values())
