"""Whether the log of a new revision shows the failure again: a rollout in, the answer out.

The log sink's messages may be late, or lost: before traffic moves on, and before anything is called mended, the log
itself is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.signal import SignalKind
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.incident_record import IncidentRecord, Rollout


@dataclass(frozen=True, slots=True)
class _EntryList:
    all: Sequence[LogEntry]

    def entries(self) -> Iterator[LogEntry]:
        return iter(self.all)


def has_recurred(context: Context, service: Service, record: IncidentRecord, rollout: Rollout) -> bool:
    """Whether the new revision logged the incident's kind of failure, or any other that no import survives."""
    began = datetime.fromisoformat(rollout.begun) if rollout.begun else record.opened_at
    # Of this revision alone: where the former one fails as well, its entries are all that one answer holds.
    mine = context.logs.read_entries(service, began, context.clock.now(), rollout.revision)
    if not mine:
        return False
    found = collect_incidents(_EntryList(mine), service=service.name, environment=service.environment_name).incidents
    return any(incident.kind in {record.kind, SignalKind.SYNTAX_ERROR} for incident in found)
