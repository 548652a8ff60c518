"""What git prints, read: commits of a walk, a diffstat, the index."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from shared.proof.model.history import Commit, FileChange, TreeEntry

COMMIT_FORMAT = "%H%x00%P%x00%ct%x00%at%x00%an%x00%s"
"""For `git log --format`: one line a commit, fields apart by NUL; neither names nor subjects can hold a line end."""

_MAX_TIMESTAMP = 253_402_300_799
"""9999-12-31T23:59:59Z: a commit may claim any second, a datetime may not."""

_MAX_DIGITS = 18


def decode_path(raw: bytes) -> str:
    """A path as text; bytes that are not UTF-8 are kept as surrogates, so that the name leads back to the file."""
    return raw.decode("utf-8", "surrogateescape")


def parse_log(log: bytes) -> list[Commit]:
    """The commits of a `git log` in COMMIT_FORMAT."""
    return [_parse_commit(line) for line in log.split(b"\n") if line]


def parse_file_log(log: bytes, path: str) -> tuple[list[Commit], dict[str, str | None]]:
    """The commits of a `git log --raw` in COMMIT_FORMAT about one path, and the blob that each one leaves there.

    None for a commit that leaves no regular file. A commit whose diff hides it (a merge, a folder of that name, a
    name that git quotes) is not among the blobs.
    """
    name = path.encode("utf-8", "surrogateescape")
    commits: list[Commit] = []
    changes: dict[str, list[tuple[bytes, bytes]]] = {}
    for line in log.split(b"\n"):
        if line.startswith(b":"):
            facts, _, changed = line.partition(b"\t")
            changes.setdefault(commits[-1].id, []).append((facts, changed))
        elif line:
            commits.append(_parse_commit(line))
    blobs: dict[str, str | None] = {}
    for commit, listed in changes.items():
        facts, changed = listed[0]
        if len(listed) == 1 and changed == name:
            _, mode, _, blob, _ = facts.split(b" ")
            blobs[commit] = blob.decode() if mode.startswith(b"100") else None
    return commits, blobs


def _parse_commit(line: bytes) -> Commit:
    oid, parents, committed, authored, author, subject = line.split(b"\0", 5)
    committed_at = _parse_instant(committed)
    return Commit(
        id=oid.decode(),
        parents=tuple(parents.decode().split()),
        committed_at=committed_at,
        authored_at=committed_at if authored == committed else _parse_instant(authored),
        author=author.decode("utf-8", "replace"),
        subject=subject.decode("utf-8", "replace"),
    )


def parse_commit_object(oid: str, raw: bytes) -> Commit:
    """Parses a commit object: the same values as `parse_log`, without a git process."""
    header, _, message = raw.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in header.split(b"\n"):
        key, _, value = line.partition(b" ")
        headers.setdefault(key, []).append(value)
    author, committer = (_parse_signature(headers.get(key, [b""])[0]) for key in (b"author", b"committer"))
    encoding = headers.get(b"encoding", [b"utf-8"])[0]
    return Commit(
        id=oid,
        parents=tuple(parent.decode("ascii", "replace") for parent in headers.get(b"parent", ())),
        committed_at=_parse_instant(committer[1]),
        authored_at=_parse_instant(author[1]),
        author=_decode(author[0], encoding),
        subject=_decode(_parse_subject(message.partition(b"\0")[0]), encoding),
    )


def _parse_signature(value: bytes) -> tuple[bytes, bytes]:
    """Name and second of `Robin Vale <robin@example.org> 1772323200 +0000`."""
    name, _, rest = value.partition(b"<")
    return name.strip(), rest.rpartition(b">")[2].strip().partition(b" ")[0]


def _parse_subject(message: bytes) -> bytes:
    """The first paragraph in one line, as git shows it."""
    lines: list[bytes] = []
    for line in message.split(b"\n"):
        stripped = line.rstrip(b" \t\n\r")
        if not stripped and lines:
            break
        lines += [stripped] if stripped else []
    return b" ".join(lines)


_ENCODINGS = re.compile(
    r"(?:utf-?8|(?:us-)?ascii|latin-?1|iso-?8859-\d+|(?:windows-|cp)12\d\d|koi8-[ru]|gb(?:k|2312|18030)"
    r"|euc-[a-z]{2}|s(?:hift_?)?jis|big5)",
    re.IGNORECASE,
)
"""Encodings of commits that have been seen in the wild; what Python knows by other names is not text, or not bytes."""


def _decode(raw: bytes, encoding: bytes) -> str:
    name = encoding.decode("ascii", "replace").strip()
    try:
        return raw.decode(name if _ENCODINGS.fullmatch(name) else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return raw.decode("utf-8", "replace")


def _parse_instant(raw: bytes) -> datetime:
    digits = raw.removeprefix(b"-")
    seconds = int(raw) if digits.isdigit() and len(digits) <= _MAX_DIGITS else 0
    return datetime.fromtimestamp(min(max(seconds, 0), _MAX_TIMESTAMP), UTC)


def parse_numstat(numstat: bytes) -> Iterator[FileChange]:
    """The files of `git diff-tree --numstat -z --no-renames`."""
    for record in numstat.split(b"\0"):
        if record:
            added, deleted, path = record.split(b"\t", 2)
            binary = added == b"-"
            yield FileChange(decode_path(path), None if binary else int(added), None if binary else int(deleted))


FOLDER_MODE = b"040000"


def parse_index(listing: bytes) -> Iterator[tuple[bytes, TreeEntry]]:
    """Mode and entry of the unconflicted files of `git ls-files --sparse --stage -z`, links and submodules left out.

    An index that leaves folders out names their trees instead, with the mode FOLDER and a path that ends in "/".
    """
    for record in listing.split(b"\0"):
        if record:
            facts, path = record.split(b"\t", 1)
            mode, oid, stage = facts.split(b" ")
            if (mode.startswith(b"100") or mode == FOLDER_MODE) and stage == b"0":
                yield mode, TreeEntry(decode_path(path), oid.decode())
