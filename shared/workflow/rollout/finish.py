"""Finishes an incident whose end is decided: performs the effects of that end, then puts the incident at rest.

The order makes it safe: first the decision, by compare-and-set; then the effects, each through the ledger; last the
state at rest, after which no tick looks at the incident any more.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.proposal.proposal import Message
from shared.proposal.rollout import WATCH_DURATION
from shared.proposal.state_words import INCIDENT_WORDS, PINNED, describe_incident_end
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.text.timestamps import format_timestamp
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.effects import IssueStatusUpdate
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import ensure_evidence
from shared.workflow.issue.issue_updates import (
    describe_approval,
    format_current_title,
    format_milestones,
    post_updates,
    render_current_status,
)
from shared.workflow.records import decisions, incident_record, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import EndCause, IncidentRecord
from shared.workflow.records.proposals import STATUS_BY_END_STATE
from shared.workflow.remind import resolve_alerts
from shared.workflow.rollout.outlook import Outlook, assess_outlook
from shared.workflow.rollout.rollout_effects import TrafficOrder, record_deployment, request_traffic

STOPPED_SENTENCE = "Deployments of this service were stopped while the rollout was under way."
"""Why a rollout ended that the kill switch has met: it gets no further share, and loses the one that it had."""


def reopen_record(record: IncidentRecord, commit: str, now: datetime) -> IncidentRecord:
    """The incident, to be looked at without what has just failed: `commit`, and the revision that ran it."""
    rollout = record.rollout
    ran = (rollout.revision,) if rollout is not None and rollout.revision else ()
    again = replace(
        record, look=record.look + 1, looked_at=now, proposal="", message="", rollout=None, recurred="", ending=None,
        ending_why="", ending_cause=None, ended_at=None,
        failed_commits=tuple(dict.fromkeys((*record.failed_commits, commit))),
        failed_revisions=tuple(dict.fromkeys((*record.failed_revisions, *ran))),
    )  # fmt: skip
    return again.moved_to(
        IncidentState.OPENED, now, f"{short_sha(commit)} did not hold, and the revision that served before fails"
    )


_COMMENTED_STATES = frozenset(STATUS_BY_END_STATE) - {IncidentState.MUTED}
REVERTED_STATES = frozenset((IncidentState.ROLLED_BACK, IncidentState.FAILED))
"""A deployment pins the traffic where it is; after one that failed, too, it is to be as it was."""


def finish_incident(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Raises Retry where some of it has to be done again; what was done by then stays done."""
    ending = record.ending
    if ending is None or not record.active:
        return record
    if ending is IncidentState.TRIED:
        end = _unpin_after_trial(context, record)
    else:
        end = _put_traffic_back(context, service, record, ending)  # before all else: it waits for no other effect
    if end is None:
        return record
    _update_issue(context, service, record, end)
    if end.state is IncidentState.RESOLVED and record.issue is not None:
        effects.close_issue(context, service, record.issue.number, record.id)
    if end.state is IncidentState.RESOLVED:
        record_deployment(context, service, record)
    refresh_message(context, service, record, STATUS_BY_END_STATE.get(end.state), end.why)
    resolve_alerts(context, service, record)
    failed = proposals.require_proposal(context, record.proposal).commit if end.earlier_commit else ""
    tried = proposals.require_proposal(context, record.proposal).commit if end.state is IncidentState.TRIED else ""

    def at_rest(now: IncidentRecord) -> IncidentRecord:
        if not now.active or now.ending is None or now.look != record.look:
            return now
        moment = context.clock.now()
        rested = replace(
            now.moved_to(end.state, now.ended_at or moment, end.why),
            ending=end.state, ending_why=end.why, ending_cause=end.cause, rest_at=moment,
        )  # fmt: skip
        rested = _add_failed_trial(replace(rested, told=rested.last_step_id), tried)
        return reopen_record(rested, failed, moment) if failed else rested

    record = incident_record.update_incident(context, record.id, at_rest)
    if record.state is IncidentState.OPENED:
        effects.publish_incident_opened(context, record)
    return record


@dataclass(frozen=True, slots=True)
class IncidentEnd:
    """A decided end: what it means, and the reason."""

    state: IncidentState
    words: str
    why: str
    cause: EndCause | None
    earlier_commit: str = ""
    """The commit that users are asked about next; "" where there is none."""


def _put_traffic_back(
    context: Context, service: Service, record: IncidentRecord, ending: IncidentState
) -> IncidentEnd | None:
    """The end as it is after the traffic of a failed rollout was put back, or could not be; None until then."""
    words, why = _describe_end(context, record, ending), record.ending_why
    if ending not in REVERTED_STATES or record.rollout is None:
        return IncidentEnd(ending, words, why, record.ending_cause)
    refused = request_traffic(context, TrafficOrder(record.proposal, record.rollout.previous, 100))
    if refused is None:
        return None
    if refused:
        words = f"The traffic was not restored: a user changed the service by hand ({quote_untrusted(refused)})."
        return IncidentEnd(IncidentState.REPORTED, words, f"{words} {why}", EndCause.NOT_PUT_BACK)
    outlook = _build_outlook(context, service, record)
    why = f"{_end_with_full_stop(why)}{outlook.words}"
    return IncidentEnd(ending, words, why, record.ending_cause, outlook.commit)


_DECLINED_STATES = frozenset((IncidentState.DENIED, IncidentState.EXPIRED, IncidentState.REFUSED))
"""Ends of a question; after a trial the traffic is still tied by name then."""
_CAUSES_AGAINST_COMMIT = frozenset((EndCause.NO_DIFFERENCE, EndCause.REVISION_FAILS, EndCause.RECURRED_BEFORE_TRAFFIC))
"""Ends of a trial after which its commit is not tried again."""


