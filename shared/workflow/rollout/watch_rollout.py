"""Gives a rollout its traffic step by step, watches it, and decides its end.

Each call takes one step at most, after a look at the platform: the next tick takes the next one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from shared.proposal.rollout import (
    MAX_WATCH_DURATION,
    TOLERATED_FAILED_PROBES,
    WATCH_DURATION,
    Deployment,
    RolloutVerdict,
    ServiceState,
    WatchObservations,
    build_revision_url,
    find_next_traffic_step,
    judge_rollout,
)
from shared.proposal.state_words import VERDICT_SENTENCES
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import incident_record, proposals
from shared.workflow.records.incident_record import EndCause, EndReason, IncidentRecord, Rollout, end_cause_of
from shared.workflow.records.milestones import is_found_early
from shared.workflow.rollout.finish import STOPPED_SENTENCE
from shared.workflow.rollout.give_traffic import store_share
from shared.workflow.rollout.new_revision import (
    count_requests,
    describe_manual_change,
    find_new_revision,
    is_serving,
    read_platform_failure,
)
from shared.workflow.rollout.recurrence import has_recurred
from shared.workflow.rollout.rollout_effects import TrafficOrder, request_traffic

_END_STATES = {
    RolloutVerdict.PROVEN: IncidentState.RESOLVED,
    RolloutVerdict.FAILED_PROBE: IncidentState.ROLLED_BACK,
    RolloutVerdict.FAILED_REVISION: IncidentState.ROLLED_BACK,
    RolloutVerdict.RECURRED: IncidentState.ROLLED_BACK,
    RolloutVerdict.CHANGED: IncidentState.REPORTED,
    RolloutVerdict.INCONCLUSIVE: IncidentState.REPORTED,
}


def advance_rollout(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """While it is deployed: waits for the operation, then gives the revision its next share of the traffic."""
    rollout = record.rollout
    if rollout is None:
        return record
    if context.is_kill_switch_on(service.id):
        return _end_stopped(context, record)
    if not rollout.revision:
        return _await_revision(context, service, record, rollout)
    if rollout.share:
        record = watch_rollout(context, service, record)
        if record.ending is not None or record.rollout is None or record.rollout.failed_probes or record.rollout.missed:
            return record
    return _shift_next_share(context, service, record, rollout)


def _shift_next_share(context: Context, service: Service, record: IncidentRecord, rollout: Rollout) -> IncidentRecord:
    step = find_next_traffic_step(service.traffic_steps, rollout.share)
    if step is not None:
        if context.is_kill_switch_on(service.id):  # to probe and to read the log takes its time
            return _end_stopped(context, record)
        refused = request_traffic(context, TrafficOrder(record.proposal, rollout.revision, step))
        if refused is None:
            return record
        if refused:
            return _end_changed_by_hand(context, record, describe_manual_change(refused))
    return store_share(context, service, record, rollout.share, step)


def _end_stopped(context: Context, record: IncidentRecord) -> IncidentRecord:
    """The kill switch was turned: the share is put back."""
    return incident_record.end_incident(
        context, record.id, IncidentState.ROLLED_BACK, EndReason(EndCause.STOPPED, STOPPED_SENTENCE), record.look
    )


def watch_rollout(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Probes, reads what serves and what was logged, and decides the end where it is time for one."""
    if record.rollout is None:
        return record
    record, serving = _check_service(context, service, record, record.rollout)
    rollout = record.rollout
    if rollout is None:
        return record
    now = context.clock.now()
    since = rollout.since or now
    over = rollout.since is not None and now >= since + context.limit_wait(WATCH_DURATION)
    if (over or not rollout.since) and has_recurred(context, service, record, rollout):
        record = incident_record.update_incident(
            context, record.id, lambda at: replace(at, recurred=at.recurred or rollout.revision) if at.rollout else at
        )
    ours = serving.traffic.get(rollout.revision, 0) > 0
    watched = WatchObservations(
        since=since,
        missed_traffic_checks=rollout.missed,
        failed_probes=rollout.failed_probes,
        has_recurred=bool(record.recurred),
        revision_failure=read_platform_failure(context, service, rollout) if ours else "",
        request_count=count_requests(context, service, rollout, serving, since) if over else 0,
        successful_probes=rollout.passed_probes,
    )
    verdict = judge_rollout(watched, now, context.limit_wait(WATCH_DURATION), context.limit_wait(MAX_WATCH_DURATION))
    if verdict is RolloutVerdict.HOLDS:
        return record
    ending = _END_STATES[verdict]
    if ending is IncidentState.ROLLED_BACK and not ours and rollout.since:
        ending = IncidentState.REPORTED  # another deployment was made since; that one is not ours to take back
    why = EndReason(end_cause_of(verdict), _describe_verdict(verdict, watched, record, serving, now))
    return incident_record.end_incident(context, record.id, ending, why, record.look)


