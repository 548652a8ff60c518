"""The files of a checkout as they lie on disk.

In: paths. Out: bytes, and never of a file outside: a link that leads there is as good as absent.
"""

import os
from pathlib import Path

from shared.errors import UsageError


class WorkTree:
    """The checkout that contains the directory `path`; see `find`."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))

    @classmethod
    def find(cls, path: str) -> "WorkTree | None":
        """The checkout around a directory, or None: a bare repository has none."""
        start = Path(os.path.realpath(path))
        for directory in (start, *start.parents):
            if (directory / ".git").exists():
                return cls(directory)
            if directory.name != ".git" and all((directory / part).exists() for part in ("HEAD", "objects", "refs")):
                return None  # a bare repository, which may lie in the checkout of another one
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file by its path from the root; None where there is none inside the checkout."""
        real = Path(os.path.realpath(self.root / path))
        try:
            return real.read_bytes() if real.is_relative_to(self.root) and real.is_file() else None
        except (OSError, ValueError):
            return None

    def path_within(self, argument: str) -> str:
        """An argument of the command line as a path from the root, "" for the root itself. Raises UsageError."""
        try:
            paths = [Path(os.path.realpath(path)) for path in (argument, self.root / argument) if Path(path).exists()]
        except (OSError, ValueError):  # a name that no file can have
            paths = []
        if not paths:
            raise UsageError(f"{argument!r}: there is no such file here or in {self.root}; name one that exists")
        for path in paths:
            if path.is_relative_to(self.root):
                inside = path.relative_to(self.root).as_posix()
                return "" if inside == "." else inside
        raise UsageError(f"{argument!r} lies outside the repository {self.root}; name files inside, or another --repo")
