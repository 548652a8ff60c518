"""An incident at rest that no commit bore out comes in, with a signal of it; whether it is opened anew goes out.

Whoever can make a service log a line could otherwise name a file first, with a line on which it is sound: the incident
would come to rest, and the real failure be taken for known. What names another line, path or revision is looked into,
the more seldom the more often that came to nothing.
"""

from dataclasses import replace
from datetime import timedelta

from shared.detection.grouping import truncate_entry
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.issue.stop_automation import is_automation_stopped
from shared.workflow.records import incident_records
from shared.workflow.records.incident_record import IncidentRecord

REOPEN_INTERVAL = timedelta(minutes=10)
"""So long the first of these looks waits after the last one; each further one as much longer."""
_MAX_REOPENED_ENTRIES = 12
_REPORTS_KIND = "reports"
"""Where `gather_evidence` keeps what a look has found; importing it loads the whole proof, and slows a start."""


def reopen_incident(context: Context, service: Service, record: IncidentRecord, signal: Signal) -> bool:
    """Opens the incident for another look, with the signal's entry, where that tells what the last look did not see."""
    if not _shows_something_new(context, record, signal) or is_automation_stopped(context, service, record):
        return False
    now = context.clock.now()

    def opened(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.REPORTED or at.look != record.look:
            return at
        entries = (*at.entries[: _MAX_REOPENED_ENTRIES - 1], truncate_entry(signal.entry))
        again = replace(at, look=at.look + 1, looked_at=now, entries=entries)
        return again.moved_to(IncidentState.OPENED, now, f"logged otherwise by {signal.entry.revision or 'an unnamed revision'}")

    record = incident_records.update_incident(context, record.id, opened)
    if record.state is not IncidentState.OPENED:
        return False
    effects.publish_incident_opened(context, record)
    return True


def _shows_something_new(context: Context, record: IncidentRecord, signal: Signal) -> bool:
    if record.state is not IncidentState.REPORTED or record.rollout is not None or signal.kind is not SignalKind.SYNTAX_ERROR:
        return False
    if record.looked_at is not None and context.clock.now() < record.looked_at + context.limit_wait(REOPEN_INTERVAL) * record.look:
        return False
    if _sighting_key(signal) in {_sighting_key(each) for entry in record.entries if isinstance(each := read_signal(entry), Signal)}:
        return False
    stored = context.store.read(_REPORTS_KIND, record.evidence_key)
    return stored is not None and stored.value.get("corroborated") is False


def _sighting_key(signal: Signal) -> tuple[str, str, int | None]:
    return signal.entry.revision, signal.path, signal.line
