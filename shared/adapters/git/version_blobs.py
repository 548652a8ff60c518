"""The blobs of a path-limited walk, read for all of its commits when the first of them is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

Location = tuple[str, str]
"""A commit, and a path in it."""


class WalkedBlobs:
    """Of the commits and paths of one walk. A caller that only wants to know which commits it met reads none."""

    def __init__(
        self, commits: Sequence[str], paths: Sequence[str], read: Callable[[Iterator[Location]], Mapping[Location, str]]
    ) -> None:
        self.paths = tuple(paths)
        self._commits = commits
        self._read = read

    @cached_property
    def blobs(self) -> Mapping[Location, str]:
        """The blob at each location at which there is a file."""
        return self._read((commit, path) for commit in self._commits for path in self.paths)


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
