"""Opens an incident that led to no proof for another look, where a later log entry says something new."""

from dataclasses import replace
from datetime import timedelta

from shared.detection.grouping import truncate_entry
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.records import incident_record, reports
from shared.workflow.records.incident_record import IncidentRecord

REOPEN_INTERVAL = timedelta(minutes=10)
"""So long the first of these looks waits after the last one; each further one as much longer."""
_MAX_REOPENED_ENTRIES = 12


def reopen_incident(context: Context, service: Service, record: IncidentRecord, signal: Signal) -> bool:
    """Opens the incident for another look, with the signal's entry, where that says what the last look did not see."""
    if not shows_something_new(context, record, signal) or is_automation_stopped(context, service, record):
        return False
    now = context.clock.now()

    def reopen(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.REPORTED or at.look != record.look:
            return at
        entries = (*at.entries[: _MAX_REOPENED_ENTRIES - 1], truncate_entry(signal.entry))
        again = replace(at, look=at.look + 1, looked_at=now, entries=entries)
        return again.moved_to(
            IncidentState.OPENED, now, f"logged otherwise by {signal.entry.revision or 'an unnamed revision'}"
        )

    record = incident_record.update_incident(context, record.id, reopen)
    if record.state is not IncidentState.OPENED:
        return False
    effects.publish_incident_opened(context, record)
    return True


def shows_something_new(context: Context, record: IncidentRecord, signal: Signal) -> bool:
    """Whether the last look led to no proof, and saw no such line of this revision."""
    if (
        record.state is not IncidentState.REPORTED
        or record.rollout is not None
        or signal.kind is not SignalKind.SYNTAX_ERROR
    ):
        return False
    if (
        record.looked_at is not None
        and context.clock.now() < record.looked_at + context.limit_wait(REOPEN_INTERVAL) * record.look
    ):
        return False
    if _build_sighting_key(signal) in {
        _build_sighting_key(earlier) for entry in record.entries if isinstance(earlier := read_signal(entry), Signal)
    }:
        return False
    report = reports.load_report(context, record)
    return report is not None and report.get("corroborated") is False


def _build_sighting_key(signal: Signal) -> tuple[str, str, int | None]:
    return signal.entry.revision, signal.path, signal.line
