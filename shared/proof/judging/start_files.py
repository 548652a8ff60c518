"""Finds the files that a repository starts by their path: they are judged otherwise than imported files.

Of the given files it returns those that a start command runs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from shared.proof.loading.import_closure import find_import_closure
from shared.proof.model.compilation import Source

_MAX_ASKED = 8
"""Files for each of which the images are read."""


class _ListedTree:
    """Implements `shared.proof.loading.commit_tree.SourceTree` for a list of paths."""

    def __init__(self, paths: Collection[str], read: Callable[[str], bytes | None]) -> None:
        self._paths = frozenset(paths)
        self._read = read
        self._folders: dict[str, dict[str, str]] = {"": {}}
        for path in paths:
            *folders, name = path.split("/")
            at = ""
            for folder in folders:
                self._folders.setdefault(at, {})[folder] = "folder"
                at = f"{at}/{folder}" if at else folder
            self._folders.setdefault(at, {})[name] = "file"

    def blob(self, path: str) -> str | None:
        return path if path in self._paths else None

    def folder(self, path: str) -> Mapping[str, str] | None:
        return self._folders.get(path)

    def read(self, path: str) -> bytes | None:
        return self._read(path) if path in self._paths else None


def find_start_files(
    sources: Sequence[Source], paths: Collection[str], read: Callable[[str], bytes | None]
) -> frozenset[str]:
    """Of the sources for which it matters, those that are started by their path."""
    asked = [source.path for source in sources if _is_judged_otherwise(source.content)]
    if not asked:
        return frozenset()
    tree = _ListedTree(paths, read)
    closures = (find_import_closure(tree, path) for path in asked[:_MAX_ASKED])
    return frozenset(path for closure in closures for path in closure.scripts)


def _is_judged_otherwise(content: bytes) -> bool:
    """Whether the bytes are such as `python FILE` may refuse and an import may accept."""
    if b"\0" in content:
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
