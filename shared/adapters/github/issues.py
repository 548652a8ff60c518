"""The issue tracker of a service's repository: created once, found again by its hidden marker, commented, closed.

Lists and searches of GitHub lag behind by minutes, single issues do not. So an issue that no list shows yet is looked
for by its number, and a list of comments is believed only if it is as long as the issue says.
"""

from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from functools import partial
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING

from github.GithubObject import NotSet

from shared.adapters.github.client import GitHubClient
from shared.errors import Reject, Retry
from shared.ports import WRONG_LABEL, IssueRef, IssueState
from shared.proposal.proposal import update_title
from shared.report.incident_status import has_marker, keep_ticked_items, replace_status_block
from shared.service import Service
from shared.text.escaping import to_one_line, truncate

if TYPE_CHECKING:
    from github.GithubObject import Opt
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.PaginatedList import PaginatedList
    from github.Repository import Repository

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
_MAX_CACHED_ISSUES = 64
_DELETED = frozenset({410})


class GitHubIssues:
    """Implements `shared.ports.Issues`. `service.repository` is `owner/name`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github
        self._cache = _IssueCache(github)

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """The issue whose body carries the marker, open or closed, however young. Raises Retry, Reject."""
        repository = self._github.repository(service.repository)
        # GitHub drops labels that the token may not set: the newest issues are looked at with and without.
        newest = self._github.read(lambda: _list_newest_first(repository, NotSet).get_page(0))
        labelled = self._github.read_list(_list_newest_first(repository, [ISSUE_LABEL]))
        for issue in chain(newest, labelled):
            if self._is_own_issue(issue, marker):
                return _issue_ref(issue)
        return self._find_unlisted(service, marker, max((issue.number for issue in newest), default=0))

    def _find_unlisted(self, service: Service, marker: str, newest_number: int) -> IssueRef | None:
        repository, gaps = self._github.repository(service.repository), 0
        for number in range(newest_number + 1, newest_number + _MAX_LOOKAHEAD + 1):
            issue = self._github.find(repository.get_issue(number).complete)
            if issue is not None and self._is_own_issue(issue, marker):
                return _issue_ref(issue)
            gaps = gaps + 1 if issue is None else 0
            if gaps == _MAX_GAPS:
                return None
        raise Retry(f"{service.repository}: its list of issues lags behind by more than {_MAX_LOOKAHEAD} issues")

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """*Effect.* Opens an issue with labels. Raises Retry where it may have been opened, Reject where it was not."""
        if not has_marker(body, marker):
            raise Reject("no_marker", "an issue without its marker could never be found again")
        names = [ISSUE_LABEL, f"service:{service.name}", f"environment:{service.environment_name}", *labels]
        repository, cut = self._github.repository(service.repository), truncate(title, _MAX_TITLE_LENGTH)
        formatted = [format_label(name) for name in names]
        return _issue_ref(self._github.write(lambda: repository.create_issue(cut, body, labels=formatted)))

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """*Effect.* Gives an issue another title and body; what users have ticked stays ticked."""
        known = self._cache.get(service, number)
        body = keep_ticked_items((known.body if known is not None else "") or "", body)
        issue = self._reference(service, number)
        self._github.write(lambda: issue.edit(title=truncate(title, _MAX_TITLE_LENGTH), body=body))

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """*Effect.* Replaces the body's status section. What users wrote elsewhere in the meantime stays."""
        known = self._cache.get(service, number)
        if known is None:
            return
        body, old_title = known.body or "", known.title
        new_body = replace_status_block(body, status_section)
        new_title = truncate(update_title(old_title, title), _MAX_TITLE_LENGTH)
        if new_body is None or (new_body, new_title) == (body, old_title):
            return
        issue = self._reference(service, number)
        # What has not changed is not sent: a user may be changing it just now.
        title_change = new_title if new_title != old_title else NotSet
        body_change = new_body if new_body != body else NotSet
        self._github.write(lambda: issue.edit(title=title_change, body=body_change))

    def create_labels(self, service: Service) -> None:
        """*Effect.* Makes the label by which users stop the automation, so that it can be chosen from the list."""
        repository = self._github.repository(service.repository)
        for name, (color, description) in _LABELS.items():
            if self._github.find(repository.get_label(name).complete) is None:
                self._github.write(partial(repository.create_label, name, color, description))

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        """Whether a comment with the marker is there. Raises Retry where the list of comments lags behind."""
        issue = self._cache.get(service, number)
        total = issue.comments if issue is not None else 0
        listed = 0
        for comment in self._github.read_list(self._reference(service, number).get_comments()):
            listed += 1
            if self._has_own_marker(comment, marker):
                return True
        if listed < total:
            raise Retry(f"{service.repository}#{number} has {total} comments, and its list shows {listed} so far")
        return False

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        """*Effect.* Adds a comment."""
        if not has_marker(body, marker):
            raise Reject("no_marker", "a comment without its marker could never be found again")
        issue = self._reference(service, number)
        self._github.write(lambda: issue.create_comment(body))

    def close(self, service: Service, number: int) -> None:
        """*Effect.* Closes an issue; one that is closed stays closed."""
        issue = self._reference(service, number)
        self._github.write(lambda: issue.edit(state="closed", state_reason="completed"))

    def reopen(self, service: Service, number: int) -> None:
        """*Effect.* Opens a closed issue again; one that is open stays open."""
        issue = self._reference(service, number)
        self._github.write(lambda: issue.edit(state="open", state_reason="reopened"))

    def state(self, service: Service, number: int) -> IssueState:
        """Open or closed, its labels and its body. A deleted issue is closed."""
        issue = self._cache.get(service, number)
        if issue is None:
            return IssueState(is_open=False, labels=frozenset())
        return IssueState(issue.state == "open", frozenset(label.name for label in issue.labels), issue.body or "")

    def _reference(self, service: Service, number: int) -> "Issue":
        """The issue by its number alone, without a request."""
        return self._github.repository(service.repository).get_issue(number)

    def _is_own_issue(self, issue: "Issue", marker: str) -> bool:
        # By its address: `issue.pull_request` would cost a request for each issue of a list, which leaves it out.
        return self._has_own_marker(issue, marker) and "/pull/" not in issue.html_url

    def _has_own_marker(self, item: "Issue | IssueComment", marker: str) -> bool:
        """Any user can copy a marker, but what an App has written has a bot as its author."""
        if not has_marker(item.body or "", marker):
            return False
        return not self._github.is_app or (item.user is not None and item.user.type == "Bot")


