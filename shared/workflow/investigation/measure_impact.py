"""A report and what serves come in; the report goes out with what its failure means for users, as far as is known."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from shared.errors import Reject
from shared.proposal.rollout import ServiceState
from shared.report.impact import REQUEST_WINDOW, ImpactMeasurement
from shared.report.report import Report, add_impact
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.incident_record import IncidentRecord

_PLATFORM_LOG = "run.googleapis.com%2Fvarlog%2Fsystem"
"""The log that the platform writes itself: no service can put a line into it."""
_STARTUP_ERRORS = ("failed to start", "failed the startup probe", "STARTUP TCP probe failed", "STARTUP HTTP probe failed")

_LOG_WINDOW = timedelta(minutes=10)
_CountFailures = Callable[[Service, str, datetime], int]


def add_measured_impact(context: Context, service: Service, record: IncidentRecord, serving: ServiceState, report: Report) -> Report:
    """Raises Retry. What may not be looked at is unknown, and the evidence says why."""
    revision = report.proof.deployed.revision or next(reversed(record.revisions), "")
    if not revision:
        return add_impact(report, ImpactMeasurement("", unavailable=("no entry names its revision",)))
    if not serving.is_observed:
        return add_impact(report, ImpactMeasurement(revision, unavailable=("what serves: only the log is known on this machine",)))
    try:
        return add_impact(report, _measure_impact(context, service, record, serving, revision))
    except Reject as refused:
        return add_impact(report, ImpactMeasurement(revision, serving.traffic, unavailable=(str(refused),)))


def _measure_impact(context: Context, service: Service, record: IncidentRecord, serving: ServiceState, revision: str) -> ImpactMeasurement:
    known = serving.revision if serving.revision.name == revision else context.revisions.get_revision(service, revision)
    if known is None:
        return ImpactMeasurement(revision, serving.traffic, unavailable=(f"{revision} does not exist any more",))
    since = max(known.created_at, context.clock.now() - REQUEST_WINDOW)
    requests = context.logs.count_requests(service, revision, since)
    # Not every log of the port can tell failures from other requests.
    failures = cast("_CountFailures | None", getattr(context.logs, "count_failed_requests", None))
    failed = failures(service, revision, since) if failures is not None else None
    refused = "" if requests else _read_startup_error(context, service, record, revision)
    whole = since == known.created_at
    return ImpactMeasurement(revision, serving.traffic, requests, failed, refused, since_creation=whole)


def _read_startup_error(context: Context, service: Service, record: IncidentRecord, revision: str) -> str:
    """What the platform itself said about a revision that did not start; "" where it said nothing."""
    first = min((entry.timestamp for entry in record.entries if entry.timestamp), default=record.opened_at)
    for entry in context.logs.read_entries(service, first - _LOG_WINDOW, context.clock.now(), revision):
        if entry.log_name.endswith(_PLATFORM_LOG) and any(words in entry.text for words in _STARTUP_ERRORS):
            return entry.text
    return ""
