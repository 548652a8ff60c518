"""Compares a failing revision with those that work: the names of their variables, never the values, and the commit."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.detection.causes.cause import EnvironmentComparison
from shared.errors import Reject
from shared.proof.model.ports import History
from shared.proposal.rollout import Revision
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigation.gather_evidence import GatheredEvidence
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.records.incident_record import IncidentRecord

_MAX_REVISIONS = 3
"""Earlier revisions that are looked at."""


@dataclass(frozen=True, slots=True)
class WorkingRevisions:
    """The failing revision, and those before it that logged no such failure: what serves first, then the newest."""

    failing: Revision
    earlier: tuple[Revision, ...]

    def compare_environments(self) -> EnvironmentComparison | None:
        """What the failing revision lacks; None where the platform lists the variables of fewer than two revisions."""
        listed = ((revision.name, revision.variables) for revision in self.earlier if revision.variables is not None)
        earlier = next(listed, None)
        if self.failing.variables is None or earlier is None:
            return None
        name, variables = earlier
        return EnvironmentComparison(self.failing.name, name, tuple(sorted({*variables} - {*self.failing.variables})))

    def find_last_good_commit(self, history: History) -> str | None:
        """The commit of the last of them, as far as the repository knows it."""
        commits = (resolve_commit(history, revision.commit) for revision in self.earlier if revision.commit)
        return next((commit for commit in commits if commit is not None), None)


def find_working_revisions(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence
) -> WorkingRevisions | None:
    """None where the log or the platform does not say which revision fails."""
    failing = _read_revision(context, service, evidence.revision) if evidence.revision else None
    if failing is None:
        return None
    return WorkingRevisions(failing, tuple(_read_earlier(context, service, record, evidence, failing)))


def _read_earlier(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence, failing: Revision
) -> Iterator[Revision]:
    shares = evidence.serving.traffic
    serving = [name for name, share in sorted(shares.items(), key=lambda item: -item[1]) if share]
    logged = [entry.revision for entry in reversed(evidence.entries) if entry.revision]
    failed = {failing.name, *record.revisions, *record.failed_revisions, *_list_failing_revisions(evidence)}
    names = [name for name in dict.fromkeys((*serving, *logged)) if name not in failed]
    for name in names[:_MAX_REVISIONS]:
        revision = _read_revision(context, service, name)
        if revision is not None and revision.created_at < failing.created_at:
            yield revision


def _list_failing_revisions(evidence: GatheredEvidence) -> set[str]:
    return {sighting.revision for sighting in evidence.incident.sightings}


def _read_revision(context: Context, service: Service, name: str) -> Revision | None:
    try:
        return context.revisions.get_revision(service, name)
    except Reject:
        return None
