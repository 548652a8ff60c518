"""Compares the names of a failing revision's variables with those of a revision that works. Never their values."""

from collections.abc import Iterator

from shared.detection.causes.cause import EnvironmentComparison
from shared.errors import Reject
from shared.proposal.rollout import Revision
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigation.gather_evidence import GatheredEvidence
from shared.workflow.records.incident_record import IncidentRecord

_MAX_REVISIONS = 3
"""Earlier revisions that are looked at."""


def compare_environments(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence
) -> EnvironmentComparison | None:
    """What the failing revision lacks; None where no earlier revision that works is known, or nothing is told."""
    failing = _read_revision(context, service, evidence.revision) if evidence.revision else None
    if failing is None or failing.variables is None:
        return None
    earlier = next(_find_working_revisions(context, service, record, evidence, failing), None)
    if earlier is None or earlier.variables is None:
        return None
    removed = sorted(set(earlier.variables) - set(failing.variables))
    return EnvironmentComparison(failing.name, earlier.name, tuple(removed))


def _find_working_revisions(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence, failing: Revision
) -> Iterator[Revision]:
    """Those that serve, else those that logged without failing so; made before the failing one, the newest first."""
    shares = evidence.serving.traffic
    serving = [name for name, share in sorted(shares.items(), key=lambda item: -item[1]) if share]
    logged = [entry.revision for entry in reversed(evidence.entries) if entry.revision]
    failed = {failing.name, *record.revisions, *record.failed_revisions, *_failing_revisions(evidence)}
    names = [name for name in dict.fromkeys((*serving, *logged)) if name not in failed]
    for name in names[:_MAX_REVISIONS]:
        revision = _read_revision(context, service, name)
        if revision is not None and revision.created_at < failing.created_at and revision.variables is not None:
            yield revision


def _failing_revisions(evidence: GatheredEvidence) -> set[str]:
    return {sighting.revision for sighting in evidence.incident.sightings}


def _read_revision(context: Context, service: Service, name: str) -> Revision | None:
    try:
        return context.revisions.get_revision(service, name)
    except Reject:
        return None
