"""The GraphQL queries of the history port: names, paths and ids in, text and variables out.

Whatever comes from outside travels as a variable, never within the text. A page of a history costs one point whatever
is asked for each commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


def files_fields(query: Query, paths: Sequence[str]) -> str:
    """The entries of some paths, as `f0`, `f1`, …"""
    return " ".join(f"f{place}: file(path: {query.add_variable(path)}) {{ {_ENTRY_FIELDS} }}" for place, path in enumerate(paths))


def walk_fields(query: Query, paths: Sequence[str], after: str | None) -> str:
    """A page of the whole history, with what each commit holds at the paths."""
    cursor = f", after: {query.add_variable(after)}" if after else ""
    return f"walk: history(first: 100{cursor}) {{ totalCount {_PAGE_FIELDS} nodes {{ {COMMIT_FIELDS} {files_fields(query, paths)} }} }}"


def changed_fields(query: Query, place: int, paths: Sequence[str], after: str | None) -> str:
    """A page of the history of one path, with the states of all paths after and before each commit."""
    cursor = f", after: {query.add_variable(after)}" if after else ""
    before = f"before: parents(first: 10) {{ nodes {{ oid {files_fields(query, paths)} }} }}"
    fields = f"{COMMIT_FIELDS} {files_fields(query, paths)} {before}"
    path = query.add_variable(paths[place])
    return f"p{place}: history(path: {path}, first: 100{cursor}) {{ {_PAGE_FIELDS} nodes {{ {fields} }} }}"


BLOB_FIELDS = "... on Blob { oid text isTruncated isBinary byteSize }"


def add_blob(query: Query, alias: str, oid: str) -> None:
    """Asks for a blob's text by its id."""
    query.parts.append(f"{alias}: object(oid: {query.add_variable(oid, 'GitObjectID!')}) {{ {BLOB_FIELDS} }}")
