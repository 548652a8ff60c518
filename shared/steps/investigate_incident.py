"""An opened incident comes in; evidence, whys, an issue and a question go out, each of them once."""

from shared.domain.service import Service
from shared.errors import Reject
from shared.steps import cases, paperwork
from shared.steps.case import Case
from shared.steps.flow import State
from shared.steps.world import Outcome, World


def investigate_incident(world: World, incident_id: str) -> Outcome:
    """`proposed`, `reported` or `duplicate`. Raises Retry where it has to be asked again, Reject where never."""
    case = cases.demand(world, incident_id)
    if case.state is not State.OPENED:
        return Outcome("duplicate", case.id, case.state.value)
    service = service_of(world, case)
    papers = paperwork.complete(world, service, case)
    reason = str(papers.evidence.get("reason", ""))
    state = State.PROPOSED if papers.proposal is not None else State.REPORTED

    def advanced(now: Case) -> Case:
        return now.to(state, world.clock.now(), reason) if now.state is State.OPENED else now

    return Outcome(cases.change(world, case.id, advanced).state.value, case.id, reason)


def service_of(world: World, case: Case) -> Service:
    """The incident's service; Reject where it is watched no longer."""
    service = world.services.get(case.service)
    if service is None:
        raise Reject("unknown_service", f"{case.service} is not configured any more")
    return service
