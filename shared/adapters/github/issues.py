"""The issue tracker of a service's repository: created once, found again by its hidden marker, commented, closed.

Lists and searches of GitHub lag behind by minutes, single issues do not. So an issue that no list shows yet is looked
for by its number, and a list of comments is believed only if it is as long as the issue says.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from shared.adapters.github.client import GitHubClient
from shared.errors import Reject, Retry
from shared.ports import WRONG_LABEL, IssueRef, IssueState
from shared.proposal.proposal import update_title
from shared.report.incident_status import has_marker, keep_ticked_items, replace_status_block
from shared.service import Service
from shared.text.escaping import to_one_line, truncate

ISSUE_LABEL = "provenfix"
_MAX_TITLE_LENGTH = 256
_MAX_LABEL_LENGTH = 50
_LABELS = {
    ISSUE_LABEL: ("5319e7", "Opened and kept up to date by provenfix"),
    WRONG_LABEL: ("b60205", "Stops all automation for this incident, for good"),
}
"""Labels with colour and description; GitHub makes the others when an issue is opened with them."""
_MAX_LOOKAHEAD = 200
"""Numbers that are looked at beyond the newest one that the list shows."""
_MAX_GAPS = 5
"""Numbers in a row that may be missing (deleted, moved) before there are taken to be no more."""


class GitHubIssues:
    """Implements `shared.ports.Issues`. `service.repository` is `owner/name`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """The issue whose body carries the marker, open or closed, however young. Raises Retry, Reject."""
        path, ordered = _issues_path(service), {"state": "all", "sort": "created", "direction": "desc"}
        # GitHub drops the labels of whoever may not set them: the newest issues are looked at with and without.
        newest = self._github.get(path, per_page="100", **ordered)
        for issue in chain(newest, self._github.get_pages(path, labels=ISSUE_LABEL, **ordered)):
            if self._has_own_marker(issue, marker):
                return _issue_ref(issue)
        number, gaps = max((issue["number"] for issue in newest), default=0), 0
        for beyond in range(number + 1, number + _MAX_LOOKAHEAD + 1):
            issue = self._github.find(f"{path}/{beyond}")
            if issue is not None and self._has_own_marker(issue, marker):
                return _issue_ref(issue)
            gaps = gaps + 1 if issue is None else 0
            if gaps == _MAX_GAPS:
                return None
        raise Retry(f"{service.repository}: its list of issues lags behind by more than {_MAX_LOOKAHEAD} issues")

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """*Effect.* Opens an issue with labels. Raises Retry where it may have been opened, Reject where it was not."""
        if not has_marker(body, marker):
            raise Reject("no_marker", "an issue without its marker could never be found again")
        named = [ISSUE_LABEL, f"service:{service.name}", f"environment:{service.environment_name}", *labels]
        wanted = {
            "title": truncate(title, _MAX_TITLE_LENGTH),
            "body": body,
            "labels": [format_label(name) for name in named],
        }
        return _issue_ref(self._github.write("POST", _issues_path(service), wanted))

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """*Effect.* Gives an issue another title and body; what people have ticked stays ticked."""
        known = self._get_issue(service, number)
        body = keep_ticked_items(str((known or {}).get("body") or ""), body)
        self._github.write(
            "PATCH", f"{_issues_path(service)}/{number}", {"title": truncate(title, _MAX_TITLE_LENGTH), "body": body}
        )

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """*Effect.* Replaces the body's part on how things stand. What people wrote beside it in the meantime stays."""
        issue = self._get_issue(service, number)
        if issue is None:
            return
        body, old = str(issue.get("body") or ""), str(issue.get("title") or "")
        wanted = {
            "body": replace_status_block(body, status_section) or body,
            "title": truncate(update_title(old, title), _MAX_TITLE_LENGTH),
        }
        changes = {name: text for name, text in wanted.items() if text != {"body": body, "title": old}[name]}
        if changes and replace_status_block(body, status_section) is not None:
            self._github.write("PATCH", f"{_issues_path(service)}/{number}", changes)

    def create_labels(self, service: Service) -> None:
        """*Effect.* Makes the label by which people stop the automation, so that it can be chosen from the list."""
        path = f"/repos/{service.repository}/labels"
        for name, (color, description) in _LABELS.items():
            if self._github.find(f"{path}/{quote(name, safe='')}") is None:
                self._github.write("POST", path, {"name": name, "color": color, "description": description})

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        """Whether a comment with the marker is there. Raises Retry where the list of comments lags behind."""
        issue = self._get_issue(service, number)
        wanted = issue["comments"] if issue is not None else 0
        seen = 0
        for comment in self._github.get_pages(f"{_issues_path(service)}/{number}/comments"):
            seen += 1
            if self._has_own_marker(comment, marker):
                return True
        if seen < wanted:
            raise Retry(f"{service.repository}#{number} has {wanted} comments, and its list shows {seen} so far")
        return False

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        """*Effect.* Adds a comment."""
        if not has_marker(body, marker):
            raise Reject("no_marker", "a comment without its marker could never be found again")
        self._github.write("POST", f"{_issues_path(service)}/{number}/comments", {"body": body})

    def close(self, service: Service, number: int) -> None:
        """*Effect.* Closes an issue; one that is closed stays closed."""
        wanted = {"state": "closed", "state_reason": "completed"}
        self._github.write("PATCH", f"{_issues_path(service)}/{number}", wanted)

    def reopen(self, service: Service, number: int) -> None:
        """*Effect.* Opens a closed issue again; one that is open stays open."""
        wanted = {"state": "open", "state_reason": "reopened"}
        self._github.write("PATCH", f"{_issues_path(service)}/{number}", wanted)

    def state(self, service: Service, number: int) -> IssueState:
        """Open or closed, its labels and its body. A deleted issue is closed."""
        issue = self._get_issue(service, number)
        if issue is None:
            return IssueState(is_open=False, labels=frozenset())
        names = (each if isinstance(each, str) else each.get("name") or "" for each in issue["labels"])
        return IssueState(issue["state"] == "open", frozenset(names), issue.get("body") or "")

    def _has_own_marker(self, item: Mapping[str, Any], marker: str) -> bool:
        """A person can copy a marker: what an App has written itself is a bot's."""
        if self._github.is_app and (item.get("user") or {}).get("type") != "Bot":
            return False
        return has_marker(item.get("body") or "", marker) and "pull_request" not in item

    def _get_issue(self, service: Service, number: int) -> Mapping[str, Any] | None:
        """Asked every minute of every incident: where nothing has changed, it costs nothing of the hour's requests."""
        issue: Mapping[str, Any] | None = self._github.get_cached(f"{_issues_path(service)}/{number}")
        return issue


def format_label(name: str) -> str:
    """A name that GitHub takes: one line, no comma (which would be two of them in a search), at most 50 characters."""
    return truncate(to_one_line(name.replace(",", " ")), _MAX_LABEL_LENGTH)


def _issues_path(service: Service) -> str:
    return f"/repos/{service.repository}/issues"


def _issue_ref(issue: Mapping[str, Any]) -> IssueRef:
    return IssueRef(int(issue["number"]), str(issue["html_url"]))


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
