"""Finds the blob at a commit and a path; for a whole walk at once, when the first of its blobs is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from shared.adapters.git.objects import ObjectStore
from shared.adapters.git.process import can_name_file

Location = tuple[str, str]
"""A commit, and a path in it."""

_MAX_LINK_LENGTH = 4096
"""Bytes; no system follows a longer link, so a larger blob is a file."""


class WalkedBlobs:
    """Of the commits and paths of one walk. A caller that only wants to know which commits it met reads none."""

    def __init__(
        self,
        commits: Sequence[str],
        paths: Sequence[str],
        read: Callable[[Iterator[Location]], Mapping[Location, str]],
        known: Mapping[Location, str | None],
    ) -> None:
        """`known`: what the walk itself has found; None where there is no file."""
        self.paths = tuple(paths)
        self._commits = commits
        self._read = read
        self._known = known

    @cached_property
    def blobs(self) -> Mapping[Location, str]:
        """The blob at each location at which there is a file."""
        locations = ((commit, path) for commit in self._commits for path in self.paths)
        read = self._read(location for location in locations if location not in self._known)
        return {**read, **{location: blob for location, blob in self._known.items() if blob is not None}}


class VersionBlobs(Mapping[str, str]):
    """The blobs of one commit by path; those of the paths that it has."""

    def __init__(self, commit: str, walked: WalkedBlobs) -> None:
        self._commit = commit
        self._walked = walked

    @cached_property
    def _present(self) -> Mapping[str, str]:
        blobs, commit = self._walked.blobs, self._commit
        return {path: blobs[commit, path] for path in self._walked.paths if (commit, path) in blobs}

    def __getitem__(self, path: str) -> str:
        return self._present[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._present)

    def __len__(self) -> int:
        return len(self._present)


def find_blob_ids(
    objects: ObjectStore, read: Callable[[str], bytes | None], locations: Iterable[Location]
) -> Mapping[Location, str]:
    """The blob id for each location at which there is a file; a link is none."""
    valid_locations = [(commit, path) for commit, path in locations if can_name_file(path)]
    infos = objects.resolve([f"{commit}:{path}" for commit, path in valid_locations])
    known = {
        location: info
        for location, info in zip(valid_locations, infos, strict=True)
        if info is not None and info.kind == "blob"
    }
    # A link is a blob too, and only the tree distinguishes it from a file. The same contents at a path are looked up
    # once, except for what looks like a link: Windows checks links out, and back in, as files.
    small = {location: info.id for location, info in known.items() if info.size <= _MAX_LINK_LENGTH}
    like_links = frozenset(oid for oid in set(small.values()) if b"\n" not in (read(oid) or b""))
    location_by_key = {
        (location if oid in like_links else location[1], oid): location for location, oid in small.items()
    }
    files = _find_in_trees(objects, location_by_key.values())
    links = {key for key, location in location_by_key.items() if location not in files}
    blobs = {
        location: info.id
        for location, info in known.items()
        if (location, info.id) not in links and (location[1], info.id) not in links
    }
    # "Missing" may mean a file whose contents are not in this copy: a partial clone, or a lost object.
    return {**blobs, **_find_in_trees(objects, (location for location in valid_locations if location not in known))}


def _find_in_trees(objects: ObjectStore, locations: Iterable[Location]) -> Mapping[Location, str]:
    """As `find_blob_ids`, by the trees alone: they name blobs that this copy lacks, and mark links."""
    locations = list(locations)
    tops = objects.resolve([f"{commit}^{{tree}}" for commit, _ in locations])
    entries = {
        location: objects.entry_at(top.id, location[1])
        for location, top in zip(locations, tops, strict=True)
        if top is not None
    }
    return {
        location: entry.id for location, entry in entries.items() if entry is not None and entry.mode.startswith(b"100")
    }
