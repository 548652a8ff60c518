"""When an incident was logged, detected, proposed, approved, deployed and verified.

All milestones are computed here, from the incident's history, so that nothing is stored twice and every duration that
is shown starts at the same time: that of the first log entry that the incident was opened on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ports import Document
from shared.report.incident_status import FOUND
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import IncidentRecord

_STATE_BY_MILESTONE = {
    "proposed": IncidentState.PROPOSED,
    "approved": IncidentState.APPROVED,
    "deployed": IncidentState.WATCHING,
    "verified": IncidentState.RESOLVED,
}


@dataclass(frozen=True, slots=True)
class Milestones:
    """Each is the first of its kind, and None until it has come."""

    logged: datetime
    """The first stored log entry; where none has a time with a date, when the incident was detected."""
    detected: datetime
    proposed: datetime | None = None
    approved: datetime | None = None
    deployed: datetime | None = None
    """When all of the traffic went to the new revision, and the watch began."""
    verified: datetime | None = None
    is_found_early: bool = False
    """Whether a check has found it: then `logged` is when it did."""

    def list_reached(self) -> list[tuple[str, datetime]]:
        """Name and time of those that have come, in the order of `MILESTONE_NAMES`; `FOUND` in place of `logged`."""
        (_, begin), *later = [(name, at) for name in MILESTONE_NAMES if (at := getattr(self, name)) is not None]
        return [(FOUND if self.is_found_early else MILESTONE_NAMES[0], begin), *later]

    def duration_between(self, since: str, until: str) -> timedelta | None:
        """Between two milestones by name; None unless both have come, in this order."""
        if self.is_found_early and since == MILESTONE_NAMES[0]:
            return None  # no log entry began it
        first, last = getattr(self, since), getattr(self, until)
        return last - first if first is not None and last is not None and last >= first else None

    def time_since_logged(self, name: str) -> timedelta | None:
        """How long after the first log entry; None where it has not come. The log's clock may be ahead of ours."""
        at: datetime | None = getattr(self, name)
        return max(at - self.logged, timedelta()) if at is not None else None

    def to_json(self) -> Document:
        """By name, RFC 3339 in UTC."""
        moments = {name: getattr(self, name) for name in MILESTONE_NAMES}
        return {name: format_rfc3339(moment) if moment is not None else None for name, moment in moments.items()}


MILESTONE_NAMES = ("logged", "detected", *_STATE_BY_MILESTONE)
"""In the order in which they come."""


def is_found_early(record: IncidentRecord) -> bool:
    """Whether a check has found it, before anything was logged."""
    return any(entry.is_predicted for entry in record.entries)


def compute_milestones(record: IncidentRecord) -> Milestones:
    """From its history; of several steps into one state the first counts."""
    reached: dict[IncidentState, datetime] = {}
    for step in record.history:
        reached.setdefault(step.state, step.at)
    logged = min(
        (entry.timestamp for entry in record.entries if entry.timestamp and entry.dated), default=record.opened_at
    )
    by_name = {name: reached.get(state) for name, state in _STATE_BY_MILESTONE.items()}
    return Milestones(logged, record.opened_at, is_found_early=is_found_early(record), **by_name)
