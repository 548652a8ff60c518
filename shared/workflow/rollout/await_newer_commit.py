"""Waits for a newer commit after a trial that has proven nothing: another look asks whether that one is to be tried."""

from dataclasses import replace
from datetime import timedelta

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import read_branch_sign
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.records import incident_record
from shared.workflow.records.incident_record import IncidentRecord

BRANCH_CHECK_INTERVAL = timedelta(minutes=10)
"""How often the deploy branch of an incident without a fix is read"""
MAX_UNFIXED_AGE = timedelta(days=7)
"""for so long."""
MAX_LOOKS = 20
"""So often an incident is asked about at most; after that its question stays open until it expires."""


def await_newer_commit(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """One tick of an incident whose trial has ended; opened again once the branch has moved."""
    now = context.clock.now()
    if now >= record.opened_at + MAX_UNFIXED_AGE or record.look >= MAX_LOOKS:
        return _leave(context, record, IncidentState.REPORTED, "nothing newer to try")
    if incident_record.load_incident(context, record.next_incident_id) is not None:
        return _leave(context, record, IncidentState.REPORTED, f"it failed again: {record.next_incident_id}")
    if record.looked_at is not None and now < record.looked_at + context.limit_wait(BRANCH_CHECK_INTERVAL):
        return record
    if is_automation_stopped(context, service, record):
        return _leave(context, record, IncidentState.MUTED, "the issue was closed or marked as wrong")
    with context.open_history(service) as history:
        sign = read_branch_sign(context, service, history)

    def looked(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.TRIED or at.look != record.look:
            return at
        if sign == at.branch_sign:
            return replace(at, looked_at=now)
        return at.to_be_reinvestigated(now, f"the branch has moved: {sign}")

    return incident_record.update_incident(context, record.id, looked)


def _leave(context: Context, record: IncidentRecord, state: IncidentState, why: str) -> IncidentRecord:
    """No tick looks at it any more. What the issue says of the trial stays."""

    def leave_trial(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.TRIED or at.look != record.look:
            return at
        return replace(at, rollout=None).moved_to(state, context.clock.now(), why)

    return incident_record.update_incident(context, record.id, leave_trial)
