"""A rollout under way comes in; it gets its traffic step by step, is watched, and is closed or taken back.

In: an incident with a rollout. Out: the same one a step further. Each call takes one step at most, and looks at the
world before it: the next tick takes the next one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from shared.domain.moment import rfc3339
from shared.domain.proposal import Proposal, Standing
from shared.domain.rollout import Progress, Serving, address, next_step
from shared.domain.service import Service
from shared.domain.verdict import LONGEST_WATCH, TOLERATED_PROBES, WATCH, Verdict, Watched, judge
from shared.steps import cases, effects, proposals
from shared.steps.case import Case, Rollout
from shared.steps.finish import show
from shared.steps.flow import State
from shared.steps.regression import serves_fix
from shared.steps.world import World

_ENDINGS = {
    Verdict.PROVEN: State.RESOLVED,
    Verdict.FAILED_PROBE: State.ROLLED_BACK,
    Verdict.RECURRED: State.ROLLED_BACK,
    Verdict.NOT_SERVING: State.REPORTED,
    Verdict.NO_TRAFFIC: State.REPORTED,
}


def follow(world: World, service: Service, case: Case) -> Case:
    """While it is deployed: waits for the operation, then gives the revision its next share of the traffic."""
    rollout = case.rollout
    if rollout is None:
        return case
    if not rollout.revision:
        return _await_operation(world, service, case, rollout)
    if rollout.share:
        case = watch(world, service, case)
        if case.ending is not None or case.rollout is None or case.rollout.failed_probes:
            return case
    step = next_step(service.traffic_steps, rollout.share)
    if step is not None:
        refused = effects.shift(world, service, case.proposal, rollout.revision, step)
        if refused:
            return cases.end(world, case.id, State.REPORTED, f"Somebody has changed the service by hand: {refused}.")
    return _shared(world, service, case, rollout.share, step)


def watch(world: World, service: Service, case: Case) -> Case:
    """Probes, looks at what serves and at what was logged, and decides the end where it is time for one."""
    proposal = proposals.demand(world, case.proposal)
    case = _probed(world, service, case)
    rollout = case.rollout
    if rollout is None:
        return case
    serving = world.revisions.serving(service)
    now = world.clock.now()
    since = datetime.fromisoformat(rollout.since) if rollout.since else now
    requests = world.logs.requests(service, serving.revision.name, since) if rollout.since else 0
    watched = Watched(
        since=since,
        serves=_serves(world, service, proposal, rollout, serving),
        failed_probes=rollout.failed_probes,
        recurred=bool(case.recurred),
        requests=requests,
    )
    verdict = judge(watched, now, world.wait(WATCH), world.wait(LONGEST_WATCH))
    if verdict is Verdict.HOLDS:
        return case
    ending, ours = _ENDINGS[verdict], serving.revision.name == rollout.revision
    if ending is State.ROLLED_BACK and not ours and rollout.since:
        ending = State.REPORTED  # somebody has deployed something else since; that is not ours to take back
    return cases.end(world, case.id, ending, _figures(verdict, watched, case, now))


def _await_operation(world: World, service: Service, case: Case, rollout: Rollout) -> Case:
    found = world.deployer.state(service, rollout.operation)
    match found.progress:
        case Progress.RUNNING:
            return case
        case Progress.FAILED:
            return cases.end(world, case.id, State.FAILED, found.detail)
        case Progress.DONE:
            case, healthy = _tried(world, service, case, found.url)
            if not healthy:
                return case
            case = _with_rollout(world, case, lambda now: replace(now, revision=now.revision or found.revision))
            return follow(world, service, case)


def _tried(world: World, service: Service, case: Case, url: str) -> tuple[Case, bool]:
    """Probes a new revision at its own address before anybody is sent there; the case ends where it keeps failing."""
    if not (url and service.probe_url):
        return case, True
    case = _probed(world, replace(service, probe_url=address(service.probe_url, url)), case)
    failed = case.rollout.failed_probes if case.rollout else 0
    if failed >= TOLERATED_PROBES:
        why = f"The new revision failed {failed} probes in a row at its own address, before it had any traffic."
        return cases.end(world, case.id, State.FAILED, why), False
    return case, failed == 0


def _shared(world: World, service: Service, case: Case, before: int, step: int | None) -> Case:
    """Writes the new share down; with all of the traffic, the watch begins."""
    last = next_step(service.traffic_steps, step if step is not None else before) is None

    def further(now: Case) -> Case:
        if now.rollout is None or now.state is not State.DEPLOYING or now.rollout.share != before:
            return now
        moment = world.clock.now()
        since = rfc3339(moment) if last else ""
        now = replace(now, rollout=replace(now.rollout, share=step if step is not None else before, since=since))
        return now.to(State.WATCHING, moment, f"{now.rollout.revision} serves") if last and now.rollout else now

    case = cases.change(world, case.id, further)
    if case.state is State.WATCHING:
        show(world, service, case, Standing.WATCHING, "Deployed. It is watched now.")
    return case


def _probed(world: World, service: Service, case: Case) -> Case:
    if not service.probe_url:
        return case
    failed = not world.probe.connect(service).ok
    return _with_rollout(world, case, lambda now: replace(now, failed_probes=now.failed_probes + 1 if failed else 0))


def _with_rollout(world: World, case: Case, how: Callable[[Rollout], Rollout]) -> Case:
    def changed(now: Case) -> Case:
        return replace(now, rollout=how(now.rollout)) if now.rollout is not None else now

    return cases.change(world, case.id, changed)


def _serves(world: World, service: Service, proposal: Proposal, rollout: Rollout, serving: Serving) -> bool:
    """The approved commit with its whole share, or a later revision that contains it."""
    revision = serving.revision
    if revision.name == rollout.revision:
        return revision.commit == proposal.commit and serving.traffic.get(revision.name, 0) >= rollout.share
    return bool(revision.commit) and serves_fix(world, service, revision.commit or "", proposal.fix)


def _figures(verdict: Verdict, watched: Watched, case: Case, now: datetime) -> str:
    hours = round((now - watched.since).total_seconds() / 3600)
    what = {
        Verdict.PROVEN: f"{watched.requests} requests in {hours} hours, and the failure was not logged again.",
        Verdict.FAILED_PROBE: f"{watched.failed_probes} probes in a row failed.",
        Verdict.RECURRED: f"Revision {case.recurred} contains the fix and logged the failure again.",
        Verdict.NOT_SERVING: f"After {hours} hours the approved commit does not serve.",
        Verdict.NO_TRAFFIC: f"There was not a single request in {hours} hours: silence proves nothing.",
    }
    return what[verdict]
