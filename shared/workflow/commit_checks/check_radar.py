"""Looks what is merged and not deployed that ends a failure of what serves, and stores it.

What serves is compared with the deploy branch. Where neither has changed since the last look, nothing is read twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.errors import InputError, Reject, UsageError
from shared.proof.model.ports import History
from shared.proof.undeployed_fixes import RadarRequest, ServiceRadar, UndeployedFix
from shared.pushes import LIMIT_REACHED
from shared.service import Service
from shared.workflow.context import Context, StepResult
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.records import radars
from shared.workflow.records.radars import MAX_ENTRIES, Radar, RadarEntry

MAX_REQUESTS = 60
MAX_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Serving:
    """`commit` is "" where the platform names none."""

    revision: str
    commit: str
    python: str


def check_radar(context: Context, message: Mapping[str, str]) -> StepResult:
    """`found`, `nothing`, or `unknown` with the reason. Raises Retry, Reject."""
    service = context.services.get(message.get("service", ""))
    if service is None:
        raise Reject("unknown_service", f"{message.get('service', '')} is not configured any more")
    radar = radars.store_look(context, service, _look(context, service))
    if radar.reason:
        return StepResult("unknown", detail=f"{service.id}: {radar.reason}")
    return StepResult("found" if radar.entries else "nothing", detail=service.id)


def _look(context: Context, service: Service) -> Radar:
    now, known = context.clock.now(), radars.load_radar(context, service)
    serving = _read_serving(context, service)
    if not serving.commit:
        reason = f"the platform names no commit of {serving.revision}"
        return Radar(looked_at=now, revision=serving.revision, reason=reason)
    try:
        with context.open_limited_history(service, MAX_REQUESTS, MAX_SECONDS) as history:
            return _compare(context, service, history, serving, known)
    except Reject as refused:
        if refused.reason != LIMIT_REACHED:
            raise
        reason = f"the branch was not read to the end: {refused.detail}"
    except (InputError, UsageError) as missing:
        reason = f"the repository could not be read: {missing}"
    return Radar(looked_at=now, revision=serving.revision, deployed=serving.commit, reason=reason)


def _read_serving(context: Context, service: Service) -> _Serving:
    state = context.revisions.get_service_state(service)
    revision = state.revision
    return _Serving(revision.name, revision.commit or "", revision.python)


def _compare(context: Context, service: Service, history: History, serving: _Serving, known: Radar) -> Radar:
    now, head = context.clock.now(), history.branch(service.branch or None).head
    deployed = resolve_commit(history, serving.commit)
    if deployed is None:
        reason = f"the repository does not know {serving.commit}"
        return Radar(looked_at=now, revision=serving.revision, deployed=serving.commit, head=head, reason=reason)
    if (known.deployed, known.head, known.reason) == (deployed, head, ""):
        return replace(known, looked_at=now, revision=serving.revision)
    request = RadarRequest(
        deployed, service.name, service.branch or None, service.source_roots, serving.python or service.python or None
    )
    return _describe(context, service, serving, context.prover.find_radar(history, context.compilers, request))


def _describe(context: Context, service: Service, serving: _Serving, seen: ServiceRadar) -> Radar:
    undeployed = seen.undeployed
    further = undeployed.further_failures + seen.doubtful + max(0, len(seen.fixes) - MAX_ENTRIES)
    return Radar(
        service=service.id,
        looked_at=context.clock.now(),
        revision=serving.revision,
        deployed=undeployed.deployed.id,
        head=undeployed.head.id,
        commits_ahead=undeployed.commits_ahead,
        entries=tuple(map(_describe_entry, seen.fixes[:MAX_ENTRIES])),
        further=further,
        newly_broken=len(undeployed.newly_broken),
        reason=seen.reason,
    )


def _describe_entry(fix: UndeployedFix) -> RadarEntry:
    alarm, commit = fix.alarm, fix.fix
    return RadarEntry(
        alarm.family, alarm.path, alarm.line, alarm.error_class, alarm.message,
        fix=commit.id if commit else "",
        subject=commit.subject if commit else "",
        committed_at=commit.committed_at if commit else None,
        commits_shipped=fix.commits_shipped,
        function=alarm.function,
    )  # fmt: skip
