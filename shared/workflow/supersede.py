"""Finds what has superseded an open question, and opens its incident for another look.

A deployment or a merge since the question was asked makes it stale: an approval would be refused, or would ship less
than there is. The old message says so, and the next look asks again.
"""

from dataclasses import replace
from datetime import timedelta

from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import ImageStatus
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import build_image_check, read_branch_sign
from shared.workflow.records import incident_record, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.rollout.finish import refresh_message
from shared.workflow.rollout.rollout_limits import is_rollout_active

MIN_QUESTION_AGE = timedelta(hours=1)
"""So long a question stays open at least, whatever is merged: it must not change while an approver reads it;"""
BRANCH_CHECK_INTERVAL = timedelta(minutes=10)
"""from then on the branch is looked at this often."""


def find_newer(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, decision: Decision | None
) -> str:
    """What has superseded the question, in a sentence; "" where nothing has."""
    serving = context.revisions.get_service_state(service)
    if serving.revision.name != proposal.revision:
        return f"Revision {serving.revision.name} serves by now, not {proposal.revision} any more."
    if proposals.is_stale(proposal, serving) and not is_rollout_active(context, service):
        return "The service was changed since this was asked: an approval would be refused."
    if record.proven_trial and proposal.kind is ActionKind.REDEPLOY:
        return ""  # only the commit that was tried has held, no newer one
    now = context.clock.now()
    asked_at = proposal.expires_at - service.proposal_ttl
    recently = record.looked_at is not None and now < record.looked_at + context.limit_wait(BRANCH_CHECK_INTERVAL)
    is_new = now < asked_at + context.limit_wait(MIN_QUESTION_AGE)
    if decision is not None or is_new or recently:  # once an approver has voted, the question stays as it is
        return ""
    return _find_newer_merge(context, service, record, proposal)


def _find_newer_merge(context: Context, service: Service, record: IncidentRecord, proposal: Proposal) -> str:
    """The branch's head, where it has moved and passes every gate that the proposed commit passed."""
    with context.open_history(service) as history:
        sign, head = read_branch_sign(context, service, history), history.branch(service.branch or None).head
        has_moved = sign != record.branch_sign and head != proposal.commit
        objection = (
            not has_moved
            or build_image_check(context, service)(head).status is ImageStatus.MISSING
            or context.prover.find_objection(
                replace(proposal, commit=head),
                service,
                history,
                context.compilers,
                lambda at: context.checks.get_status(service, at),
            )
        )
    if not objection:
        return f"Commit {head} was merged since, and passes every gate as well."
    now = context.clock.now()

    def looked(at: IncidentRecord) -> IncidentRecord:
        return replace(at, looked_at=now, branch_sign=sign) if at.look == record.look else at

    incident_record.update_incident(context, record.id, looked)
    return ""


def reopen_question(context: Context, service: Service, record: IncidentRecord, why: str) -> IncidentRecord:
    """Lets the old message say that it is superseded, and opens the incident for another look."""
    refresh_message(context, service, record, ProposalStatus.SUPERSEDED, why)
    now = context.clock.now()

    def reopen(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.PROPOSED or at.look != record.look or at.ending is not None:
            return at
        return replace(at, look=at.look + 1, looked_at=now, proposal="", message="").moved_to(
            IncidentState.OPENED, now, why
        )

    return incident_record.update_incident(context, record.id, reopen)
