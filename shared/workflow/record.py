"""A log entry comes in; an incident is opened once, or found open, or the entry is refused with a reason."""

from dataclasses import replace
from hashlib import blake2b

from shared.detection.entry import LogEntry
from shared.detection.grouping import truncate_entry
from shared.detection.signal import Signal, SignalKind
from shared.proposal.verdict import REOPEN_WINDOW
from shared.service import Service, service_id
from shared.workflow import effects
from shared.workflow.context import Outcome, World
from shared.workflow.flow import State
from shared.workflow.investigation.causes import name_cause
from shared.workflow.investigation.reassemble_traceback import completed
from shared.workflow.investigation.tying import cause_of_close
from shared.workflow.issue.stop_automation import marked_as_wrong
from shared.workflow.open_incident_limits import demand_room
from shared.workflow.records import incident_records
from shared.workflow.records.defects import Defect, defect_of, next_generation
from shared.workflow.records.incident_record import Case
from shared.workflow.records.rejections import refused
from shared.workflow.reopening import look_again
from shared.workflow.rollout.recurrence_kind import Sense, sense

_MOST_ENTRIES = 12

_FIRST = {SignalKind.SYNTAX_ERROR: State.OPENED, SignalKind.CLOSE_1011: State.WAITING}
"""What no redeployment mends is recorded, and nobody is bothered with it."""


def record(world: World, entry: LogEntry) -> Outcome:
    """`opened`, `duplicate`, `attached`, `recurred`, `throttled` or `refused:<reason>`. Raises Retry, Reject."""
    place = service_id(entry.project, entry.service)
    if place in world.own:
        return refused(world, entry, "own_function", place)
    service = world.services.get(place)
    if service is None:
        return refused(world, entry, "unknown_service", place)
    line = (place, entry.revision, blake2b(entry.text.encode("utf-8", "replace"), digest_size=16).digest())
    if world.throttle.recent(line, world.clock.now()):
        return Outcome("throttled")
    read = completed(world, entry)
    if not isinstance(read, Signal):
        return refused(world, entry, read.value, place)
    seen = (place, entry.revision, read.kind, read.error_class, read.path, read.line)
    if world.throttle.recent(seen, world.clock.now()):
        return Outcome("throttled")
    outcome = _record(world, service, read)
    for key in (line, seen):
        world.throttle.recorded(key, world.clock.now())
    return outcome


def _record(world: World, service: Service, signal: Signal) -> Outcome:
    if signal.kind in {SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT}:
        cause = cause_of_close(world, service, signal.entry)
        if cause is not None:
            return Outcome("attached", cause.id)
    defect = defect_of(world, service, signal)
    case = incident_records.load(world, defect.incident)
    if case is not None and not case.active:
        news = sense(world, service, case, signal.entry.revision)
        if news is Sense.OLD or marked_as_wrong(world, service, case):
            if signal.kind is SignalKind.SYNTAX_ERROR and signal.entry.revision:
                name_cause(world, service, signal.entry.revision, case.id)
            if look_again(world, service, case, signal):
                return Outcome("opened", case.id, "logged otherwise")
            return Outcome("duplicate", case.id, f"at rest: {case.state.value}")
        defect = next_generation(world, service, signal, defect)
        case = incident_records.load(world, defect.incident)
    if case is None:
        return _open(world, service, signal, defect)
    return _seen_again(world, service, case, signal)


def _open(world: World, service: Service, signal: Signal, defect: Defect) -> Outcome:
    now, entry = world.clock.now(), signal.entry
    demand_room(world, service)
    if signal.kind is SignalKind.SYNTAX_ERROR and entry.revision:
        name_cause(world, service, entry.revision, defect.incident)
    state = _FIRST.get(signal.kind, State.RECORDED)
    case = Case(
        id=defect.incident,
        fingerprint=defect.fingerprint,
        generation=defect.generation,
        state=state,
        service=service.id,
        kind=signal.kind,
        error_class=signal.error_class,
        path=defect.path,
        revisions=(entry.revision,) if entry.revision else (),
        entries=(truncate_entry(entry),),
        opened_by=world.ids.token(),
        opened_at=now,
        last_seen=entry.timestamp or now,
        regresses=_regresses(world, service, defect, entry.revision),
    ).to(state, now, f"first logged by {entry.revision or 'an unnamed revision'}")
    incident_records.create(world, case)
    stored = incident_records.demand(
        world, case.id
    )  # not the answer of the write tells who opened it, but the owner in it
    if stored.state is State.OPENED:
        effects.publish_opened(world, stored)
    return Outcome("opened" if stored.opened_by == case.opened_by else "duplicate", case.id)


def _regresses(world: World, service: Service, defect: Defect, revision: str) -> str:
    """The incident before this one, if it was resolved lately and its fix runs in the revision that fails now."""
    if defect.generation == 1:
        return ""
    before = incident_records.load(world, replace(defect, generation=defect.generation - 1).incident)
    if before is None or before.state is not State.RESOLVED or before.rest_at is None:
        return ""
    if world.clock.now() > before.rest_at + REOPEN_WINDOW:
        return ""
    return before.id if sense(world, service, before, revision) is Sense.RECURRED else ""


def _seen_again(world: World, service: Service, case: Case, signal: Signal) -> Outcome:
    revision = signal.entry.revision
    if case.state is State.OPENED:
        effects.publish_opened(world, case)  # whoever opened it may have died before this
    if case.rollout is not None and sense(world, service, case, revision) is Sense.RECURRED:
        incident_records.change(
            world, case.id, lambda now: now if now.recurred or now.rollout is None else replace(now, recurred=revision)
        )
        return Outcome("recurred", case.id)
    if case.kind is SignalKind.SYNTAX_ERROR and revision:
        name_cause(world, service, revision, case.id)  # however far the incident is: its 1011 may still be waiting
    known = {*case.revisions, *case.failed_revisions}
    if case.state not in {State.WAITING, State.OPENED, State.UNFIXED} or revision in known:
        return Outcome("duplicate", case.id)
    incident_records.change(world, case.id, lambda now: _with(now, signal))
    return Outcome("attached", case.id)


def _with(case: Case, signal: Signal) -> Case:
    """With one more revision that fails, while nothing has been deployed against it."""
    entry = signal.entry
    if entry.revision in case.revisions or len(case.entries) >= _MOST_ENTRIES or case.rollout is not None:
        return case
    seen = max(case.last_seen, entry.timestamp or case.last_seen)
    revisions = (*case.revisions, entry.revision) if entry.revision else case.revisions
    return replace(case, revisions=revisions, entries=(*case.entries, truncate_entry(entry)), last_seen=seen)
