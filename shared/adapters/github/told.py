"""What GitHub tells about commits, files and trees, read: JSON in, the domain's values out."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.proof.model.history import Commit

FILE_MODE = 0o100000
_FILE_TYPE_MASK = 0o170000
_EPOCH = datetime.fromtimestamp(0, UTC)


def parse_commit_node(node: Mapping[str, Any]) -> Commit:
    """A node with the fields of `queries.COMMIT_FIELDS`."""
    return Commit(
        id=node["oid"],
        parents=tuple(each["oid"] for each in node["parents"]["nodes"]),
        committed_at=parse_instant(node["committedDate"]),
        authored_at=parse_instant(node["authoredDate"]),
        author=(node["author"] or {}).get("name") or "",
        subject=parse_subject(node["message"]),
    )


def parse_commit_item(item: Mapping[str, Any]) -> Commit:
    """An item of a comparison."""
    told = item["commit"]
    author, committer = told["author"] or {}, told["committer"] or {}
    return Commit(
        id=item["sha"],
        parents=tuple(each["sha"] for each in item["parents"]),
        committed_at=parse_instant(committer.get("date") or ""),
        authored_at=parse_instant(author.get("date") or ""),
        author=author.get("name") or "",
        subject=parse_subject(told["message"]),
    )


def parse_subject(message: str) -> str:
    """The first paragraph on one line, as git's `%s`."""
    lines: list[str] = []
    for line in message.lstrip("\n").split("\n"):
        if not line.strip():
            break
        lines.append(line.rstrip())
    return " ".join(lines)


def parse_instant(text: str) -> datetime:
    """RFC 3339 text in UTC; the epoch for what is none, or lies before it."""
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return _EPOCH
    return max(datetime.fromisoformat(text).astimezone(UTC), _EPOCH)


def parse_file_blob(entry: Mapping[str, Any] | None) -> str | None:
    """The blob of a TreeEntry of a query, if it is a regular file."""
    regular = entry is not None and entry["type"] == "blob" and entry["mode"] & _FILE_TYPE_MASK == FILE_MODE
    return str(entry["oid"]) if regular and entry is not None else None


def parse_tree_entries(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    """(path, `blob` or `tree`, id, bytes) for the regular files and the folders of a REST tree."""
    for each in answer["tree"]:
        if each["type"] == "tree" or (each["type"] == "blob" and int(each["mode"], 8) & _FILE_TYPE_MASK == FILE_MODE):
            yield each["path"], each["type"], each["sha"], each.get("size") or 0


def is_valid_path(path: str) -> bool:
    """Whether a path can be asked for in JSON and can be one in a tree."""
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return False
    plain = 0 < len(raw) <= 4096 and not re.search(r"[\x00\n]", path)
    return plain and not any(part in {"", ".", ".."} for part in path.split("/"))
