"""An issue tracker that is the log of a function: a report is one line, and nothing is ever asked of it again.

For the first day, where provenfix may write nowhere. Each line carries the key by which lines of ours are never taken
for a failure.
"""

import json
from collections.abc import Callable, Sequence
from itertools import accumulate, takewhile

from shared.ports import IssueRef, IssueState
from shared.service import Service

_MARKER = "provenfix"
_MAX_BODY_BYTES = 200_000
"""As JSON: an entry of the log has at most 256 KB."""


class LogIssues:
    """Implements `shared.ports.Issues`. `write` takes one line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def find(self, service: Service, marker: str) -> IssueRef | None:  # as the port has it
        """None: the ledger knows what was written."""

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """See `shared.ports.Issues`. Number 0 without an address."""
        del marker
        self._write_report(service, title, body, labels)
        return IssueRef(0, "")

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """See `shared.ports.Issues`. Another line."""
        del number
        self._write_report(service, title, body, ())

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """Nothing: the functions' own lines say which state an incident is in."""

    def create_labels(self, service: Service) -> None:
        """Nothing."""

    def has_comment(self, service: Service, number: int, marker: str) -> bool:  # noqa: ARG002  # as the port has it
        """True, so that none is written."""
        return True

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        """Nothing."""

    def close(self, service: Service, number: int) -> None:
        """Nothing."""

    def reopen(self, service: Service, number: int) -> None:
        """Nothing."""

    def state(self, service: Service, number: int) -> IssueState:  # noqa: ARG002  # as the port has it
        """Open, and without a body that a regression could take up again."""
        return IssueState(is_open=True, labels=frozenset())

    def _write_report(self, service: Service, title: str, body: str, labels: Sequence[str]) -> None:
        report = {
            "function": "investigate", "outcome": "report", "service": service.id, "title": title,
            "labels": [*labels], "body": _cut_for_json(body),
        }  # fmt: skip
        self._write(json.dumps({"severity": "NOTICE", "message": "investigate: report", _MARKER: report}))


def _cut_for_json(text: str) -> str:
    """A text, or as much of it as JSON writes in `_MAX_BODY_BYTES`: a character beyond ASCII takes six or twelve."""
    if len(json.dumps(text)) <= _MAX_BODY_BYTES:
        return text
    sizes = accumulate(len(json.dumps(character)) - 2 for character in text)
    return text[: sum(1 for _ in takewhile(lambda size: size <= _MAX_BODY_BYTES, sizes))]
