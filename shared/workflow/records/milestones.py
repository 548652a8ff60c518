"""An incident comes in, the moments that count go out: when it was logged, detected, proposed, approved, and so on.

Every clock that is shown starts at the same one: the first log entry that the incident was opened on. Read from its
history, so that nothing has to be kept twice. A moment that has not come, or never will, is None.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ports import Document
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord

_STATE_BY_MILESTONE = {
    "proposed": IncidentState.PROPOSED,
    "approved": IncidentState.APPROVED,
    "deployed": IncidentState.WATCHING,
    "verified": IncidentState.RESOLVED,
}


@dataclass(frozen=True, slots=True)
class Milestones:
    """Each is the first of its kind: an incident is proposed again only where nothing came of the first look."""

    logged: datetime
    """The first log entry that was kept; where none has a time with a date, when it was detected."""
    detected: datetime
    proposed: datetime | None = None
    approved: datetime | None = None
    deployed: datetime | None = None
    """All of the traffic goes to the new revision, and the watch begins."""
    verified: datetime | None = None

    def duration_between(self, since: str, until: str) -> timedelta | None:
        """Between two of them by name; None unless both have come, in this order."""
        first, last = getattr(self, since), getattr(self, until)
        return last - first if first is not None and last is not None and last >= first else None

    def time_since_logged(self, name: str) -> timedelta | None:
        """How long after the first log entry; None where it has not come. A clock of the log's may be ahead of ours."""
        at: datetime | None = getattr(self, name)
        return max(at - self.logged, timedelta()) if at is not None else None

    def to_json(self) -> Document:
        """By name, RFC 3339 in UTC."""
        moments = {name: getattr(self, name) for name in MILESTONE_NAMES}
        return {name: format_rfc3339(moment) if moment is not None else None for name, moment in moments.items()}


MILESTONE_NAMES = ("logged", "detected", *_STATE_BY_MILESTONE)
"""In the order in which they come."""


def compute_milestones(record: IncidentRecord) -> Milestones:
    """Raises `Reject("unreadable_document")` for a history that is none."""
    reached: dict[str, datetime] = {}
    for step in record.history:
        reached.setdefault(documents.read_text(step, "state"), documents.read_time(step, "at"))
    logged = min(
        (entry.timestamp for entry in record.entries if entry.timestamp and entry.dated), default=record.opened_at
    )
    found = {name: reached.get(state.value) for name, state in _STATE_BY_MILESTONE.items()}
    return Milestones(logged, record.opened_at, **found)
