"""The issue tracker of a service's repository: created once, found again by its hidden marker, commented, closed.

Lists and searches of GitHub lag behind by minutes, single issues do not. So an issue that no list shows yet is looked
for by its number, and a list of comments is believed only if it is as long as the issue says.
"""

from collections.abc import Mapping
from typing import Any

from shared.adapters.github.client import GitHub
from shared.domain.escaping import cut
from shared.domain.service import Service
from shared.errors import Reject, Retry
from shared.ports import IssueRef, IssueState

LABEL = "provenfix"
_LONGEST_TITLE = 256
_LONGEST_LABEL = 50
_MOST_BEYOND = 200
"""Numbers that are looked at beyond the newest one that the list shows."""
_MOST_GAPS = 5
"""Numbers in a row that may be missing (deleted, moved) before there are taken to be no more."""


class GitHubIssues:
    """Implements `shared.ports.Issues`. `service.repository` is `owner/name`."""

    def __init__(self, github: GitHub) -> None:
        self._github = github

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """The issue whose body carries the marker, open or closed, however young. Raises Retry, Reject."""
        path = _path(service)
        for issue in self._github.pages(path, labels=LABEL, state="all", sort="created", direction="desc"):
            if _carries(issue, marker):
                return _reference(issue)
        newest = self._github.get(path, state="all", sort="created", direction="desc", per_page="1")
        number, gaps = max((issue["number"] for issue in newest), default=0), 0
        for beyond in range(number + 1, number + _MOST_BEYOND + 1):
            issue = self._github.find(f"{path}/{beyond}")
            if issue is not None and _carries(issue, marker):
                return _reference(issue)
            gaps = gaps + 1 if issue is None else 0
            if gaps == _MOST_GAPS:
                return None
        raise Retry(f"{service.repository}: its list of issues lags behind by more than {_MOST_BEYOND} issues")

    def open(self, service: Service, marker: str, title: str, body: str) -> IssueRef:
        """*Effect.* Opens an issue with labels. Raises Retry where it may have been opened, Reject where it was not."""
        if marker not in body:
            raise Reject("no_marker", "an issue without its marker could never be found again")
        wanted = {"title": cut(title, _LONGEST_TITLE), "body": body, "labels": labels(service)}
        return _reference(self._github.write("POST", _path(service), wanted))

    def commented(self, service: Service, number: int, marker: str) -> bool:
        """Whether a comment with the marker is there. Raises Retry where the list of comments lags behind."""
        wanted = self._issue(service, number)["comments"]
        seen = 0
        for comment in self._github.pages(f"{_path(service)}/{number}/comments"):
            seen += 1
            if _carries(comment, marker):
                return True
        if seen < wanted:
            raise Retry(f"{service.repository}#{number} has {wanted} comments, and its list shows {seen} so far")
        return False

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        """*Effect.* Adds a comment."""
        if marker not in body:
            raise Reject("no_marker", "a comment without its marker could never be found again")
        self._github.write("POST", f"{_path(service)}/{number}/comments", {"body": body})

    def close(self, service: Service, number: int) -> None:
        """*Effect.* Closes an issue; one that is closed stays closed."""
        wanted = {"state": "closed", "state_reason": "completed"}
        self._github.write("PATCH", f"{_path(service)}/{number}", wanted)

    def reopen(self, service: Service, number: int) -> None:
        """*Effect.* Opens a closed issue again: the failure came back although the fix runs."""
        wanted = {"state": "open", "state_reason": "reopened"}
        self._github.write("PATCH", f"{_path(service)}/{number}", wanted)

    def state(self, service: Service, number: int) -> IssueState:
        """Open or closed, and its labels."""
        issue = self._issue(service, number)
        names = (each if isinstance(each, str) else each.get("name") or "" for each in issue["labels"])
        return IssueState(issue["state"] == "open", frozenset(names))

    def _issue(self, service: Service, number: int) -> Mapping[str, Any]:
        issue: Mapping[str, Any] = self._github.get(f"{_path(service)}/{number}")
        return issue


def labels(service: Service) -> list[str]:
    """The labels of every issue of a service; GitHub makes those that do not exist yet."""
    named = [LABEL, f"service:{service.name}", f"environment:{service.told_environment}"]
    return [name[:_LONGEST_LABEL] for name in named]


def _path(service: Service) -> str:
    return f"/repos/{service.repository}/issues"


def _carries(item: Mapping[str, Any], marker: str) -> bool:
    return marker in (item.get("body") or "") and "pull_request" not in item


def _reference(issue: Mapping[str, Any]) -> IssueRef:
    return IssueRef(int(issue["number"]), str(issue["html_url"]))
