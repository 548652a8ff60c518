"""Git objects by id, through one `git cat-file --batch` and one `--batch-check`, whatever the number of requests."""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Generic, NamedTuple, TypeVar

from shared.adapters.git.process import Git, GitError, GitPipe
from shared.proof.model.history import Folder, TreeEntry

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Holds values up to `most` in all; what each one weighs is said when it is put in."""

    def __init__(self, max_weight: int) -> None:
        self._max_weight = max_weight
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self.weight = 0

    def get(self, key: Key) -> Value | None:
        """The value, which is then the one that was used last; None where it is not held."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keeps a value; one that alone is too heavy is not kept."""
        if weight > self._max_weight:
            return
        self._drop(key)
        self._entries[key] = (value, weight)
        self.weight += weight
        while self.weight > self._max_weight:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        if key in self._entries:
            self.weight -= self._entries.pop(key)[1]


_PIPE_BYTES = 4096
"""Bytes of answers that may be on their way: no pipe holds less, so git is never blocked while it is being asked."""

_MAX_ANSWER_BYTES = 96
"""Bytes of an answer beyond the name that it repeats, with the longest id and type."""

_MAX_FILES = 1_000_000
_MAX_DEPTH = 500
"""Of one tree. Ten small tree objects that list each other ten times over are ten thousand million files."""

_MAX_CACHED_LINES = 60_000
"""Lines of tree objects that are kept for the next question; a line takes some 300 bytes."""
_MAX_CACHED_BYTES = 8 << 20
"""Blobs that were read, cached for the next reader: a source is read for its imports, then compiled."""

_SHA256_BYTES = 32
_KINDS = (b"blob", b"tree", b"commit", b"tag")
_TREE_MODE = b"40000"
_FILE_MODES = (b"100644", b"100755", b"100664")


