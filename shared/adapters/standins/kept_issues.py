"""An issue tracker for one machine: issues and comments are documents of the store, and found again by their marker."""

from collections.abc import Mapping, Sequence
from typing import cast

from shared.errors import Reject, Retry
from shared.ports import IssueRef, IssueState, Store, StoredDocument
from shared.proposal.title import update_title
from shared.report.incident_status import replace_status_block, keep_ticked_items
from shared.service import Service

ISSUES_KIND = "local-issues"
_MAX_ATTEMPTS = 20


class LocalIssues:
    """Implements `shared.ports.Issues`. Its own writes are compare-and-set, as any number of functions use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """See `shared.ports.Issues`."""
        for stored in self._store.find(ISSUES_KIND, "marker", marker):
            if stored.value["repository"] == service.repository:
                return _issue_ref(stored)
        return None

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """See `shared.ports.Issues`."""
        number = 1 + len(self._store.find(ISSUES_KIND, "repository", service.repository))
        for taken in range(_MAX_ATTEMPTS):
            value: dict[str, object] = {"repository": service.repository, "number": number + taken, "marker": marker}
            value |= {"title": title, "body": body, "open": True, "labels": [*labels], "comments": []}
            key = _issue_key(service, number + taken)
            if self._store.create(ISSUES_KIND, key, value):
                return _issue_ref(StoredDocument(ISSUES_KIND, key, value, ""))
        raise Retry(f"{service.repository}: no number was free for an issue")

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        """See `shared.ports.Issues`."""
        return any(marker in comment for comment in _text_list(self._read(service, number), "comments"))

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        self._replace(stored, {"comments": [*_text_list(stored, "comments"), body]})

    def close(self, service: Service, number: int) -> None:
        """See `shared.ports.Issues`."""
        self._replace(self._read(service, number), {"open": False})

    def reopen(self, service: Service, number: int) -> None:
        """See `shared.ports.Issues`."""
        self._replace(self._read(service, number), {"open": True})

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """See `shared.ports.Issues`. The marker of another incident, if it has one, is that by which it is found."""
        stored = self._read(service, number)
        body = keep_ticked_items(str(stored.value["body"]), body)
        self._replace(stored, {"title": title, "body": body, "marker": body.partition("\n")[0]})

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        body = replace_status_block(str(stored.value["body"]), status_section)
        if body is not None:
            self._replace(stored, {"body": body, "title": update_title(str(stored.value["title"]), title)})

    def create_labels(self, service: Service) -> None:
        """See `shared.ports.Issues`. Nobody sets labels here."""

    def state(self, service: Service, number: int) -> IssueState:
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        return IssueState(bool(stored.value["open"]), frozenset(_text_list(stored, "labels")), str(stored.value["body"]))

    def _read(self, service: Service, number: int) -> StoredDocument:
        stored = self._store.read(ISSUES_KIND, _issue_key(service, number))
        if stored is None:
            raise Reject("no_such_issue", f"{service.repository}#{number}")
        return stored

    def _replace(self, stored: StoredDocument, changes: Mapping[str, object]) -> None:
        if not self._store.replace(ISSUES_KIND, stored.key, {**stored.value, **changes}, stored.version):
            raise Retry(f"{ISSUES_KIND}/{stored.key} was changed by somebody else")


def _issue_key(service: Service, number: int) -> str:
    return f"{service.repository}#{number}"


def _issue_ref(stored: StoredDocument) -> IssueRef:
    return IssueRef(cast("int", stored.value["number"]), f"local:{stored.key}")


def _text_list(stored: StoredDocument, field: str) -> list[str]:
    return cast("list[str]", stored.value[field])
