"""An incident at rest that no commit bore out comes in, with a signal of it; whether it is opened anew goes out.

Whoever can make a service log a line could otherwise name a file first, with a line on which it is sound: the incident
would come to rest, and the real failure be taken for known. What names another line, path or revision is looked into,
the more seldom the more often that came to nothing.
"""

from dataclasses import replace
from datetime import timedelta

from shared.detection.grouping import truncate_entry
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.issue.stop_automation import muted
from shared.workflow.records import incident_records
from shared.workflow.records.incident_record import Case

LOOK = timedelta(minutes=10)
"""So long the first of these looks waits after the last one; each further one as much longer."""
_MOST_ENTRIES = 12
_REPORTS = "reports"
"""Where `gather_evidence` keeps what a look has found; importing it loads the whole proof, and slows a start."""


def look_again(world: World, service: Service, case: Case, signal: Signal) -> bool:
    """Opens the incident for another look, with the signal's entry, where that tells what the last look did not see."""
    if not _may_tell_more(world, case, signal) or muted(world, service, case):
        return False
    now = world.clock.now()

    def opened(at: Case) -> Case:
        if at.state is not State.REPORTED or at.look != case.look:
            return at
        entries = (*at.entries[: _MOST_ENTRIES - 1], truncate_entry(signal.entry))
        again = replace(at, look=at.look + 1, looked_at=now, entries=entries)
        return again.to(State.OPENED, now, f"logged otherwise by {signal.entry.revision or 'an unnamed revision'}")

    case = incident_records.change(world, case.id, opened)
    if case.state is not State.OPENED:
        return False
    effects.publish_opened(world, case)
    return True


def _may_tell_more(world: World, case: Case, signal: Signal) -> bool:
    if case.state is not State.REPORTED or case.rollout is not None or signal.kind is not SignalKind.SYNTAX_ERROR:
        return False
    if case.looked_at is not None and world.clock.now() < case.looked_at + world.wait(LOOK) * case.look:
        return False
    if _sight(signal) in {_sight(each) for entry in case.entries if isinstance(each := read_signal(entry), Signal)}:
        return False
    stored = world.store.read(_REPORTS, case.evidence)
    return stored is not None and stored.value.get("corroborated") is False


def _sight(signal: Signal) -> tuple[str, str, int | None]:
    return signal.entry.revision, signal.path, signal.line
