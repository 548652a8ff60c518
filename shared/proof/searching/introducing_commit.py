"""Goes back from the deployed version to the commit after which the file no longer compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.matching import made_versions
from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.ports import History
from shared.proof.model.search import ancestors, descendants, first_failing
from shared.proof.searching.file_history import counterpart


@dataclass(frozen=True, slots=True)
class Version:
    """A file as one commit left it."""

    commit: Commit
    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the break came from."""

    first: Version
    """The oldest failing version that could be reached."""
    later: tuple[Version, ...]
    """Versions after it, up to the deployed one, that still fail; oldest first."""
    cut: bool
    """True where this copy does not show what was there before `first`: whether that broke the file is open."""
    arrived: bool = False
    """True where there was no such file before, under no name: it was broken from the start."""


def trace(
    history: History, verdicts: Verdicts, deployed: str, path: str, graph: Sequence[FileVersion] = ()
) -> Origin | None:
    """Follows the failure of `path` at `deployed` back through merges and renames.

    `graph` may hold the path-limited graph of the file, to save a walk. None where the file has no history at all.
    """
    graph = graph or history.versions([path], [deployed])
    if not graph:
        return None
    blobs = {version.commit.id: version.blobs.get(path) for version in graph}
    parents = {version.commit.id: version.commit.parents for version in graph}
    start = deployed if deployed in blobs else graph[0].commit.id
    first = first_failing(
        start,
        parents,
        lambda commit: True if (blob := blobs.get(commit)) is None else verdicts.of(blob, path).ok,
        lambda parent, commit: blobs.get(parent) == blobs.get(commit),
    )
    by_id = {version.commit.id: version.commit for version in graph}
    scope = ancestors([start], parents) & descendants(first, list(by_id.values()))
    later = tuple(
        Version(version.commit, path, version.blobs[path])
        for version in reversed(list(made_versions(graph, path)))
        if version.commit.id in scope and verdicts.of(version.blobs[path], path).ok is False
    )
    here = Version(by_id[first], path, blobs[first] or "")
    before = [blob for parent in parents[first] if (blob := blobs.get(parent)) is not None]
    if first in history.boundary() or any(verdicts.of(blob, path).ok is None for blob in before):
        return Origin(here, later, cut=True)
    if all(blobs.get(parent) is None for parent in parents[first]):
        return _before_rename(history, verdicts, here, later)
    return Origin(here, later, cut=False)


def _before_rename(history: History, verdicts: Verdicts, here: Version, later: tuple[Version, ...]) -> Origin:
    """The origin of a file that came into being at `here`: under its old name, if it was renamed and failed before."""
    renamed = False
    for parent in history.first_parents(here.commit.id, 1)[0].parents:
        other = counterpart(history, here.path, here.blob, appeared_in=parent, not_in=here.commit.id)
        old = other.path
        blob = history.blobs([(parent, old)]).get((parent, old)) if old else None
        renamed = renamed or blob is not None
        held = verdicts.of(blob, old).ok if old is not None and blob is not None else True
        if other.is_unknown or held is None:
            return Origin(here, later, cut=True)
        if old is None or blob is None or held:
            continue
        further = trace(history, verdicts, parent, old)
        if further is not None:
            moved = () if blob == here.blob else (here,)
            return Origin(further.first, (*further.later, *moved, *later), further.cut, further.arrived)
    return Origin(here, later, cut=False, arrived=not renamed)
