"""Branches and open pull requests that the deploy branch does not have: the deploy branch in, their heads out."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.comparison import Comparisons
from shared.adapters.github.graph import reachable
from shared.adapters.github.queries import Query
from shared.adapters.github.told import instant
from shared.adapters.github.walks import Walks
from shared.proof.model.history import Branch

_MOST = 200
_MOST_COMPARED = 30
"""Heads of a long history that are looked at, the newest first: each costs two requests."""
_PAGES = 3


class Heads:
    """Asks for all heads once."""

    def __init__(self, walks: Walks, comparisons: Comparisons) -> None:
        self._walks = walks
        self._comparisons = comparisons
        self._held: list[Branch] | None = None
        self._told_requests: list[tuple[float, str, str]] = []

    def unmerged(self, branch: Branch, containing: str | None) -> Sequence[Branch]:
        """Heads that contain a commit (with None: any) and that the branch does not, newest first, at most 200."""
        heads = [head for head in self._all() if head.head != branch.head]
        tips = [branch.head, *(head.head for head in heads)]
        if self._walks.know(tips, ()):
            commits = self._walks.commits
            merged = reachable([branch.head], commits)
            open_ = [head for head in heads if head.head not in merged]
            return [each for each in open_ if not containing or containing in reachable([each.head], commits)][:_MOST]
        contains = self._comparisons.contains
        near = [head for head in heads[:_MOST_COMPARED] if not contains(branch.head, head.head)]
        return [head for head in near if not containing or contains(head.head, containing)]

    def _all(self) -> list[Branch]:
        if self._held is None:
            found = sorted(self._branches() + self._told_requests, key=lambda each: each[0], reverse=True)
            heads: dict[str, Branch] = {}
            for _, oid, name in found:
                known = heads.get(oid)
                # A pull request says more than the branch that it comes from.
                if known is None or (name.startswith("refs/pull/") and not known.name.startswith("refs/pull/")):
                    heads[oid] = Branch(name, oid)
            self._held = list(heads.values())
        return self._held

    def _branches(self) -> list[tuple[float, str, str]]:
        found: list[tuple[float, str, str]] = []
        after = ""
        for page in range(_PAGES):
            query = Query()
            prefix = query.given("refs/heads/")
            cursor = f", after: {query.given(after)}" if after else ""
            query.parts.append(_REFS % (prefix, cursor))
            query.parts += [_REQUESTS] if page == 0 else []
            told = self._walks.ask(query)
            self._told_requests += [_request(node) for node in (told.get("pullRequests") or {"nodes": []})["nodes"]]
            refs = told.get("refs") or {"nodes": [], "pageInfo": {"hasNextPage": False}}
            found += [_ref(node) for node in refs["nodes"] if node["target"]]
            if not refs["pageInfo"]["hasNextPage"]:
                break
            after = refs["pageInfo"]["endCursor"]
        return found


_REFS = (
    "refs(refPrefix: %s, first: 100, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}%s) { "
    "pageInfo { hasNextPage endCursor } nodes { name target { ... on Commit { oid committedDate } } } }"
)
_REQUESTS = (
    "pullRequests(states: OPEN, first: 100, orderBy: {field: UPDATED_AT, direction: DESC}) { "
    "nodes { number headRefOid commits(last: 1) { nodes { commit { oid committedDate } } } } }"
)


def _ref(node: Mapping[str, Any]) -> tuple[float, str, str]:
    target = node["target"]
    return instant(target["committedDate"]).timestamp(), target["oid"], f"refs/heads/{node['name']}"


def _request(node: Mapping[str, Any]) -> tuple[float, str, str]:
    moments = [instant(each["commit"]["committedDate"]).timestamp() for each in node["commits"]["nodes"]]
    return max(moments, default=0.0), node["headRefOid"], f"refs/pull/{node['number']}/head"
