"""A report and what serves come in; the report goes out with what its failure means for users, as far as is known."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from shared.errors import Reject
from shared.proposal.rollout import ServiceState
from shared.report.impact import LOOKED_BACK, Measured
from shared.report.report import Report, with_impact
from shared.service import Service
from shared.workflow.context import World
from shared.workflow.records.incident_record import Case

_PLATFORM = "run.googleapis.com%2Fvarlog%2Fsystem"
"""The log that the platform writes itself: no service can put a line into it."""
_REFUSALS = ("failed to start", "failed the startup probe", "STARTUP TCP probe failed", "STARTUP HTTP probe failed")

_AROUND = timedelta(minutes=10)
_Failed = Callable[[Service, str, datetime], int]


def with_measured_impact(world: World, service: Service, case: Case, serving: ServiceState, report: Report) -> Report:
    """Raises Retry. What may not be looked at is unknown, and the evidence says why."""
    revision = report.proof.deployed.revision or next(reversed(case.revisions), "")
    if not revision:
        return with_impact(report, Measured("", unseen=("no entry names its revision",)))
    if not serving.seen:
        return with_impact(report, Measured(revision, unseen=("what serves: only the log is known on this machine",)))
    try:
        return with_impact(report, _measured(world, service, case, serving, revision))
    except Reject as refused:
        return with_impact(report, Measured(revision, serving.traffic, unseen=(str(refused),)))


def _measured(world: World, service: Service, case: Case, serving: ServiceState, revision: str) -> Measured:
    known = serving.revision if serving.revision.name == revision else world.revisions.revision(service, revision)
    if known is None:
        return Measured(revision, serving.traffic, unseen=(f"{revision} does not exist any more",))
    since = max(known.created_at, world.clock.now() - LOOKED_BACK)
    requests = world.logs.requests(service, revision, since)
    # Not every log of the port can tell failures from other requests.
    failures = cast("_Failed | None", getattr(world.logs, "failed", None))
    failed = failures(service, revision, since) if failures is not None else None
    refused = "" if requests else _refused(world, service, case, revision)
    whole = since == known.created_at
    return Measured(revision, serving.traffic, requests, failed, refused, whole=whole)


def _refused(world: World, service: Service, case: Case, revision: str) -> str:
    """What the platform itself said about a revision that did not start; "" where it said nothing."""
    first = min((entry.timestamp for entry in case.entries if entry.timestamp), default=case.opened_at)
    for entry in world.logs.entries(service, first - _AROUND, world.clock.now(), revision):
        if entry.log_name.endswith(_PLATFORM) and any(words in entry.text for words in _REFUSALS):
            return entry.text
    return ""
