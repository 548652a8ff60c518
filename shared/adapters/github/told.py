"""What GitHub tells about commits, files and trees, read: JSON in, the domain's values out."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.proof.model.history import Commit

REGULAR = 0o100000
_KIND = 0o170000
_EPOCH = datetime.fromtimestamp(0, UTC)


def commit_of_query(node: Mapping[str, Any]) -> Commit:
    """A node with the fields of `queries.COMMIT`."""
    return Commit(
        id=node["oid"],
        parents=tuple(each["oid"] for each in node["parents"]["nodes"]),
        committed_at=instant(node["committedDate"]),
        authored_at=instant(node["authoredDate"]),
        author=(node["author"] or {}).get("name") or "",
        subject=subject(node["message"]),
    )


def commit_of_rest(item: Mapping[str, Any]) -> Commit:
    """An item of a comparison."""
    told = item["commit"]
    author, committer = told["author"] or {}, told["committer"] or {}
    return Commit(
        id=item["sha"],
        parents=tuple(each["sha"] for each in item["parents"]),
        committed_at=instant(committer.get("date") or ""),
        authored_at=instant(author.get("date") or ""),
        author=author.get("name") or "",
        subject=subject(told["message"]),
    )


def subject(message: str) -> str:
    """The first paragraph on one line, as git's `%s`."""
    lines: list[str] = []
    for line in message.lstrip("\n").split("\n"):
        if not line.strip():
            break
        lines.append(line.rstrip())
    return " ".join(lines)


def instant(text: str) -> datetime:
    """RFC 3339 text in UTC; the epoch for what is none, or lies before it."""
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return _EPOCH
    return max(datetime.fromisoformat(text).astimezone(UTC), _EPOCH)


def file_blob(entry: Mapping[str, Any] | None) -> str | None:
    """The blob of a TreeEntry of a query, if it is a regular file."""
    regular = entry is not None and entry["type"] == "blob" and entry["mode"] & _KIND == REGULAR
    return str(entry["oid"]) if regular and entry is not None else None


def rest_entries(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    """(path, `blob` or `tree`, id, bytes) for the regular files and the folders of a REST tree."""
    for each in answer["tree"]:
        if each["type"] == "tree" or (each["type"] == "blob" and int(each["mode"], 8) & _KIND == REGULAR):
            yield each["path"], each["type"], each["sha"], each.get("size") or 0


def is_askable(path: str) -> bool:
    """Whether a path can be asked for in JSON and can be one in a tree."""
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return False
    plain = 0 < len(raw) <= 4096 and not re.search(r"[\x00\n]", path)
    return plain and not any(part in {"", ".", ".."} for part in path.split("/"))
