"""Git objects by id, through one `git cat-file --batch` and one `--batch-check`, whatever the number of requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.local.git_process import Conversation, Git
from shared.domain.history import TreeEntry

_CHUNK = 64
"""Requests in flight: their answers stay far below a pipe's 64 KiB, so neither side ever blocks the other."""

_TREE = b"40000"
_REGULAR = (b"100644", b"100755", b"100664")


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One line of a tree object."""

    mode: bytes
    name: bytes
    id: str


class Objects:
    """Reads the object store of one repository. Ids are hex; `None` means that the copy does not hold the object."""

    def __init__(self, git: Git, id_bytes: int) -> None:
        self._git = git
        self._id_bytes = id_bytes
        self._trees: dict[str, tuple[RawEntry, ...] | None] = {}
        self._flat: dict[str, tuple[tuple[str, str], ...]] = {}
        self.absent_trees: set[str] = set()
        self.bytes_read = 0

    @cached_property
    def _batch(self) -> Conversation:
        return self._git.start("cat-file", "--batch")

    @cached_property
    def _check(self) -> Conversation:
        return self._git.start("cat-file", "--batch-check=%(objectname) %(objecttype)")

    def close(self) -> None:
        """Ends the processes that were started."""
        for name in ("_batch", "_check"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def resolve(self, names: Sequence[str]) -> list[tuple[str, str] | None]:
        """(id, type) for each extended object name, such as `main^{commit}` or `commit:path`; None for no object."""
        found: list[tuple[str, str] | None] = []
        for start in range(0, len(names), _CHUNK):
            chunk = names[start : start + _CHUNK]
            self._check.send(b"".join(name.encode("utf-8", "surrogateescape") + b"\n" for name in chunk))
            found += [self._resolved(self._check.line()) for _ in chunk]
        return found

    @staticmethod
    def _resolved(line: bytes) -> tuple[str, str] | None:
        oid, _, kind = line.partition(b" ")
        return (oid.decode(), kind.decode()) if kind in (b"blob", b"tree", b"commit", b"tag") else None

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """(type, bytes) of an object."""
        self._batch.send(oid.encode() + b"\n")
        _, kind, *size = self._batch.line().split(b" ")
        if not size:  # `<id> missing`
            return None
        content = self._batch.take(int(size[0]))
        self._batch.take(1)
        self.bytes_read += len(content)
        return kind.decode(), content

    def entries(self, tree: str) -> tuple[RawEntry, ...] | None:
        """The lines of a tree object."""
        if tree not in self._trees:
            got = self.read(tree)
            if got is None or got[0] != "tree":
                self.absent_trees.add(tree)
                self._trees[tree] = None
            else:
                self._trees[tree] = tuple(self._parsed(got[1]))
        return self._trees[tree]

    def _parsed(self, content: bytes) -> Iterator[RawEntry]:
        at = 0
        while at < len(content):
            space = content.index(b" ", at)
            end = content.index(b"\0", space)
            after = end + 1 + self._id_bytes
            yield RawEntry(content[at:space], content[space + 1 : end], content[end + 1 : after].hex())
            at = after

    def files(self, tree: str) -> Mapping[str, TreeEntry]:
        """All regular files below a tree, by path; names that are not UTF-8 keep their bytes as surrogates."""
        return {path: TreeEntry(path, blob) for path, blob in self._below(tree)}

    def _below(self, tree: str) -> tuple[tuple[str, str], ...]:
        if tree in self._flat:
            return self._flat[tree]
        found: list[tuple[str, str]] = []
        for entry in self.entries(tree) or ():
            name = entry.name.decode("utf-8", "surrogateescape")
            if entry.mode == _TREE:
                found += [(f"{name}/{path}", blob) for path, blob in self._below(entry.id)]
            elif entry.mode in _REGULAR:
                found.append((name, entry.id))
        self._flat[tree] = tuple(found)
        return self._flat[tree]

    def entry_at(self, tree: str, path: str) -> RawEntry | None:
        """What lies at a path below a tree, read from tree objects alone: works where blobs are missing."""
        here = RawEntry(_TREE, b"", tree)
        for part in path.encode("utf-8", "surrogateescape").split(b"/"):
            if here.mode != _TREE:
                return None
            found = next((entry for entry in self.entries(here.id) or () if entry.name == part), None)
            if found is None:
                return None
            here = found
        return here