class _IssueCache:
    """Issues with their ETags: every incident's is read every minute, and one that has not changed counts for no limit.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    def __init__(self, github: GitHubClient) -> None:
        self._github = github
        self._issues: OrderedDict[tuple[str, int], Issue] = OrderedDict()
        """The one that was read last is the last."""
        self._lock = Lock()

    def get(self, service: Service, number: int) -> "Issue | None":
        """The issue as it is now, None where it was deleted. Raises Retry, Reject."""
        key = (service.repository, number)
        known = self._issues.get(key)
        # A copy: another thread may be reading the known one.
        issue = copy(known) if known is not None else self._github.repository(service.repository).get_issue(number)
        is_gone = self._github.find(issue.update, missing=_DELETED) is None
        with self._lock:
            self._issues.pop(key, None)
            if not is_gone:
                self._issues[key] = issue
            if len(self._issues) > _MAX_CACHED_ISSUES:
                self._issues.popitem(last=False)
        return None if is_gone else issue


def _list_newest_first(repository: "Repository", labels: "Opt[list[str]]") -> "PaginatedList[Issue]":
    return repository.get_issues(state="all", sort="created", direction="desc", labels=labels)


def format_label(name: str) -> str:
    """A name that GitHub takes: one line, no comma (which would be two of them in a search), at most 50 characters."""
    return truncate(to_one_line(name.replace(",", " ")), _MAX_LABEL_LENGTH)


def _issue_ref(issue: "Issue") -> IssueRef:
    return IssueRef(issue.number, issue.html_url)


_WRITE_PERMISSIONS = frozenset({"admin", "maintain", "write"})


class GitHubCollaborators:
    """Implements `shared.ports.Collaborators`."""

    def __init__(self, github: GitHubClient) -> None:
        self._github = github

    def has_write_access(self, service: Service, user: str) -> bool:
        """Whether the user may write to the service's repository. Raises Retry, Reject."""
        repository = self._github.repository(service.repository)
        return self._github.find(lambda: repository.get_collaborator_permission(user)) in _WRITE_PERMISSIONS
