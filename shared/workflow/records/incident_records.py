"""Incidents are loaded and changed here: by compare-and-set only, so that no change is ever lost to another one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.errors import Reject, Retry
from shared.ports import Store, StoredDocument
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.records.cause import Because
from shared.workflow.records.incident_record import Case, document, read_case

KIND = "incidents"
MOST = 500
_MOST_ATTEMPTS = 20


def load(world: World, incident: str) -> Case | None:
    """The incident as of now."""
    stored = world.store.read(KIND, incident)
    return read_case(stored.value) if stored else None


def demand(world: World, incident: str) -> Case:
    """The incident; Reject where there is none."""
    case = load(world, incident)
    if case is None:
        raise Reject("unknown_incident", incident)
    return case


def create(world: World, case: Case) -> bool:
    """Whether it was new."""
    return world.store.create(KIND, case.id, document(case))


def change(world: World, incident: str, how: Callable[[Case], Case]) -> Case:
    """Applies `how` to the incident as it is, again where somebody wrote in between; nothing is written for no change.

    `how` must look at the state that it is given: it may not be the one that the caller saw.
    """
    for _ in range(_MOST_ATTEMPTS):
        stored = world.store.read(KIND, incident)
        if stored is None:
            raise Reject("unknown_incident", incident)
        before = read_case(stored.value)
        after = how(before)
        if after == before or world.store.replace(KIND, incident, document(after), stored.version):
            return after
    raise Retry(f"{incident} is being changed by too many at once")


def active(world: World, service: str) -> Sequence[StoredDocument]:
    """The incidents of a service that are not at rest, unread: one that cannot be read must not hide the others."""
    return world.store.find(KIND, "active_for", service)


def every(store: Store) -> tuple[Sequence[Case], bool]:
    """All that can be read, and whether there are more: a store answers with at most `MOST` of each state.

    Documents are found by a field, and every incident has a state.
    """
    found = [store.find(KIND, "state", state.value, MOST) for state in State]
    return [read_case(stored.value) for each in found for stored in each], any(len(each) >= MOST for each in found)


def end(world: World, incident: str, state: State, why: str | Because, look: int = 0) -> Case:
    """Decides in which state an incident will be at rest; the first decision stays. `finish` does what goes with it.

    `look` is the one that the reason is about; of an incident that is about another one by now, nothing is decided.
    """

    words, cause = (why.words, why.cause) if isinstance(why, Because) else (why, None)

    def decided(case: Case) -> Case:
        if not case.active or case.ending is not None or look not in {0, case.look}:
            return case
        return replace(case, ending=state, ending_why=words, ending_cause=cause, ended_at=world.clock.now())

    return change(world, incident, decided)