def _unpin_after_trial(context: Context, record: IncidentRecord) -> IncidentEnd | None:
    """The end of a trial; None until it is there.

    No traffic was moved, but for the time of the trial it was tied to the revisions by name.
    """
    words, why = describe_incident_end(IncidentState.TRIED, ""), record.ending_why
    is_pinned = record.rollout is not None and record.ending_cause is not EndCause.OTHER_REVISION_SERVES
    if record.rollout is not None and is_pinned:
        refused = request_traffic(context, TrafficOrder(record.proposal, record.rollout.previous, 100))
        if refused is None:
            return None
        changed = f" The traffic stays as a user has split it since ({quote_untrusted(refused)})." if refused else ""
        why = f"{why}{changed}"
    return IncidentEnd(IncidentState.TRIED, words, why, record.ending_cause)


def _add_failed_trial(record: IncidentRecord, commit: str) -> IncidentRecord:
    """What its revision logs later is no news, and a commit that failed in a trial is not tried again."""
    rollout = record.rollout
    if not commit or rollout is None:
        return record
    commits = (commit,) if record.ending_cause in _CAUSES_AGAINST_COMMIT else ()
    return replace(
        record,
        failed_commits=tuple(dict.fromkeys((*record.failed_commits, *commits))),
        failed_revisions=tuple(
            dict.fromkeys((*record.failed_revisions, *((rollout.revision,) if rollout.revision else ())))
        ),
    )


def _build_outlook(context: Context, service: Service, record: IncidentRecord) -> Outlook:
    proposal = proposals.require_proposal(context, record.proposal)
    return assess_outlook(service, record, proposal, ensure_evidence(context, service, record))


def _end_with_full_stop(sentence: str) -> str:
    """With a full stop and a space, so that another sentence can follow."""
    return f"{sentence.rstrip()}{'' if sentence.rstrip().endswith(('.', '!', '?')) else '.'} " if sentence else ""


def _describe_end(context: Context, record: IncidentRecord, ending: IncidentState) -> str:
    if ending is IncidentState.REPORTED and record.rollout is None:
        return "No commit to deploy was found. Please check it yourself."
    watched = context.limit_wait(WATCH_DURATION)
    hours = watched // timedelta(hours=1)  # none on a machine that cuts its waits short
    words = describe_incident_end(ending, f"{hours}-hour" if hours else f"{round(watched.total_seconds())}-second")
    is_pinned = bool(record.proven_trial) and record.rollout is None and ending in _DECLINED_STATES
    return f"{words} {PINNED}" if is_pinned else words


def _update_issue(context: Context, service: Service, record: IncidentRecord, end: IncidentEnd) -> None:
    """Shows the end on the issue: as a comment where it is news to a user, and in the body's status section."""
    why, step = quote_untrusted(end.why, 900), f"{end.state.value}{'' if record.look == 1 else record.look}"
    words = f"{_describe_action(context, record, end.state)}{end.words}"
    if end.state in _COMMENTED_STATES and (record.rollout is not None or end.state is not IncidentState.REPORTED):
        record = post_updates(context, service, record)  # what led to the end comes before it
        times = (format_milestones(record),) if end.state is IncidentState.RESOLVED else ()
        effects.post_comment(context, service, record, step, (words, why, *times))
    revised = IssueStatusUpdate(
        render_current_status(context, record, f"{words} {why}".strip(), end.state),
        format_current_title(context, record, end.state),
    )

    def by_now() -> IssueStatusUpdate | None:
        now = incident_record.require_incident(context, record.id)
        return revised if now.look == record.look and now.ending is not None else None  # else something newer is shown

    effects.update_issue_status(context, service, record, step, by_now)


def _describe_action(context: Context, record: IncidentRecord, state: IncidentState) -> str:
    """`Rolled back automatically at … (approved by nora (`U-NORA`) at …). `; "" where a user has ended it."""
    action = INCIDENT_WORDS[state].action
    if not action or not record.proposal:
        return ""
    at = format_timestamp(record.ended_at or context.clock.now(), dated=True)
    approval = describe_approval(context, proposals.require_proposal(context, record.proposal))
    return f"{action} at {at}{f' ({approval})' if approval else ''}. "


def refresh_message(
    context: Context, service: Service, record: IncidentRecord, status: ProposalStatus | None, reason: str
) -> None:
    """Brings the proposal's message up to date, where there is one."""
    if status is None or not record.message:
        return
    proposal = proposals.require_proposal(context, record.proposal)
    message = proposals.build_message(proposal, ensure_evidence(context, service, record), record, status, reason)
    person, decision = (
        decisions.find_last_decider(context, proposal.decision_key),
        decisions.load_decision(context, proposal.decision_key),
    )
    message = replace(message, at=_find_status_time(context, record, status))
    if person is not None:
        message = replace(message, by=person[0], decided_at=person[1])
    if decision is not None:
        message = _add_votes(message, decision, service.quorum)
    effects.update_message(
        context, service, record.message, message, decision.version if decision and status is ProposalStatus.OPEN else 0
    )


def _find_status_time(context: Context, record: IncidentRecord, status: ProposalStatus) -> datetime | None:
    """Since when the question has this status; never the time of the approval."""
    if status in {ProposalStatus.OPEN, ProposalStatus.SUPERSEDED}:
        return context.clock.now()
    if record.ending is not None:
        return record.ended_at
    return record.history[-1].at if record.history else None


def _add_votes(message: Message, decision: Decision, quorum: int) -> Message:
    back = message.alternative
    if back is not None:
        back = replace(back, approvals=decision.approvals(back.proposal))
    return replace(message, approvals=decision.approvals(message.proposal), alternative=back, quorum=quorum)
