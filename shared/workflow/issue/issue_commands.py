"""What a person wants of an incident comes in, from its issue; it is done if they may, once for each delivery.

To mute is believed to nobody: the issue itself is asked how it stands. So a forged or late event mutes nothing.
"""

from dataclasses import replace

from shared.errors import Reject
from shared.ports import WRONG_LABEL, People, IssueCommand, IssueEvent
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Outcome, World
from shared.workflow.flow import State
from shared.workflow.issue.stop_automation import muted
from shared.workflow.records import incident_records
from shared.workflow.records.incident_record import Case

_KIND = "deliveries"


def heed(world: World, people: People, wished: IssueEvent) -> Outcome:
    """`muted`, `asked_again`, `nothing` or `duplicate`. Raises Retry, Reject with a reason."""
    if world.store.read(_KIND, wished.delivery) is not None:
        return Outcome("duplicate", wished.incident, wished.delivery)
    case = incident_records.demand(world, wished.incident)
    service = world.services.get(case.service)
    if service is None or service.repository.lower() != wished.repository.lower():
        raise Reject("foreign_repository", f"{wished.repository} for {case.id}")
    if case.issue is None or case.issue.number != wished.issue:
        raise Reject("foreign_issue", f"{wished.repository}#{wished.issue} for {case.id}")
    if wished.wish is IssueCommand.REINVESTIGATE and not people.may_instruct(service, wished.person):
        raise Reject("not_a_collaborator", f"{wished.person} on {wished.repository}")
    outcome = Outcome("nothing", case.id)
    if wished.wish is IssueCommand.REINVESTIGATE:
        outcome = _again(world, service, case, wished.person)
        if outcome.name == "nothing":  # whoever asked is to know
            effects.comment(world, service, case, f"answer.{wished.delivery}", (ANSWERS.get(outcome.detail, _BUSY),))
    if wished.wish is IssueCommand.MUTE and muted(world, service, case):
        incident_records.end(world, case.id, State.MUTED, f"{wished.person} closed the issue or marked it as wrong")
        outcome = Outcome("muted", case.id)
    # Last: a delivery that was cut off before this is heeded again, and all of the above may happen twice.
    world.store.create(_KIND, wished.delivery, {"incident": case.id, "wish": wished.wish.value})
    return outcome


def _again(world: World, service: Service, case: Case, person: str) -> Outcome:
    """Another look at what could not be mended so far; one that is being decided, deployed or muted is left alone."""
    now = world.clock.now()
    if incident_records.load(world, case.after) is not None:
        return Outcome("nothing", case.id, _SUPERSEDED)
    if case.askable and muted(world, service, case):
        return Outcome("nothing", case.id, _ENDED)

    def looked(at: Case) -> Case:
        if at.look != case.look or not at.askable:
            return at
        again = replace(at, look=at.look + 1, looked_at=now, proposal="", message="", ending=None, ending_why="")
        return again.to(State.OPENED, now, f"{person} asked for it")

    case = incident_records.change(world, case.id, looked)
    if case.state is not State.OPENED or case.ending is not None:
        return Outcome("nothing", case.id, (case.ending or case.state).value)
    effects.publish_opened(world, case, _BY_HAND)
    return Outcome("asked_again", case.id)


_BUSY = "Nothing was looked at again: this incident is being worked on, or something was deployed against it."
_SUPERSEDED = "superseded"
_ENDED = "ended"
"""By a person, whatever has become of it before: what it led to would be withdrawn at the next tick."""
ANSWERS = {
    _SUPERSEDED: "Nothing was looked at again: the failure has come back since, and has an incident of its own.",
    _ENDED: (
        f"Nothing was looked at again: this issue is closed, or carries the label `{WRONG_LABEL}`. Open it, or take the "
        "label off, and ask once more."
    ),
    State.PROPOSED: "Nothing was looked at again: the question in the chat is still open. Decide it there first.",
    State.MUTED: "Nothing was looked at again: a person has ended this incident, and that holds for good.",
    State.RESOLVED: "Nothing was looked at again: this incident is resolved.",
}
_BY_HAND = 1_000_000
"""The nudge of a person; those of the clock count from 0."""
