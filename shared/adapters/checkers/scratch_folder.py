"""A folder of sources for a checker: from one question to the next only what differs is written.

Nothing but Python sources gets in: no configuration, and no stubs, which Python itself does not read. Comments that
would silence the checker are changed in place, so that lines and columns stay.
"""

import re
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

MAX_FILES = 5_000
MAX_BYTES = 64 << 20
MAX_PATH_LENGTH = 400

_SILENCING = re.compile(rb"#([ \t]*+)(ty|type|pyright|mypy)([ \t]*+):([ \t]*+)ignore")
_INLINE_METADATA = re.compile(rb"^#[ \t]*+///", re.MULTILINE)


class ScratchFolder:
    """`files_written` counts, for tests and the bench. Use as a context manager, or call `close()`."""

    def __init__(self) -> None:
        self.files_written = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._digests: dict[str, bytes] = {}

    @property
    def path(self) -> Path:
        """The folder itself: `tree/` holds the sources, all else is for the checker's settings and answers."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="provenfix-")
            (self.path / "tree").mkdir()
        return Path(self._folder.name)

    @property
    def tree(self) -> Path:
        """Where the sources are."""
        return self.path / "tree"

    def write_files(self, files: Mapping[str, bytes]) -> frozenset[str]:
        """Make the tree hold these files and no others; those that got in. Raises OSError."""
        kept = {path: content for path, content in files.items() if _is_source(path, content)}
        if len(kept) > MAX_FILES or sum(map(len, kept.values())) > MAX_BYTES:
            raise OSError(f"more than {MAX_FILES} files, or {MAX_BYTES >> 20} MiB of them")
        for path in self._digests.keys() - kept.keys():
            self._remove_file(path)
        for path, content in kept.items():
            digest = sha256(content).digest()
            if self._digests.get(path) != digest:
                target = self.tree / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_expose_errors(content))
                self._digests[path] = digest
                self.files_written += 1
        return frozenset(kept)

    def close(self) -> None:
        """Remove the folder; a later question begins with an empty one."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = None
        self._digests.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _remove_file(self, path: str) -> None:
        """Remove a file and the folders that are empty without it: an empty folder is a namespace package, too."""
        del self._digests[path]
        target = self.tree / path
        target.unlink()
        for folder in target.parents:
            if folder == self.tree or any(folder.iterdir()):
                return
            folder.rmdir()


def _is_source(path: str, content: bytes) -> bool:
    """A Python file below the top, as text that every reader reads alike."""
    parts = PurePosixPath(path).parts
    if not path.endswith(".py") or len(path) > MAX_PATH_LENGTH or path.startswith("/") or "\0" in path:
        return False
    if ".." in parts or str(PurePosixPath(path)) != path:
        return False
    try:
        return path.isprintable() and bool(content.decode("utf-8") or True)
    except UnicodeDecodeError:
        return False


def _expose_errors(content: bytes) -> bytes:
    shown = _SILENCING.sub(lambda match: b"#" + b"-" * (len(match[0]) - 1), content)
    return _INLINE_METADATA.sub(lambda match: b"#" + b"-" * (len(match[0]) - 1), shown)