def _check_service(
    context: Context, service: Service, record: IncidentRecord, rollout: Rollout
) -> tuple[IncidentRecord, ServiceState]:
    """Probes the service, and counts whether the rollout still has its share of the traffic."""
    proposal = proposals.require_proposal(context, record.proposal)
    probed = service if rollout.since else _with_revision_address(context, service, rollout)
    record = _probe_service(context, probed, record)
    serving = context.revisions.get_service_state(service)
    is_missed = not is_serving(context, service, proposal, record.rollout or rollout, serving)
    counted = _update_rollout(context, record, lambda now: replace(now, missed=now.missed + 1 if is_missed else 0))
    return counted, serving


def _await_revision(context: Context, service: Service, record: IncidentRecord, rollout: Rollout) -> IncidentRecord:
    """Waits for the new revision. It must run what was approved, and be healthy, before it gets any traffic."""
    revision = find_new_revision(context, service, record, rollout)
    if isinstance(revision, EndReason):
        is_manual = revision.cause is EndCause.SHIFT_REFUSED
        return _end_changed_by_hand(context, record, revision) if is_manual else _end_failed(context, record, revision)
    return _accept_revision(context, service, record, revision) if revision is not None else record


def _accept_revision(
    context: Context, service: Service, record: IncidentRecord, deployment: Deployment
) -> IncidentRecord:
    """Probes a revision that runs the approved commit, and begins to give it traffic."""
    record, healthy = _probe_new_revision(context, service, record, deployment.url)
    if not healthy:
        return record
    if record.rollout is not None and has_recurred(
        context, service, record, replace(record.rollout, revision=deployment.revision)
    ):
        why = f"Revision {deployment.revision} logged the failure again before it had any traffic."
        return _end_failed(context, record, EndReason(EndCause.RECURRED_BEFORE_TRAFFIC, why))
    record = _update_rollout(
        context,
        record,
        lambda now: (
            now if now.revision else replace(now, revision=deployment.revision, share=deployment.traffic_percent)
        ),
    )
    return advance_rollout(context, service, record)


def _end_failed(context: Context, record: IncidentRecord, why: EndReason) -> IncidentRecord:
    """A deployment that never served: it ends as failed."""
    return incident_record.end_incident(context, record.id, IncidentState.FAILED, why, record.look)


def _probe_new_revision(
    context: Context, service: Service, record: IncidentRecord, url: str
) -> tuple[IncidentRecord, bool]:
    """Probes a new revision at its own address before it gets traffic; the incident ends where it keeps failing."""
    if not (url and service.probe_url):
        return record, True
    record = _probe_service(context, replace(service, probe_url=build_revision_url(service.probe_url, url)), record)
    failed = record.rollout.failed_probes if record.rollout else 0
    if failed >= TOLERATED_FAILED_PROBES:
        why = f"The new revision failed {failed} probes in a row at its own address, before it had any traffic."
        return _end_failed(context, record, EndReason(EndCause.FAILED_PROBE_BEFORE_TRAFFIC, why)), False
    return record, failed == 0


def _with_revision_address(context: Context, service: Service, rollout: Rollout) -> Service:
    """The new revision alone, where it can be reached: who served before still has its part, and fails.

    Where it never can be, nothing is probed until it has all of the traffic: the log judges its first shares.
    """
    deployment = context.deployer.state(service, rollout.operation) if service.probe_url else None
    if deployment is not None and deployment.unprobeable_reason:
        return replace(service, probe_url="")
    url = deployment.url if deployment is not None else ""
    return replace(service, probe_url=build_revision_url(service.probe_url, url)) if url else service


def _probe_service(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    if not service.probe_url:
        return record
    ok = context.probe.check(service).ok

    def count_probe(now: Rollout) -> Rollout:
        failed, passed = (0, now.passed_probes + 1) if ok else (now.failed_probes + 1, now.passed_probes)
        return replace(now, failed_probes=failed, passed_probes=passed)

    return _update_rollout(context, record, count_probe)


def _update_rollout(context: Context, record: IncidentRecord, update: Callable[[Rollout], Rollout]) -> IncidentRecord:
    def changed(now: IncidentRecord) -> IncidentRecord:
        return replace(now, rollout=update(now.rollout)) if now.rollout is not None else now

    return incident_record.update_incident(context, record.id, changed)


def _end_changed_by_hand(context: Context, record: IncidentRecord, why: EndReason) -> IncidentRecord:
    return incident_record.end_incident(context, record.id, IncidentState.REPORTED, why, record.look)


def _describe_verdict(
    verdict: RolloutVerdict, watched: WatchObservations, record: IncidentRecord, serving: ServiceState, now: datetime
) -> str:
    spent = (now - watched.since).total_seconds()
    # A machine that cuts its waits short watches for seconds.
    lasted = f"{round(spent / 3600)} hours" if spent >= 3600 else f"{round(spent)} seconds"
    split = ", ".join(f"{name} serves {share} %" for name, share in sorted(serving.traffic.items()) if share)
    probes = f" and {watched.successful_probes} probes that stayed open" if watched.successful_probes else ""
    return VERDICT_SENTENCES[verdict].format(
        requests=watched.request_count,
        lasted=lasted,
        probes=probes,
        failed_probes=watched.failed_probes,
        failure=watched.revision_failure,
        recurred=record.recurred,
        again="" if is_found_early(record) else " again",
        split=split,
    )
