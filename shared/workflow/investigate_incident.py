"""An opened incident comes in; evidence, whys, an issue and a question go out, each of them once."""

from dataclasses import replace

from shared.errors import Reject
from shared.proof.model.finding import Reason
from shared.service import Service
from shared.workflow.context import Outcome, World
from shared.workflow.flow import State
from shared.workflow.issue import issue_updates, publish_findings
from shared.workflow.records import documents, incident_records
from shared.workflow.records.incident_record import Case

_MAY_CHANGE = frozenset(
    reason.value
    for reason in (
        Reason.NO_FIX,
        Reason.FIX_IN_PULL_REQUEST,
        Reason.FIX_UNMERGED,
        Reason.NO_TARGET,
        Reason.CHECKS_RED,
        Reason.FIX_FAILED,
    )
)
"""What the next push to the branch, or the end of a check, can turn into something to deploy."""


def investigate_incident(world: World, incident_id: str) -> Outcome:
    """`proposed`, `unfixed`, `reported` or `duplicate`. Raises Retry, or Reject where it can never be."""
    case = incident_records.demand(world, incident_id)
    if case.state is not State.OPENED:
        if not case.active:  # no tick looks at it, and the last delivery may have ended before its issue said so
            issue_updates.tell(world, service_of(world, case), case)
        return Outcome("duplicate", case.id, case.state.value)
    service = service_of(world, case)
    papers = publish_findings.complete(world, service, case)
    reason = documents.text(papers.evidence, "reason")
    state = State.UNFIXED if reason in _MAY_CHANGE else State.REPORTED
    if papers.proposal is not None:
        state = State.PROPOSED

    def advanced(now: Case) -> Case:
        if now.state is not State.OPENED or now.look != case.look:
            return now
        moment, sign = world.clock.now(), documents.text(papers.evidence, "branch_sign")
        return replace(now, branch_sign=sign, looked_at=moment).to(state, moment, reason)

    case = issue_updates.tell(world, service, incident_records.change(world, case.id, advanced))
    return Outcome(case.state.value, case.id, reason, (world.clock.now() - case.opened_at).total_seconds())


def service_of(world: World, case: Case) -> Service:
    """The incident's service; Reject where it is watched no longer."""
    service = world.services.get(case.service)
    if service is None:
        raise Reject("unknown_service", f"{case.service} is not configured any more")
    return service
