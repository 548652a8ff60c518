"""An issue tracker that keeps issues, comments and labels, and whose search lags behind, as a real one's does."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.ports import Clock, IssueRef, IssueState
from shared.proposal.proposal import update_title
from shared.report.incident_status import has_marker, keep_ticked_items, replace_status_block
from shared.service import Service
from tests.support.memory import ClaimGuard


@dataclass
class FakeIssue:
    """One issue."""

    repository: str
    title: str
    body: str
    opened_at: datetime
    is_open: bool = True
    labels: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    close_count: int = 0
    reopen_count: int = 0


@dataclass
class FakeIssues:
    """Implements `shared.ports.Issues`. `all[n - 1]` is issue n."""

    clock: Clock
    search_delay: timedelta = timedelta(minutes=2)
    """How long an issue is not found after it was opened."""
    issues: list[FakeIssue] = field(default_factory=list)
    repositories_with_labels: list[str] = field(default_factory=list)
    """The repositories whose labels were made."""
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def find(self, service: Service, marker: str) -> IssueRef | None:
        visible = self.clock.now() - self.search_delay
        for number, issue in enumerate(self.issues, 1):
            if issue.repository == service.repository and has_marker(issue.body, marker) and issue.opened_at <= visible:
                return self._reference(service, number)
        return None

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        self.require_claim("open an issue")
        assert has_marker(body, marker), "without its marker an issue cannot be found again"
        self.issues.append(FakeIssue(service.repository, title, body, self.clock.now(), labels={*labels}))
        return self._reference(service, len(self.issues))

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        return any(marker in comment for comment in self.issues[number - 1].comments)

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        self.require_claim("comment")
        assert marker in body, "without its marker a comment cannot be found again"
        self.issues[number - 1].comments.append(body)

    def close(self, service: Service, number: int) -> None:
        self.require_claim("close an issue")
        issue = self.issues[number - 1]
        issue.close_count += issue.is_open
        issue.is_open = False

    def reopen(self, service: Service, number: int) -> None:
        self.require_claim("open an issue again")
        issue = self.issues[number - 1]
        issue.reopen_count += not issue.is_open
        issue.is_open = True

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        self.require_claim("rewrite an issue")
        issue = self.issues[number - 1]
        issue.title, issue.body = title, keep_ticked_items(issue.body, body)

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        self.require_claim("revise an issue")
        issue = self.issues[number - 1]
        issue.body = replace_status_block(issue.body, status_section) or issue.body
        issue.title = update_title(issue.title, title)

    def create_labels(self, service: Service) -> None:
        self.require_claim("make labels")
        self.repositories_with_labels.append(service.repository)

    def state(self, service: Service, number: int) -> IssueState:
        issue = self.issues[number - 1]
        return IssueState(issue.is_open, frozenset(issue.labels), issue.body)

    @staticmethod
    def _reference(service: Service, number: int) -> IssueRef:
        return IssueRef(number, f"https://code.invalid/{service.repository}/issues/{number}")
