"""Builds the GraphQL queries of the history port: query text and variables.

Whatever comes from outside travels as a variable, never within the text. A page of a history costs one point whatever
is asked for each commit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.proof.model.history import Commit

COMMIT_FIELDS = "oid committedDate authoredDate message author { name } parents(first: 10) { nodes { oid } }"
_ENTRY_FIELDS = "oid mode type"
_PAGE_FIELDS = "pageInfo { hasNextPage endCursor }"


@dataclass(slots=True)
class Query:
    """A query in the making."""

    parts: list[str] = field(default_factory=list)
    variables: dict[str, object] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def add_variable(self, value: object, kind: str = "String!") -> str:
        """Declares a variable and returns `$name`; equal values share one."""
        for name, held in self.variables.items():
            if held == value and self.types[name] == kind:
                return f"${name}"
        name = f"v{len(self.variables)}"
        self.variables[name], self.types[name] = value, kind
        return f"${name}"

    def build(self, owner: str, name: str) -> tuple[str, Mapping[str, object]]:
        """The whole query about one repository."""
        repository = f"repository(owner: {self.add_variable(owner)}, name: {self.add_variable(name)})"
        declared = ", ".join(f"${name}: {self.types[name]}" for name in self.variables)
        return f"query({declared}) {{ {repository} {{ {' '.join(self.parts)} }} }}", self.variables


def add_commit(query: Query, alias: str, commit: str, fields: str) -> None:
    """Asks for fields of a commit by its id."""
    at = query.add_variable(commit, "GitObjectID!")
    query.parts.append(f"{alias}: object(oid: {at}) {{ ... on Commit {{ {fields} }} }}")


def build_files_fields(query: Query, paths: Sequence[str]) -> str:
    """The entries of some paths, as `f0`, `f1`, …"""
    return " ".join(
        f"f{index}: file(path: {query.add_variable(path)}) {{ {_ENTRY_FIELDS} }}" for index, path in enumerate(paths)
    )


def walk_fields(query: Query, paths: Sequence[str], after: str | None) -> str:
    """A page of the whole history, with what each commit holds at the paths."""
    cursor = f", after: {query.add_variable(after)}" if after else ""
    nodes = f"nodes {{ {COMMIT_FIELDS} {build_files_fields(query, paths)} }}"
    return f"walk: history(first: 100{cursor}) {{ totalCount {_PAGE_FIELDS} {nodes} }}"


def build_changed_fields(query: Query, index: int, paths: Sequence[str], after: str | None) -> str:
    """A page of the history of one path, with the states of all paths after and before each commit."""
    cursor = f", after: {query.add_variable(after)}" if after else ""
    before = f"before: parents(first: 10) {{ nodes {{ oid {build_files_fields(query, paths)} }} }}"
    fields = f"{COMMIT_FIELDS} {build_files_fields(query, paths)} {before}"
    path = query.add_variable(paths[index])
    return f"p{index}: history(path: {path}, first: 100{cursor}) {{ {_PAGE_FIELDS} nodes {{ {fields} }} }}"


BLOB_FIELDS = "... on Blob { oid text isTruncated isBinary byteSize }"


def add_blob(query: Query, alias: str, oid: str) -> None:
    """Asks for a blob's text by its id."""
    query.parts.append(f"{alias}: object(oid: {query.add_variable(oid, 'GitObjectID!')}) {{ {BLOB_FIELDS} }}")


FILE_MODE = 0o100000
_FILE_TYPE_MASK = 0o170000
_EPOCH = datetime.fromtimestamp(0, UTC)


def parse_commit_node(node: Mapping[str, Any]) -> Commit:
    """A node with the fields of `queries.COMMIT_FIELDS`."""
    return Commit(
        id=node["oid"],
        parents=tuple(parent["oid"] for parent in node["parents"]["nodes"]),
        committed_at=parse_instant(node["committedDate"]),
        authored_at=parse_instant(node["authoredDate"]),
        author=(node["author"] or {}).get("name") or "",
        subject=parse_subject(node["message"]),
    )


def parse_commit_item(item: Mapping[str, Any]) -> Commit:
    """An item of a comparison."""
    commit = item["commit"]
    author, committer = commit["author"] or {}, commit["committer"] or {}
    return Commit(
        id=item["sha"],
        parents=tuple(parent["sha"] for parent in item["parents"]),
        committed_at=parse_instant(committer.get("date") or ""),
        authored_at=parse_instant(author.get("date") or ""),
        author=author.get("name") or "",
        subject=parse_subject(commit["message"]),
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
    """RFC 3339 text in UTC; the epoch for what is none, or is before it."""
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return _EPOCH
    return max(datetime.fromisoformat(text).astimezone(UTC), _EPOCH)


def parse_file_blob(entry: Mapping[str, Any] | None) -> str | None:
    """The blob of a TreeEntry of a query, if it is a regular file."""
    regular = entry is not None and entry["type"] == "blob" and entry["mode"] & _FILE_TYPE_MASK == FILE_MODE
    return str(entry["oid"]) if regular and entry is not None else None


def parse_tree_entries(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    """(path, `blob` or `tree`, id, bytes) for the regular files and the folders of a REST tree."""
    for entry in answer["tree"]:
        if entry["type"] == "tree" or (
            entry["type"] == "blob" and int(entry["mode"], 8) & _FILE_TYPE_MASK == FILE_MODE
        ):
            yield entry["path"], entry["type"], entry["sha"], entry.get("size") or 0


def is_valid_path(path: str) -> bool:
    """Whether a path can be asked for in JSON and can be one in a tree."""
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return False
    plain = 0 < len(raw) <= 4096 and not re.search(r"[\x00\n]", path)
    return plain and not any(part in {"", ".", ".."} for part in path.split("/"))
