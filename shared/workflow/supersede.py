"""An open question comes in; whether something newer has overtaken it goes out, and then the incident, asked anew.

What was deployed or merged since it was asked makes a question stale: an approval of it would be refused, or would ship
less than there is. The old message says so, and another look asks again.
"""

from dataclasses import replace
from datetime import timedelta

from shared.proposal.proposal import Proposal, ProposalStatus
from shared.service import Service
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.investigation.gather_evidence import branch_sign
from shared.workflow.records import incident_records, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import Case
from shared.workflow.rollout.finish import show
from shared.workflow.rollout.rollout_limits import rolling_out

STANDS = timedelta(hours=1)
"""So long a question stands at least, whatever is merged: it must not change under the hands of who reads it;"""
LOOK = timedelta(minutes=10)
"""from then on the branch is looked at this often."""


def newer(world: World, service: Service, case: Case, proposal: Proposal, decision: Decision | None) -> str:
    """What has overtaken the question, in a sentence; "" where nothing has."""
    serving = world.revisions.serving(service)
    if serving.revision.name != proposal.revision:
        return f"Revision {serving.revision.name} serves by now, not {proposal.revision} any more."
    if proposals.is_stale(proposal, serving) and not rolling_out(world, service):
        return "The service was changed since this was asked: an approval would be refused."
    now = world.clock.now()
    asked = proposal.expires_at - service.proposal_ttl
    recently = case.looked_at is not None and now < case.looked_at + world.wait(LOOK)
    is_new = now < asked + world.wait(STANDS)
    if decision is not None or is_new or recently:  # where somebody has approved already, it stays as it is
        return ""
    return _merged(world, service, case, proposal)


def _merged(world: World, service: Service, case: Case, proposal: Proposal) -> str:
    """The branch's head, where it has moved and passes every gate that the proposed commit passed."""
    with world.histories(service) as history:
        sign, head = branch_sign(world, service, history), history.branch(service.branch or None).head
        has_moved = sign != case.branch_sign and head != proposal.commit
        objection = not has_moved or world.prover.objection(
            replace(proposal, commit=head), service, history, world.compilers, lambda at: world.checks.at(service, at)
        )
    if not objection:
        return f"Commit {head} was merged since, and passes every gate as well."
    now = world.clock.now()

    def looked(at: Case) -> Case:
        return replace(at, looked_at=now, branch_sign=sign) if at.look == case.look else at

    incident_records.change(world, case.id, looked)
    return ""


def ask_anew(world: World, service: Service, case: Case, why: str) -> Case:
    """Lets the old message say that it is superseded, and opens the incident for another look."""
    show(world, service, case, ProposalStatus.SUPERSEDED, why)
    now = world.clock.now()

    def opened(at: Case) -> Case:
        if at.state is not State.PROPOSED or at.look != case.look or at.ending is not None:
            return at
        return replace(at, look=at.look + 1, looked_at=now, proposal="", message="").to(State.OPENED, now, why)

    return incident_records.change(world, case.id, opened)
