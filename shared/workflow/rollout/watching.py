"""A rollout under way comes in; it gets its traffic step by step, is watched, and is closed or taken back.

In: an incident with a rollout. Out: the same one a step further. Each call takes one step at most, and looks at the
world before it: the next tick takes the next one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.proposal.proposal import Proposal, ProposalStatus
from shared.proposal.rollout import Deployment, DeploymentProgress, ServiceState, build_revision_url, find_next_traffic_step
from shared.proposal.verdict import MAX_WATCH_DURATION, TOLERATED_FAILED_PROBES, WATCH_DURATION, RolloutVerdict, WatchObservations, judge_rollout
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.investigation.platform_evidence import resolved
from shared.workflow.records import incident_records, proposals
from shared.workflow.records.cause import Because, Cause, cause_of
from shared.workflow.records.incident_record import Case, Rollout
from shared.workflow.rollout.finish import show
from shared.workflow.rollout.next_question import STOPPED
from shared.workflow.rollout.recurrence import logged_again
from shared.workflow.rollout.recurrence_kind import serves_fix

LONGEST_DEPLOYMENT = timedelta(hours=1)
"""A deployment that takes longer is given up: what comes of it later gets no traffic from here."""

_ENDINGS = {
    RolloutVerdict.PROVEN: State.RESOLVED,
    RolloutVerdict.FAILED_PROBE: State.ROLLED_BACK,
    RolloutVerdict.FAILED_REVISION: State.ROLLED_BACK,
    RolloutVerdict.RECURRED: State.ROLLED_BACK,
    RolloutVerdict.CHANGED: State.REPORTED,
    RolloutVerdict.INCONCLUSIVE: State.REPORTED,
}


def follow(world: World, service: Service, case: Case) -> Case:
    """While it is deployed: waits for the operation, then gives the revision its next share of the traffic."""
    rollout = case.rollout
    if rollout is None:
        return case
    if world.kill_switch(service.id):
        return _stopped(world, case)
    if not rollout.revision:
        return _await_operation(world, service, case, rollout)
    if rollout.share:
        case = watch(world, service, case)
        if case.ending is not None or case.rollout is None or case.rollout.failed_probes or case.rollout.missed:
            return case
    return _next_share(world, service, case, rollout)


def _next_share(world: World, service: Service, case: Case, rollout: Rollout) -> Case:
    step = find_next_traffic_step(service.traffic_steps, rollout.share)
    if step is not None:
        if world.kill_switch(service.id):  # to probe and to read the log takes its time
            return _stopped(world, case)
        refused = effects.shift(world, service, case.proposal, rollout.revision, step)
        if refused:
            return _by_hand(world, case, refused)
    return _shared(world, service, case, rollout.share, step)


def _stopped(world: World, case: Case) -> Case:
    """The kill switch was turned: the share is put back."""
    return incident_records.end(world, case.id, State.ROLLED_BACK, Because(Cause.STOPPED, STOPPED), case.look)


def watch(world: World, service: Service, case: Case) -> Case:
    """Probes, looks at what serves and at what was logged, and decides the end where it is time for one."""
    proposal = proposals.demand(world, case.proposal)
    if case.rollout is None:
        return case
    case = _probed(world, service if case.rollout.since else _at_own_address(world, service, case.rollout), case)
    if case.rollout is None:
        return case
    serving = world.revisions.serving(service)
    missed = not _serves(world, service, proposal, case.rollout, serving)
    case = _with_rollout(world, case, lambda now: replace(now, missed=now.missed + 1 if missed else 0))
    rollout = case.rollout
    if rollout is None:
        return case
    now = world.clock.now()
    since = datetime.fromisoformat(rollout.since) if rollout.since else now
    over = bool(rollout.since) and now >= since + world.wait(WATCH_DURATION)
    if (over or not rollout.since) and logged_again(world, service, case, rollout):
        case = incident_records.change(
            world, case.id, lambda at: replace(at, recurred=at.recurred or rollout.revision) if at.rollout else at
        )
    ours = serving.traffic.get(rollout.revision, 0) > 0
    watched = WatchObservations(
        since=since,
        missed=rollout.missed,
        failed_probes=rollout.failed_probes,
        recurred=bool(case.recurred),
        failed=_failed(world, service, rollout) if ours else "",
        requests=_requests(world, service, rollout, serving, since) if over else 0,
        probes=rollout.passed_probes,
    )
    verdict = judge_rollout(watched, now, world.wait(WATCH_DURATION), world.wait(MAX_WATCH_DURATION))
    if verdict is RolloutVerdict.HOLDS:
        return case
    ending = _ENDINGS[verdict]
    if ending is State.ROLLED_BACK and not ours and rollout.since:
        ending = State.REPORTED  # somebody has deployed something else since; that is not ours to take back
    why = Because(cause_of(verdict), _figures(verdict, watched, case, serving, now))
    return incident_records.end(world, case.id, ending, why, case.look)


def _await_operation(world: World, service: Service, case: Case, rollout: Rollout) -> Case:
    found = world.deployer.state(service, rollout.operation)
    match found.progress:
        case DeploymentProgress.RUNNING:
            if rollout.begun and world.clock.now() >= datetime.fromisoformat(rollout.begun) + LONGEST_DEPLOYMENT:
                minutes = round(LONGEST_DEPLOYMENT.total_seconds() / 60)
                late = "whatever comes of it gets no traffic until somebody gives it some"
                why = f"The deployment has not ended within {minutes} minutes; {late}."
                return _given_up(world, case, Because(Cause.DEPLOYMENT_LATE, why))
            return case
        case DeploymentProgress.FAILED:
            return _given_up(world, case, Because(Cause.DEPLOYMENT_FAILED, found.detail))
        case DeploymentProgress.DONE:
            return _deployed(world, service, case, found)


def _deployed(world: World, service: Service, case: Case, found: Deployment) -> Case:
    """A revision that is ready: it must run what was approved, and be healthy, before anybody is sent there."""
    other = _other_commit(world, service, proposals.demand(world, case.proposal), found.revision)
    if other is not None:
        return _given_up(world, case, other)
    if found.untended:
        refused = effects.shift(world, service, case.proposal, found.revision, 0)
        return _by_hand(world, case, refused) if refused else case
    case, healthy = _tried(world, service, case, found.url)
    if not healthy:
        return case
    if case.rollout is not None and logged_again(world, service, case, replace(case.rollout, revision=found.revision)):
        why = f"Revision {found.revision} logged the failure again before it had any traffic."
        return _given_up(world, case, Because(Cause.RECURRED_BEFORE_TRAFFIC, why))
    case = _with_rollout(
        world, case, lambda now: now if now.revision else replace(now, revision=found.revision, share=found.share)
    )
    return follow(world, service, case)


def _given_up(world: World, case: Case, why: Because) -> Case:
    """A deployment that never served: it ends as failed."""
    return incident_records.end(world, case.id, State.FAILED, why, case.look)


def _other_commit(world: World, service: Service, proposal: Proposal, name: str) -> Because | None:
    """Why a new revision is not known to run the approved commit; None where it is."""
    revision = world.revisions.revision(service, name)
    if revision is None:
        return Because(Cause.REVISION_GONE, f"Revision {name} does not exist any more.")
    if not revision.commit:
        unknown = f"Nothing says which commit revision {name} was built from"
        return Because(Cause.UNKNOWN_COMMIT, f"{unknown}: it may be another than the approved one.")
    if not revision.runs(proposal.commit):
        built = f"Revision {name} was built from {revision.commit}"
        return Because(Cause.OTHER_COMMIT, f"{built}, and not from the approved {proposal.commit}.")
    if revision.commit != proposal.commit:
        with world.histories(service) as history:
            if resolved(history, revision.commit) != proposal.commit:
                names = f"Revision {name} names {revision.commit}"
                return Because(Cause.AMBIGUOUS_COMMIT, f"{names}, which is not short for {proposal.commit} alone.")
    return None


def _tried(world: World, service: Service, case: Case, url: str) -> tuple[Case, bool]:
    """Probes a new revision at its own address before anybody is sent there; the case ends where it keeps failing."""
    if not (url and service.probe_url):
        return case, True
    case = _probed(world, replace(service, probe_url=build_revision_url(service.probe_url, url)), case)
    failed = case.rollout.failed_probes if case.rollout else 0
    if failed >= TOLERATED_FAILED_PROBES:
        why = f"The new revision failed {failed} probes in a row at its own address, before it had any traffic."
        return _given_up(world, case, Because(Cause.FAILED_PROBE_BEFORE_TRAFFIC, why)), False
    return case, failed == 0


def _at_own_address(world: World, service: Service, rollout: Rollout) -> Service:
    """The new revision alone, where it can be reached: who served before still has its part, and fails."""
    url = world.deployer.state(service, rollout.operation).url if service.probe_url else ""
    return replace(service, probe_url=build_revision_url(service.probe_url, url)) if url else service


def _shared(world: World, service: Service, case: Case, before: int, step: int | None) -> Case:
    """Writes the new share down; with all of the traffic, the watch begins."""
    last = find_next_traffic_step(service.traffic_steps, step if step is not None else before) is None

    def further(now: Case) -> Case:
        if now.rollout is None or now.state is not State.DEPLOYING or now.rollout.share != before:
            return now
        moment = world.clock.now()
        since = format_rfc3339(moment) if last else ""
        share = step if step is not None else before
        now = replace(now, rollout=replace(now.rollout, share=share, since=since, passed_probes=0))
        return now.to(State.WATCHING, moment, f"{now.rollout.revision} serves") if last and now.rollout else now

    case = incident_records.change(world, case.id, further)
    if case.state is State.WATCHING:
        show(world, service, case, ProposalStatus.WATCHING, "Deployed. It is watched now.")
    return case


def _probed(world: World, service: Service, case: Case) -> Case:
    if not service.probe_url:
        return case
    ok = world.probe.connect(service).ok

    def counted(now: Rollout) -> Rollout:
        failed, passed = (0, now.passed_probes + 1) if ok else (now.failed_probes + 1, now.passed_probes)
        return replace(now, failed_probes=failed, passed_probes=passed)

    return _with_rollout(world, case, counted)


def _with_rollout(world: World, case: Case, how: Callable[[Rollout], Rollout]) -> Case:
    def changed(now: Case) -> Case:
        return replace(now, rollout=how(now.rollout)) if now.rollout is not None else now

    return incident_records.change(world, case.id, changed)


def _serves(world: World, service: Service, proposal: Proposal, rollout: Rollout, serving: ServiceState) -> bool:
    """The new revision with its whole share; or, once it had all, nothing but later ones that contain the fix."""
    if serving.traffic.get(rollout.revision, 0) >= rollout.share:
        return True
    others = [name for name, share in serving.traffic.items() if share and name != rollout.revision]
    return bool(rollout.since) and all(_has_fix(world, service, proposal, name) for name in others)


def _has_fix(world: World, service: Service, proposal: Proposal, name: str) -> bool:
    revision = world.revisions.revision(service, name)
    return bool(revision and revision.commit) and serves_fix(
        world, service, str(revision and revision.commit), proposal.fix
    )


def _failed(world: World, service: Service, rollout: Rollout) -> str:
    """What the platform says about the new revision, where it was ready and no longer is."""
    found = world.deployer.state(service, rollout.operation)
    # A later rollout may have taken the operation's place: only what is said of this revision counts.
    failed = found.progress is DeploymentProgress.FAILED and found.revision == rollout.revision
    return (found.detail or "It is no longer ready.") if failed else ""


def _requests(world: World, service: Service, rollout: Rollout, serving: ServiceState, since: datetime) -> int:
    """Of all revisions that answered since then with the fix. They are counted once: reading a log has a price."""
    names = dict.fromkeys((rollout.revision, *(name for name, share in serving.traffic.items() if share)))
    return sum(world.logs.requests(service, name, since) for name in names)


def _by_hand(world: World, case: Case, refused: str) -> Case:
    why = Because(Cause.SHIFT_REFUSED, f"Somebody has changed the service by hand: {refused}.")
    return incident_records.end(world, case.id, State.REPORTED, why, case.look)


def _figures(verdict: RolloutVerdict, watched: WatchObservations, case: Case, serving: ServiceState, now: datetime) -> str:
    spent = (now - watched.since).total_seconds()
    # A machine that cuts its waits short watches for seconds.
    lasted = f"{round(spent / 3600)} hours" if spent >= 3600 else f"{round(spent)} seconds"
    split = ", ".join(f"{name} serves {share} %" for name, share in sorted(serving.traffic.items()) if share)
    probes = f" and {watched.probes} probes that stayed open" if watched.probes else ""
    what = {
        RolloutVerdict.PROVEN: f"{watched.requests} requests in {lasted}{probes}, and the failure was not logged again.",
        RolloutVerdict.FAILED_PROBE: f"{watched.failed_probes} probes in a row failed.",
        RolloutVerdict.FAILED_REVISION: f"The new revision was ready, and is no longer: {watched.failed}",
        RolloutVerdict.RECURRED: f"Revision {case.recurred} contains the fix and logged the failure again.",
        RolloutVerdict.CHANGED: f"Somebody has changed the service by hand: {split}.",
        RolloutVerdict.INCONCLUSIVE: f"Inconclusive: there was not a single request in {lasted}; silence proves nothing.",
    }
    return what[verdict]
