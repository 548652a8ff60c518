"""Parses GitHub's comparison of two commits: the commits that one has and the other lacks, and the changed lines.

Reads the response of `GET /repos/{owner}/{repo}/compare/{base}...{head}`; returns commits, and the diffstat that `git
diff-tree --numstat --no-renames` prints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.commit_graph import CommitGraph
from shared.adapters.github.graph_algorithms import find_reachable
from shared.adapters.github.queries import Query, parse_commit_item, parse_instant
from shared.proof.model.history import Branch, Commit, FileChange, TreeEntry

_PAGE_SIZE = 100
_MAX_FILES = 300
_BINARY_SNIFF_BYTES = 8000
"""Git takes a file for binary that has a NUL among its first bytes."""

ReadBlob = Callable[[str], bytes | None]
ReadTree = Callable[[str], Mapping[str, TreeEntry]]


class Comparisons:
    """Asks for each pair once."""

    def __init__(self, github: GitHubClient, repository: str) -> None:
        self._github = github
        self._path = f"/repos/{repository}/compare/"
        self._cache: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._commits: dict[tuple[str, str], list[Commit]] = {}

    def compare(self, base: str, tip: str) -> Mapping[str, Any] | None:
        """The answer for two full ids; None where there is no such commit."""
        if (base, tip) not in self._cache:
            self._cache[base, tip] = self._github.find_json(f"{self._path}{base}...{tip}")
        return self._cache[base, tip]

    def commits(self, base: str, tip: str) -> list[Commit] | None:
        """All commits that `tip` reaches and `base` does not, in no particular order; None for no such commit."""
        comparison = self.compare(base, tip)
        if comparison is None:
            return None
        if (base, tip) not in self._commits:
            self._commits[base, tip] = [parse_commit_item(item) for item in self._list_items(base, tip, comparison)]
        return self._commits[base, tip]

    def _list_items(self, base: str, tip: str, comparison: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What the answer lists, which of a long comparison are the newest commits, and pages of the others."""
        items: dict[str, Mapping[str, Any]] = {item["sha"]: item for item in comparison["commits"]}
        total = comparison["total_commits"]
        page = 0
        while len(items) < total and page * _PAGE_SIZE < total:
            page += 1
            more = self._github.get_json(f"{self._path}{base}...{tip}", per_page=str(_PAGE_SIZE), page=str(page))
            items |= {item["sha"]: item for item in more["commits"]}
        return list(items.values())

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` or one of its ancestors."""
        comparison = self.compare(ancestor, commit)
        return comparison is not None and comparison["status"] in {"ahead", "identical"}

    def changes(self, base: str, tip: str, tree: ReadTree, read: ReadBlob) -> Sequence[FileChange]:
        """The diffstat. GitHub compares with the merge base: where that is another commit, the trees are compared."""
        comparison = self.compare(base, tip)
        files = comparison.get("files") or [] if comparison is not None else []
        if comparison is None or comparison["merge_base_commit"]["sha"] != base:
            return list(_compare_trees(tree(base), tree(tip), read, {}))
        listed = {change.path: change for file in files for change in _parse_changes(file, lambda: tree(base), read)}
        if len(files) < _MAX_FILES:
            return [listed[path] for path in sorted(listed, key=_get_git_sort_key)]
        return list(_compare_trees(tree(base), tree(tip), read, listed))


def _get_git_sort_key(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _parse_changes(
    file: Mapping[str, Any], base: Callable[[], Mapping[str, TreeEntry]], read: ReadBlob
) -> Iterator[FileChange]:
    path, status = file["filename"], file["status"]
    if status in {"renamed", "copied"}:
        if status == "renamed":
            old = file["previous_filename"]
            entry = base().get(old)
            yield FileChange(old, 0, _count_lines(read(entry.blob)) if entry is not None else None)
        yield _parse_added_file(path, read(file["sha"]))
        return
    if file["changes"] == 0 and "patch" not in file and file["sha"] and _is_binary(read(file["sha"])):
        yield FileChange(path, None, None)
        return
    yield FileChange(path, file["additions"], file["deletions"])


def _parse_added_file(path: str, content: bytes | None) -> FileChange:
    lines = _count_lines(content)
    return FileChange(path, lines, None if lines is None else 0)


def _is_binary(content: bytes | None) -> bool:
    return content is None or b"\0" in content[:_BINARY_SNIFF_BYTES]


def _count_lines(content: bytes | None) -> int | None:
    if content is None or _is_binary(content):
        return None
    return content.count(b"\n") + (not content.endswith(b"\n") and content != b"")


def _compare_trees(
    before: Mapping[str, TreeEntry], after: Mapping[str, TreeEntry], read: ReadBlob, listed: Mapping[str, FileChange]
) -> Iterator[FileChange]:
    """The paths that differ. Without GitHub's counts a file that was changed has none; one that came or went has."""
    for path in sorted({*before, *after, *listed}, key=_get_git_sort_key):
        old, new = before.get(path), after.get(path)
        if path in listed:
            yield listed[path]
        elif old is None and new is not None:
            yield _parse_added_file(path, read(new.blob))
        elif new is None and old is not None:
            gone = _count_lines(read(old.blob))
            yield FileChange(path, None if gone is None else 0, gone)
        elif old != new:
            yield FileChange(path, None, None)


_MAX_HEADS = 200
_MAX_COMPARED = 30
"""Heads of a long history that are looked at, the newest first: each costs two requests."""
_MAX_REF_PAGES = 3


class UnmergedHeads:
    """Asks for all heads once."""

    def __init__(self, walks: CommitGraph, comparisons: Comparisons) -> None:
        self._walks = walks
        self._comparisons = comparisons
        self._cache: list[Branch] | None = None
        self._pull_requests: list[tuple[float, str, str]] = []

    def unmerged(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads that contain a commit (with None: any) and that the branch does not, newest first, at most 200."""
        heads = [head for head in self._list_heads() if head.head != branch.head]
        tips = [branch.head, *(head.head for head in heads)]
        if self._walks.load_ancestors(tips, ()):
            commits = self._walks.commits
            merged = find_reachable([branch.head], commits)
            open_ = [head for head in heads if head.head not in merged]
            return [head for head in open_ if not containing or containing in find_reachable([head.head], commits)][
                :_MAX_HEADS
            ]
        contains = self._comparisons.contains
        near = [head for head in heads[:_MAX_COMPARED] if not contains(branch.head, head.head)]
        return [head for head in near if not containing or contains(head.head, containing)]

    def _list_heads(self) -> list[Branch]:
        if self._cache is None:
            refs = sorted(self._list_branches() + self._pull_requests, key=lambda ref: ref[0], reverse=True)
            heads: dict[str, Branch] = {}
            for _, oid, name in refs:
                known = heads.get(oid)
                # A pull request says more than the branch that it comes from.
                if known is None or (name.startswith("refs/pull/") and not known.name.startswith("refs/pull/")):
                    heads[oid] = Branch(name, oid)
            self._cache = list(heads.values())
        return self._cache

    def _list_branches(self) -> list[tuple[float, str, str]]:
        branches: list[tuple[float, str, str]] = []
        after = ""
        for page in range(_MAX_REF_PAGES):
            query = Query()
            prefix = query.add_variable("refs/heads/")
            cursor = f", after: {query.add_variable(after)}" if after else ""
            query.parts.append(_REFS_QUERY % (prefix, cursor))
            query.parts += [_PULL_REQUESTS_QUERY] if page == 0 else []
            repository = self._walks.query(query)
            self._pull_requests += [
                _parse_pull_request(node) for node in (repository.get("pullRequests") or {"nodes": []})["nodes"]
            ]
            refs = repository.get("refs") or {"nodes": [], "pageInfo": {"hasNextPage": False}}
            branches += [_parse_ref(node) for node in refs["nodes"] if node["target"]]
            if not refs["pageInfo"]["hasNextPage"]:
                break
            after = refs["pageInfo"]["endCursor"]
        return branches


_REFS_QUERY = (
    "refs(refPrefix: %s, first: 100, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}%s) { "
    "pageInfo { hasNextPage endCursor } nodes { name target { ... on Commit { oid committedDate } } } }"
)
_PULL_REQUESTS_QUERY = (
    "pullRequests(states: OPEN, first: 100, orderBy: {field: UPDATED_AT, direction: DESC}) { "
    "nodes { number headRefOid commits(last: 1) { nodes { commit { oid committedDate } } } } }"
)


def _parse_ref(node: Mapping[str, Any]) -> tuple[float, str, str]:
    target = node["target"]
    return parse_instant(target["committedDate"]).timestamp(), target["oid"], f"refs/heads/{node['name']}"


def _parse_pull_request(node: Mapping[str, Any]) -> tuple[float, str, str]:
    moments = [
        parse_instant(commit_node["commit"]["committedDate"]).timestamp() for commit_node in node["commits"]["nodes"]
    ]
    return max(moments, default=0.0), node["headRefOid"], f"refs/pull/{node['number']}/head"
