"""What git prints, read: commits of a walk, a diffstat, the index."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from shared.domain.history import Commit, FileChange, TreeEntry

COMMIT_FORMAT = "%H%x00%P%x00%ct%x00%at%x00%an%x00%s"
"""For `git log --format`: one line a commit, fields apart by NUL; neither names nor subjects can hold a line end."""

_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z: a commit may claim any second, a datetime may not."""


def text(raw: bytes) -> str:
    """A path as text; bytes that are not UTF-8 are kept as surrogates, so that the name leads back to the file."""
    return raw.decode("utf-8", "surrogateescape")


def commits(log: bytes) -> list[Commit]:
    """The commits of a `git log` in COMMIT_FORMAT."""
    return [_commit(line) for line in log.split(b"\n") if line]


def _commit(line: bytes) -> Commit:
    oid, parents, committed, authored, author, subject = line.split(b"\0", 5)
    return Commit(
        id=oid.decode(),
        parents=tuple(parents.decode().split()),
        committed_at=_instant(committed),
        authored_at=_instant(authored),
        author=author.decode("utf-8", "replace"),
        subject=subject.decode("utf-8", "replace"),
    )


def _instant(raw: bytes) -> datetime:
    seconds = int(raw) if re.fullmatch(rb"-?\d{1,18}", raw) else 0
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)


def changes(numstat: bytes) -> Iterator[FileChange]:
    """The files of `git diff-tree --numstat -z --no-renames`."""
    for record in numstat.split(b"\0"):
        if record:
            added, deleted, path = record.split(b"\t", 2)
            binary = added == b"-"
            yield FileChange(text(path), None if binary else int(added), None if binary else int(deleted))


FOLDER = b"040000"


def index(listing: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
    """Mode and entry of the unconflicted files of `git ls-files --sparse --stage -z`, links and submodules left out.

    An index that leaves folders out names their trees instead, with the mode FOLDER and a path that ends in "/".
    """
    for record in listing.split(b"\0"):
        if record:
            facts, path = record.split(b"\t", 1)
            mode, oid, stage = facts.split(b" ")
            if (mode.startswith(b"100") or mode == FOLDER) and stage == b"0":
                yield mode, TreeEntry(text(path), oid.decode())
