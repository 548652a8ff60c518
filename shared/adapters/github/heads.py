"""Branches and open pull requests that the deploy branch does not have: the deploy branch in, their heads out."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.comparison import Comparisons
from shared.adapters.github.graph import find_reachable
from shared.adapters.github.queries import Query
from shared.adapters.github.told import parse_instant
from shared.adapters.github.walks import CommitGraph
from shared.proof.model.history import Branch

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
            return [each for each in open_ if not containing or containing in find_reachable([each.head], commits)][:_MAX_HEADS]
        contains = self._comparisons.contains
        near = [head for head in heads[:_MAX_COMPARED] if not contains(branch.head, head.head)]
        return [head for head in near if not containing or contains(head.head, containing)]

    def _list_heads(self) -> list[Branch]:
        if self._cache is None:
            found = sorted(self._list_branches() + self._pull_requests, key=lambda each: each[0], reverse=True)
            heads: dict[str, Branch] = {}
            for _, oid, name in found:
                known = heads.get(oid)
                # A pull request says more than the branch that it comes from.
                if known is None or (name.startswith("refs/pull/") and not known.name.startswith("refs/pull/")):
                    heads[oid] = Branch(name, oid)
            self._cache = list(heads.values())
        return self._cache

    def _list_branches(self) -> list[tuple[float, str, str]]:
        found: list[tuple[float, str, str]] = []
        after = ""
        for page in range(_MAX_REF_PAGES):
            query = Query()
            prefix = query.add_variable("refs/heads/")
            cursor = f", after: {query.add_variable(after)}" if after else ""
            query.parts.append(_REFS_QUERY % (prefix, cursor))
            query.parts += [_PULL_REQUESTS_QUERY] if page == 0 else []
            told = self._walks.query(query)
            self._pull_requests += [_parse_pull_request(node) for node in (told.get("pullRequests") or {"nodes": []})["nodes"]]
            refs = told.get("refs") or {"nodes": [], "pageInfo": {"hasNextPage": False}}
            found += [_parse_ref(node) for node in refs["nodes"] if node["target"]]
            if not refs["pageInfo"]["hasNextPage"]:
                break
            after = refs["pageInfo"]["endCursor"]
        return found


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
    moments = [parse_instant(each["commit"]["committedDate"]).timestamp() for each in node["commits"]["nodes"]]
    return max(moments, default=0.0), node["headRefOid"], f"refs/pull/{node['number']}/head"
