"""Who may tell the automation what to do: a repository and a person in, whether they may write there out."""

from urllib.parse import quote

from shared.adapters.github.client import GitHub
from shared.service import Service

_MAY = frozenset({"admin", "maintain", "write"})


class GitHubPeople:
    """Implements `shared.ports.People`."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def may_instruct(self, service: Service, person: str) -> bool:
        """Whether the person may write to the service's repository. Raises Retry, Reject."""
        path = f"/repos/{service.repository}/collaborators/{quote(person, safe='')}/permission"
        told = self._github.find(path)
        return told is not None and told.get("permission") in _MAY
