"""Who may tell the automation what to do: a repository and a person in, whether they may write there out."""

from urllib.parse import quote

from shared.adapters.github.client import GitHubClient
from shared.service import Service

_WRITE_PERMISSIONS = frozenset({"admin", "maintain", "write"})


class GitHubCollaborators:
    """Implements `shared.ports.Collaborators`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def has_write_access(self, service: Service, user: str) -> bool:
        """Whether the person may write to the service's repository. Raises Retry, Reject."""
        path = f"/repos/{service.repository}/collaborators/{quote(user, safe='')}/permission"
        told = self._github.find(path)
        return told is not None and told.get("permission") in _WRITE_PERMISSIONS