class RawTreeEntry(NamedTuple):
    """One line of a tree object."""

    mode: bytes
    name: bytes
    id: str


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object of the store: its id, its type (`blob`, `tree`, `commit`, `tag`), its size in bytes."""

    id: str
    kind: str
    size: int


class ObjectStore:
    """Reads the object store of one repository. Ids are hex; `None` means that the copy does not hold the object."""

    def __init__(self, git: Git, id_bytes: int) -> None:
        self._git = git
        self._id_bytes = id_bytes
        self._hash = partial(hashlib.sha256 if id_bytes == _SHA256_BYTES else hashlib.sha1, usedforsecurity=False)
        self._trees: LruCache[str, tuple[RawTreeEntry, ...]] = LruCache(_MAX_CACHED_LINES)
        self._folders: LruCache[str, Folder] = LruCache(_MAX_CACHED_LINES)
        self._blobs: LruCache[str, bytes] = LruCache(_MAX_CACHED_BYTES)
        self.bytes_read = 0

    @cached_property
    def _contents_process(self) -> GitPipe:
        return self._git.start("cat-file", "--batch")

    @cached_property
    def _info_process(self) -> GitPipe:
        return self._git.start("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)")

    def close(self) -> None:
        """Ends the processes that were started."""
        for name in ("_contents_process", "_info_process"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def resolve(self, names: Sequence[str]) -> list[ObjectInfo | None]:
        """What each extended object name, such as `main^{commit}` or `commit:path`, stands for; None for no object."""
        infos: list[ObjectInfo | None] = []
        for chunk in _split_requests(names):
            self._info_process.send(b"".join(chunk))
            infos += [self._parse_object_info(self._info_process.read_line()) for _ in chunk]
        return infos

    @staticmethod
    def _parse_object_info(line: bytes) -> ObjectInfo | None:
        oid, *fields = line.split(b" ")
        if len(fields) == 2 and fields[0] in _KINDS and fields[1].isdigit():
            return ObjectInfo(oid.decode(), fields[0].decode(), int(fields[1]))
        return None

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """(type, bytes) of an object, which are what its id stands for. Raises InputError where they are not."""
        self._contents_process.send(oid.encode() + b"\n")
        _, kind, *size = self._contents_process.read_line().split(b" ")
        if not size:  # `<id> missing`
            return None
        content = self._contents_process.read_bytes(int(size[0]))
        self._contents_process.read_bytes(1)
        self.bytes_read += len(content)
        # Git does not look when it reads, and a proof rests on these bytes.
        if self._hash(b"%b %d\0%b" % (kind, len(content), content)).hexdigest() != oid:
            raise GitError(f"{self._git.name}: object {oid} is damaged; run git fsck there")
        return kind.decode(), content

    def blob(self, oid: str) -> bytes | None:
        """The bytes of a blob; None where this copy does not hold it, or it is something else."""
        held = self._blobs.get(oid)
        if held is None:
            got = self.read(oid)
            if got is None or got[0] != "blob":
                return None
            held = got[1]
            self._blobs.put(oid, held, len(held) + 1)
        return held

    def entries(self, tree: str) -> tuple[RawTreeEntry, ...] | None:
        """The lines of a tree object; None where this copy does not hold it. Raises InputError for a damaged one."""
        held = self._trees.get(tree)
        if held is None:
            got = self.read(tree)
            if got is None or got[0] != "tree":
                return None
            held = tuple(self._parse_tree(tree, got[1]))
            self._trees.put(tree, held, len(held) + 1)
        return held

    def folder(self, tree: str) -> Folder | None:
        """The regular files and the folders of one tree object; None where this copy does not hold it."""
        held = self._folders.get(tree)
        if held is None:
            lines = self.entries(tree)
            if lines is None:
                return None
            files: dict[str, str] = {}
            folders: dict[str, str] = {}
            links: set[str] = set()
            for mode, raw_name, oid in lines:
                name = raw_name.decode("utf-8", "surrogateescape")
                if mode in _FILE_MODES:
                    files[name] = oid
                elif mode == _TREE_MODE:
                    folders[name] = oid
                else:
                    links.add(name)
            held = Folder(files, folders, frozenset(links))
            self._folders.put(tree, held, len(lines) + 1)
        return held

    def _parse_tree(self, tree: str, content: bytes) -> Iterator[RawTreeEntry]:
        at = 0
        while at < len(content):
            space = content.find(b" ", at)
            end = content.find(b"\0", space)
            after = end + 1 + self._id_bytes
            if space < 0 or end < 0 or after > len(content):
                raise GitError(f"{self._git.name}: tree object {tree} is damaged; run git fsck there")
            mode = content[at:space].lstrip(b"0")  # some tools wrote folders as 040000, and git reads them so
            yield RawTreeEntry(mode, content[space + 1 : end], content[end + 1 : after].hex())
            at = after

    def files(self, tree: str) -> Mapping[str, TreeEntry] | None:
        """All regular files below a tree, by path; names that are not UTF-8 keep their bytes as surrogates.

        None where some tree below is not in this copy. Raises InputError for a tree that nobody could check out.
        """
        files: dict[str, TreeEntry] = {}
        return files if self._collect_files(tree, "", 0, files) else None

    def _collect_files(self, tree: str, above: str, depth: int, files: dict[str, TreeEntry]) -> bool:
        """Adds the files below a tree; False where a tree is missing."""
        lines = self.entries(tree)
        if lines is None:
            return False
        self._check_size(tree, len(files) + len(lines), depth)
        for entry in lines:
            path = above + entry.name.decode("utf-8", "surrogateescape")
            if entry.mode in _FILE_MODES:
                files[path] = TreeEntry(path, entry.id)
            elif entry.mode == _TREE_MODE and not self._collect_files(entry.id, f"{path}/", depth + 1, files):
                return False
        return True

    def _check_size(self, tree: str, files: int, depth: int) -> None:
        if files > _MAX_FILES or depth > _MAX_DEPTH:
            limits = f"{_MAX_FILES} files or {_MAX_DEPTH} folders within each other"
            raise GitError(f"{self._git.name}: tree {tree} holds more than {limits}; no service is made of that")

    def entry_at(self, tree: str, path: str) -> RawTreeEntry | None:
        """What is at a path below a tree, read from tree objects alone: works where blobs are missing."""
        current = RawTreeEntry(_TREE_MODE, b"", tree)
        for part in path.encode("utf-8", "surrogateescape").split(b"/"):
            if current.mode != _TREE_MODE:
                return None
            child = next((entry for entry in self.entries(current.id) or () if entry.name == part), None)
            if child is None:
                return None
            current = child
        return current


def _split_requests(names: Sequence[str]) -> Iterator[list[bytes]]:
    """The requests in portions whose answers fit into a pipe, or one at a time."""
    portion: list[bytes] = []
    room = _PIPE_BYTES
    for name in names:
        request = name.encode("utf-8", "surrogateescape") + b"\n"
        room -= len(request) + _MAX_ANSWER_BYTES
        if portion and room < 0:
            yield portion
            portion, room = [], _PIPE_BYTES - len(request) - _MAX_ANSWER_BYTES
        portion.append(request)
    if portion:
        yield portion
