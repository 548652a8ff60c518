"""The addresses that an issue of `acme/chat` on github.com carries, made by the real adapters without any request."""

from collections.abc import Mapping
from dataclasses import replace

from shared.adapters.github.credentials import GitHubHost
from shared.adapters.github.links import GitHubLinkBuilder
from shared.adapters.google.cloud_logging import LogLinkBuilder
from shared.report.links import CommitOrigin, Links
from tests.support.github.clients import open_client
from tests.support.github.server import REPOSITORY
from tests.support.harness import watched_service

UNUSED_ADDRESS = "http://127.0.0.1:9"
"""Every request here would be refused."""


def build_links(
    origins: dict[str, int], name: str = "chat", project: str = "acme-prod", logins: Mapping[str, str] | None = None
) -> Links:
    """`origins` maps commits to the pull requests that brought them in, `logins` to authors other than `nora-k`."""
    watched = watched_service(name=name, project=project, repository=REPOSITORY)
    made = LogLinkBuilder(GitHubLinkBuilder(open_client(UNUSED_ADDRESS), GitHubHost())).build_links(watched, ())
    known = (
        CommitOrigin(
            commit,
            f"{GitHubHost().web}/{(logins or {}).get(commit, 'nora-k')}",
            number,
            f"{GitHubHost().redirect_url}/{REPOSITORY}/pull/{number}",
        )
        for commit, number in origins.items()
    )
    return replace(made, origins=tuple(known))
