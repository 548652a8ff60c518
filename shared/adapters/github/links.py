"""Builds the addresses of commits at GitHub, with the pull request and the author's page of important ones.

A link notifies nobody, only a mention does; a pull request is linked in a way that adds nothing to its timeline.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from shared.adapters.github import queries
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.credentials import GitHubHost
from shared.adapters.github.queries import Query, is_valid_path
from shared.report.links import CommitOrigin, Links
from shared.service import Service

_MAX_COMMITS = 20
_FIELDS = "oid author { user { login } } associatedPullRequests(first: 1) { nodes { number } }"


class GitHubLinkBuilder:
    """Implements `shared.ports.LinkBuilder`, but for the log."""

    def __init__(self, github: GitHubClient, host: GitHubHost) -> None:
        self._github = github
        self._host = host

    def build_links(self, service: Service, commits: Sequence[str]) -> Links:
        """Addresses within the service's repository; `commits` are those of which origins are wanted. One request."""
        web = f"{self._host.web}/{service.repository}"
        return Links(
            commit=partial(_build_commit_url, web),
            lines=partial(_build_lines_url, web),
            comparison=partial(_build_comparison_url, web),
            origins=tuple(self._query_origins(service.repository, list(dict.fromkeys(commits))[:_MAX_COMMITS])),
        )

    def _query_origins(self, repository: str, commits: Sequence[str]) -> list[CommitOrigin]:
        if not commits:
            return []
        query = Query()
        for index, commit in enumerate(commits):
            queries.add_commit(query, f"c{index}", commit, _FIELDS)
        owner, _, name = repository.partition("/")
        repository_node = self._github.query(*query.build(owner, name))["repository"] or {}
        return [self._parse_origin(repository, node) for node in repository_node.values() if node]

    def _parse_origin(self, repository: str, node: Mapping[str, Any]) -> CommitOrigin:
        login = ((node["author"] or {}).get("user") or {}).get("login")
        requests = [request for request in (node["associatedPullRequests"] or {}).get("nodes") or () if request]
        number = requests[0]["number"] if requests else None
        return CommitOrigin(
            commit=node["oid"],
            author_url=f"{self._host.web}/{quote(login, safe='')}" if login else "",
            pull_request=number,
            pull_request_url=f"{self._host.redirect_url}/{repository}/pull/{number}" if number is not None else "",
        )


def _build_commit_url(web: str, commit: str) -> str:
    return f"{web}/commit/{commit}"


def _build_lines_url(web: str, commit: str, path: str, first: int | None, last: int | None) -> str:
    if not is_valid_path(path):
        return ""
    url = f"{web}/blob/{commit}/{quote(path)}"
    if first is None:
        return url
    return f"{url}#L{first}" + (f"-L{last}" if last is not None and last > first else "")


def _build_comparison_url(web: str, base: str, tip: str) -> str:
    return f"{web}/compare/{base}...{tip}"
