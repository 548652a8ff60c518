"""An opened incident comes in; evidence, whys, an issue and a question go out, each of them once."""

from dataclasses import replace

from shared.errors import Reject
from shared.proof.model.finding import Reason
from shared.service import Service
from shared.workflow.context import StepResult, Context
from shared.workflow.flow import IncidentState
from shared.workflow.issue import issue_updates, publish_findings
from shared.workflow.records import documents, incident_records
from shared.workflow.records.incident_record import IncidentRecord

_RECHECKED_REASONS = frozenset(
    reason.value
    for reason in (
        Reason.NO_FIX,
        Reason.FIX_IN_PULL_REQUEST,
        Reason.FIX_UNMERGED,
        Reason.NO_TARGET,
        Reason.CHECKS_RED,
        Reason.FIX_DID_NOT_HOLD,
    )
)
"""What the next push to the branch, or the end of a check, can turn into something to deploy."""


def investigate_incident(context: Context, incident_id: str) -> StepResult:
    """`proposed`, `unfixed`, `reported` or `duplicate`. Raises Retry, or Reject where it can never be."""
    case = incident_records.require_incident(context, incident_id)
    if case.state is not IncidentState.OPENED:
        if not case.active:  # no tick looks at it, and the last delivery may have ended before its issue said so
            issue_updates.post_updates(context, require_service(context, case), case)
        return StepResult("duplicate", case.id, case.state.value)
    service = require_service(context, case)
    papers = publish_findings.publish_findings(context, service, case)
    reason = documents.read_text(papers.evidence, "reason")
    state = IncidentState.UNFIXED if reason in _RECHECKED_REASONS else IncidentState.REPORTED
    if papers.proposal is not None:
        state = IncidentState.PROPOSED

    def advanced(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.OPENED or now.look != case.look:
            return now
        moment, sign = context.clock.now(), documents.read_text(papers.evidence, "branch_sign")
        return replace(now, branch_sign=sign, looked_at=moment).moved_to(state, moment, reason)

    case = issue_updates.post_updates(context, service, incident_records.update_incident(context, case.id, advanced))
    return StepResult(case.state.value, case.id, reason, (context.clock.now() - case.opened_at).total_seconds())


def require_service(context: Context, record: IncidentRecord) -> Service:
    """The incident's service; Reject where it is watched no longer."""
    service = context.services.get(record.service)
    if service is None:
        raise Reject("unknown_service", f"{record.service} is not configured any more")
    return service
