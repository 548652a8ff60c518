"""What the log and the commit of a revision say about the failure: whether it recurred, and whether the fix runs.

The log sink's messages may be late or lost: before traffic moves on, and before an incident is resolved, the log itself
is read.
"""

from enum import StrEnum

from shared.detection.collect import collect_incidents
from shared.detection.entry import EntryList
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Proposal
from shared.proposal.rollout import ServiceState
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import IncidentRecord, Rollout


def has_recurred(context: Context, service: Service, record: IncidentRecord, rollout: Rollout) -> bool:
    """Whether the new revision logged the incident's kind of failure, or any other that no import survives."""
    began = rollout.begun or record.opened_at
    # Of this revision alone: where the former one fails as well, its entries are all that one answer holds.
    entries = context.logs.read_entries(service, began, context.clock.now(), rollout.revision)
    if not entries:
        return False
    incidents = collect_incidents(
        EntryList(entries), service=service.name, environment=service.environment_name
    ).incidents
    return any(incident.kind in {record.kind, SignalKind.SYNTAX_ERROR} for incident in incidents)


class RecurrenceKind(StrEnum):
    OLD = "old"
    """What is known already: late entries, a revision without the fix."""
    RECURRED = "recurred"
    """The revision contains the fix and fails all the same."""
    AGAIN = "again"
    """A revision of unknown origin, made after the incident came to rest."""


def classify_known_revision(record: IncidentRecord, revision: str) -> RecurrenceKind | None:
    """What the stored incident alone says of it; None where platform and repository have to be asked."""
    if not revision or revision in {*record.revisions, *record.failed_revisions}:
        return RecurrenceKind.OLD
    if record.rollout is not None and revision == record.rollout.revision:
        # After a rollback its own entries are still on their way; they were what it was rolled back for.
        return RecurrenceKind.OLD if record.state is IncidentState.ROLLED_BACK else RecurrenceKind.RECURRED
    return None


def classify_recurrence(context: Context, service: Service, record: IncidentRecord, revision: str) -> RecurrenceKind:
    """What it means that `revision` logs the failure of this incident."""
    stored = classify_known_revision(record, revision)
    if stored is not None:
        return stored
    known = context.revisions.get_revision(service, revision)
    if known is None:
        return RecurrenceKind.OLD
    if known.commit and record.fix:
        with_fix = _contains_commit(context, service, known.commit, record.fix)
        if with_fix is not None:
            return RecurrenceKind.RECURRED if with_fix else RecurrenceKind.OLD
    if record.rest_at is None:
        return RecurrenceKind.OLD
    return RecurrenceKind.AGAIN if known.created_at > record.rest_at else RecurrenceKind.OLD


def contains_fix(context: Context, service: Service, commit: str, fix: str) -> bool:
    """Whether a commit that the platform names is known to contain the fix."""
    return _contains_commit(context, service, commit, fix) is True


def find_downgrade(context: Context, service: Service, proposal: Proposal, serving: ServiceState) -> str:
    """One sentence about a serving revision whose commit the proposed one does not contain; "" where there is none.

    A rollback goes back on purpose. A commit that the repository does not know says nothing.
    """
    if proposal.kind is ActionKind.ROLLBACK:
        return ""
    for name, share in serving.traffic.items():
        revision = serving.revision if name == serving.revision.name else context.revisions.get_revision(service, name)
        commit = revision.commit if revision is not None and share else None
        if commit and _contains_commit(context, service, proposal.commit, commit) is False:
            return f"revision {name} serves {commit}, which {proposal.commit} does not contain"
    return ""


def _contains_commit(context: Context, service: Service, commit: str, fix: str) -> bool | None:
    """None where the repository does not know one of the commits: a label can name anything."""
    with context.open_history(service) as history:
        try:
            return contains_commit(history, history.resolve(commit).id, history.resolve(fix).id)
        except UsageError:
            return None
