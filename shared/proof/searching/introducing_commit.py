"""Goes back from the deployed version to the commit after which the file no longer compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.matching import find_changed_versions
from shared.proof.model.commit_graph import find_ancestors, find_descendants, find_first_failing
from shared.proof.model.finding import PythonChange
from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.ports import History
from shared.proof.searching.file_history import find_renamed_file


@dataclass(frozen=True, slots=True)
class FileAtCommit:
    """A file as one commit left it."""

    commit: Commit
    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class BreakOrigin:
    """Where the break came from."""

    first_failing: FileAtCommit
    """The oldest failing version that could be reached."""
    later_failing: tuple[FileAtCommit, ...]
    """Versions after it, up to the deployed one, that still fail; oldest first."""
    is_incomplete: bool
    """True where this copy does not show what was there before `first_failing`: whether that broke the file is open."""
    was_added_broken: bool = False
    """True where there was no such file before, under no name: it was broken from the start."""
    python_change: PythonChange | None = None
    """Where the file itself is as it was, and the Python of the image is not."""


def trace_break(
    history: History,
    verdicts: CompileVerdicts,
    deployed_commit: str,
    path: str,
    file_versions: Sequence[FileVersion] = (),
) -> BreakOrigin | None:
    """Follows the failure of `path` at `deployed_commit` back through merges and renames.

    `file_versions` may hold the path-limited graph of the file, to save a walk. None where the file has no history.
    """
    file_versions = file_versions or history.file_versions([path], [deployed_commit])
    if not file_versions:
        return None
    blobs = {version.commit.id: version.blobs.get(path) for version in file_versions}
    parents = {version.commit.id: version.commit.parents for version in file_versions}
    start = deployed_commit if deployed_commit in blobs else file_versions[0].commit.id
    first = find_first_failing(
        start,
        parents,
        lambda commit: True if (blob := blobs.get(commit)) is None else verdicts.judge(blob, path).compiles,
        lambda parent, commit: blobs.get(parent) == blobs.get(commit),
    )
    by_id = {version.commit.id: version.commit for version in file_versions}
    scope = find_ancestors([start], parents) & find_descendants(first, list(by_id.values()))
    later = tuple(
        FileAtCommit(version.commit, path, version.blobs[path])
        for version in reversed(list(find_changed_versions(file_versions, path)))
        if version.commit.id in scope and verdicts.judge(version.blobs[path], path).compiles is False
    )
    first_version = FileAtCommit(by_id[first], path, blobs[first] or "")
    before = [blob for parent in parents[first] if (blob := blobs.get(parent)) is not None]
    if first in history.shallow_boundary() or any(verdicts.judge(blob, path).compiles is None for blob in before):
        return BreakOrigin(first_version, later, is_incomplete=True)
    if all(blobs.get(parent) is None for parent in parents[first]):
        return _trace_before_rename(history, verdicts, first_version, later)
    return BreakOrigin(first_version, later, is_incomplete=False)


def _trace_before_rename(
    history: History, verdicts: CompileVerdicts, version: FileAtCommit, later: tuple[FileAtCommit, ...]
) -> BreakOrigin:
    """The origin of a file that came into being at `here`: under its old name, if it was renamed and failed before."""
    renamed = False
    for parent in history.first_parents(version.commit.id, 1)[0].parents:
        other = find_renamed_file(history, version.path, version.blob, appeared_in=parent, not_in=version.commit.id)
        old = other.path
        blob = history.blob_ids([(parent, old)]).get((parent, old)) if old else None
        renamed = renamed or blob is not None
        held = verdicts.judge(blob, old).compiles if old is not None and blob is not None else True
        if other.is_unknown or held is None:
            return BreakOrigin(version, later, is_incomplete=True)
        if old is None or blob is None or held:
            continue
        further = trace_break(history, verdicts, parent, old)
        if further is not None:
            moved = () if blob == version.blob else (version,)
            return BreakOrigin(
                further.first_failing,
                (*further.later_failing, *moved, *later),
                further.is_incomplete,
                further.was_added_broken,
            )
    return BreakOrigin(version, later, is_incomplete=False, was_added_broken=not renamed)
