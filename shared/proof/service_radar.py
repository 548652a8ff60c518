"""Finds what a deployment of the branch would end in one service: a deployed commit in, `ServiceRadar` out.

Like `undeployed_fixes`, and reported only where it is certain: whichever of the repository's images is the service's,
and on a Python that something names.
"""

from dataclasses import dataclass

from shared.proof.check_commit import choose_started, is_definite
from shared.proof.compare_services import ComparisonRequest, StartedService
from shared.proof.model.ports import Compilers, History
from shared.proof.undeployed_fixes import UndeployedFix, UndeployedFixes, find_undeployed_fixes


@dataclass(frozen=True, slots=True)
class RadarRequest:
    """`commit` is deployed; `name` and `source_roots` say which of several images is the service's."""

    commit: str
    name: str
    branch: str | None = None
    source_roots: tuple[str, ...] = ()
    python: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceRadar:
    """`fixes`: what certainly ends; `doubtful`: how many more may end; `reason`: why nothing could be said."""

    undeployed: UndeployedFixes
    fixes: tuple[UndeployedFix, ...]
    doubtful: int
    reason: str = ""


def find_service_radar(history: History, compilers: Compilers, request: RadarRequest) -> ServiceRadar:
    """Raises UsageError for a commit or a branch that is not there."""
    comparison = ComparisonRequest("", request.commit, request.python, source_roots=request.source_roots)
    undeployed = find_undeployed_fixes(history, compilers, comparison, request.branch, lambda _: None)
    started = [StartedService(service.start_path, service.built_by) for service in undeployed.services]
    chosen = {service.start_path for service in choose_started(started, request.name, request.source_roots)}
    services = [service for service in undeployed.services if service.start_path in chosen]
    fixes = tuple(fix for fix in undeployed.fixes if is_definite(fix.alarm, services))
    loads = {alarm.identity for service in services for alarm in service.alarms}
    doubtful = sum(1 for fix in undeployed.fixes if fix.alarm.identity in loads and fix not in fixes)
    reason = "" if services else "no Dockerfile, Procfile or main.py says what starts"
    return ServiceRadar(undeployed, fixes if services else (), doubtful, reason)
