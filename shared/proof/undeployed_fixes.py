"""Finds what is merged but not deployed, and provably ends a failure of the deployed commit, before any user meets it.

The deployed commit is compared with the branch: what definitely fails there and no longer at the head was fixed
between them. The commit that fixed it is searched by halves along the first parents, so each is a proven step from
"fails" to "holds".

`find_service_radar` does it for one service: a deployed commit in, `ServiceRadar` out. It reports only what is certain:
whichever of the repository's images is the service's, and on a Python that something names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from shared.proof.check_commit import choose_started, is_definite
from shared.proof.compare_services import (
    Alarm,
    ComparedService,
    ComparisonRequest,
    ServiceComparison,
    list_alarms,
)
from shared.proof.model.history import Commit
from shared.proof.model.ports import Compilers, History
from shared.proof.started_services import StartedService
from shared.text.phrases import short_sha

MAX_FIXES = 50
"""For so many failures the commit that ends them is searched."""


@dataclass(frozen=True, slots=True)
class UndeployedFix:
    """A failure of the deployed commit, and the commit of the branch that ends it."""

    alarm: Alarm
    fix: Commit | None
    """None where the branch never had the failure: what is deployed was not made from it."""
    commits_shipped: int
    """So many commits of the branch's first parents go out with the fix, itself included."""


@dataclass(frozen=True, slots=True)
class UndeployedFixes:
    """What a deployment of the branch's head would change."""

    deployed: Commit
    head: Commit
    commits_ahead: int
    """First parents of the head that are not deployed."""
    fixes: tuple[UndeployedFix, ...]
    """The one that was merged first comes first; at most `MAX_FIXES`."""
    further_failures: int
    """Failures that end as well, and whose commit was not searched."""
    newly_broken: tuple[Alarm, ...]
    """What the head breaks and the deployed commit does not."""
    services: tuple[ComparedService, ...]


def _find_fix(comparison: ServiceComparison, deployed: str, branch: Sequence[Commit], alarm: Alarm) -> UndeployedFix:
    """The commit that ends a failure which the last commit of the branch does not have."""
    fails, holds = -1, len(branch) - 1
    while holds - fails > 1:
        middle = (fails + holds) // 2
        fails, holds = (fails, middle) if comparison.is_ended(alarm, branch[middle].id) else (middle, holds)
    commit = branch[holds]
    before = commit.parents[0] if commit.parents else ""
    is_step = holds > 0 or before == deployed or not (before and comparison.is_ended(alarm, before))
    return UndeployedFix(alarm, commit if is_step else None, holds + 1)


def find_undeployed_fixes(
    history: History,
    compilers: Compilers,
    request: ComparisonRequest,
    branch: str | None,
    show: Callable[[str], None],
) -> UndeployedFixes:
    """`request.commit` is the deployed one; the baseline is put in. `show` takes a sentence of progress.

    Raises UsageError for a ref that is not there.
    """
    deployed, head = history.resolve(request.commit), history.resolve(history.branch(branch).head)
    ahead = {commit.id for commit in history.commits(head.id, deployed.id)}
    chain = takewhile(lambda commit: commit.id in ahead, history.first_parents(head.id, len(ahead)))
    undeployed = list(chain)[::-1]
    comparison = ServiceComparison(history, compilers)
    show(f"comparing the deployed commit with {short_sha(head.id)}")
    services = comparison.compare(_between(request, head.id, deployed.id))
    ended = list_alarms(services) if undeployed else []
    fixes = []
    for number, alarm in enumerate(ended[:MAX_FIXES], 1):
        show(f"searching for the commit that ends failure {number} of {len(ended)}")
        fixes.append(_find_fix(comparison, deployed.id, undeployed, alarm))
    show(f"looking for what {short_sha(head.id)} breaks")
    broken = comparison.compare(_between(request, deployed.id, head.id)) if deployed.id != head.id else ()
    return UndeployedFixes(
        deployed, head, len(undeployed), tuple(sorted(fixes, key=lambda fix: fix.commits_shipped)),
        len(ended) - len(fixes), tuple(list_alarms(broken)), services,
    )  # fmt: skip


def _between(request: ComparisonRequest, baseline: str, commit: str) -> ComparisonRequest:
    return ComparisonRequest(
        baseline, commit, request.python, request.fallback_python, request.source_roots, request.start_paths
    )


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
