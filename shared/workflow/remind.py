"""Reminds of a question that nobody has answered in time: once, and once more after each snooze; ends its alerts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from shared.errors import Reject, Retry
from shared.proposal.proposal import Proposal, Reminder
from shared.proposal.states import ProposalStatus
from shared.service import PAGER, Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import ensure_evidence
from shared.workflow.ledger import read_result
from shared.workflow.records import decisions, incident_record, proposals
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.rejections import record_rejection


def remind_if_due(context: Context, service: Service, record: IncidentRecord, proposal: Proposal) -> None:
    """Reminds channel and pager of an open question; a kill switch silences it. Raises Retry.

    Where one of the two cannot be reached, the other is; both are tried again at the next tick.
    """
    asked_at = _find_time_asked(record)
    if not service.remind_after or not record.message or asked_at is None:
        return
    due = asked_at + context.limit_wait(service.remind_after)
    if context.clock.now() < max(due, record.snoozed_until or due) or context.is_kill_switch_on(service.id):
        return
    if _is_reminded(context, service, _build_marker(record, proposal)):
        return
    reminder = _build_reminder(context, service, record, proposal, asked_at)

    def is_awaited() -> bool:
        now = incident_record.require_incident(context, record.id)
        is_answered = not decisions.is_open(decisions.load_decision(context, proposal.decision_key))
        return now.ending is None and now.snoozed_until == record.snoozed_until and not is_answered

    addressees: list[Callable[[], None]] = [
        lambda: effects.remind_channel(context, service, record.message, reminder, is_awaited)
    ]
    if service.escalate_to == PAGER:
        addressees.insert(0, lambda: _alert_pager(context, service, record, reminder, is_awaited))
    _reach_all(context, addressees, reminder)


def _alert_pager(
    context: Context, service: Service, record: IncidentRecord, reminder: Reminder, is_awaited: Callable[[], bool]
) -> None:
    """Remembers the alert before it is raised: whatever dies in between, it is resolved."""
    incident_record.update_incident(
        context,
        record.id,
        lambda now: replace(now, open_alerts=tuple(dict.fromkeys((*now.open_alerts, reminder.marker)))),
    )
    effects.alert_pager(context, service, reminder, is_awaited)


def resolve_alerts(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Ends the pager's alerts once the question is answered, or the incident is ending. Raises Retry."""
    if not record.open_alerts or (record.state is IncidentState.PROPOSED and record.ending is None):
        return record
    for marker in record.open_alerts if service.escalate_to == PAGER else ():
        try:
            effects.resolve_alert(context, service, marker)
        except Reject as refused:
            record_rejection(context, f"resolve.{marker}", refused.reason, refused.detail)
    resolved = record.open_alerts

    def forget(now: IncidentRecord) -> IncidentRecord:
        return replace(now, open_alerts=tuple(marker for marker in now.open_alerts if marker not in resolved))

    return incident_record.update_incident(context, record.id, forget)


def _find_time_asked(record: IncidentRecord) -> datetime | None:
    steps = [step.at for step in record.history if step.state is IncidentState.PROPOSED]
    return steps[-1] if steps else None


def _is_reminded(context: Context, service: Service, marker: str) -> bool:
    """Whether everybody whom the service names was reminded."""
    addressees = ("remind", "alert") if service.escalate_to == PAGER else ("remind",)
    return all(read_result(context, f"{addressee}.{marker}") is not None for addressee in addressees)


def _build_marker(record: IncidentRecord, proposal: Proposal) -> str:
    """One reminder of a question, and one more after each snooze."""
    snoozed = f".{format_rfc3339(record.snoozed_until)}" if record.snoozed_until else ""
    return f"{proposal.id}.reminder{snoozed}"


def _build_reminder(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, asked_at: datetime
) -> Reminder:
    evidence = ensure_evidence(context, service, record)
    message = proposals.build_message(proposal, evidence, record, ProposalStatus.OPEN)
    return Reminder(
        marker=_build_marker(record, proposal),
        title=message.brief.title or message.title,
        asked_at=asked_at,
        expires_at=proposal.expires_at,
        issue_url=message.issue_url,
    )


def _reach_all(context: Context, addressees: list[Callable[[], None]], reminder: Reminder) -> None:
    failures: list[Retry] = []
    for reach in addressees:
        try:
            reach()
        except Retry as failure:
            failures.append(failure)
        except Reject as refused:
            record_rejection(context, f"remind.{reminder.marker}", refused.reason, refused.detail)
    if failures:
        raise failures[0]
