"""Whether a failure that was logged again is news: a revision and what became of the incident in, the answer out.

What counts is whether the revision contains the fix, by git ancestry and never by time. Only where nobody knows its
commit does it count that it was made after the incident came to rest.
"""

from enum import StrEnum

from shared.errors import UsageError
from shared.proof.locating.ancestry import contains
from shared.proof.model.finding import Kind
from shared.proposal.proposal import Proposal
from shared.proposal.rollout import ServiceState
from shared.service import Service
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.records.incident_record import Case


class Sense(StrEnum):
    OLD = "old"
    """What is known already: late entries, a revision without the fix."""
    RECURRED = "recurred"
    """The revision contains the fix and fails all the same."""
    AGAIN = "again"
    """A revision of unknown origin, made after the incident came to rest."""


def sense(world: World, service: Service, case: Case, revision: str) -> Sense:
    """What it means that `revision` logs the failure of this incident."""
    if not revision or revision in {*case.revisions, *case.failed_revisions}:
        return Sense.OLD
    if case.rollout is not None and revision == case.rollout.revision:
        # After a rollback its own entries are still on their way; they were what it was rolled back for.
        return Sense.OLD if case.state is State.ROLLED_BACK else Sense.RECURRED
    known = world.revisions.revision(service, revision)
    if known is None:
        return Sense.OLD
    if known.commit and case.fix:
        with_fix = _contains(world, service, known.commit, case.fix)
        if with_fix is not None:
            return Sense.RECURRED if with_fix else Sense.OLD
    if case.rest_at is None:
        return Sense.OLD
    return Sense.AGAIN if known.created_at > case.rest_at else Sense.OLD


def serves_fix(world: World, service: Service, commit: str, fix: str) -> bool:
    """Whether a commit that the platform names is known to contain the fix."""
    return _contains(world, service, commit, fix) is True


def lost_by(world: World, service: Service, proposal: Proposal, serving: ServiceState) -> str:
    """One sentence about a serving revision whose commit the proposed one does not contain; "" where there is none.

    A rollback goes back on purpose. A commit that the repository does not know says nothing.
    """
    if proposal.kind is not Kind.REDEPLOY:
        return ""
    for name, share in serving.traffic.items():
        revision = serving.revision if name == serving.revision.name else world.revisions.revision(service, name)
        commit = revision.commit if revision is not None and share else None
        if commit and _contains(world, service, proposal.commit, commit) is False:
            return f"revision {name} serves {commit}, which {proposal.commit} does not contain"
    return ""


def _contains(world: World, service: Service, commit: str, fix: str) -> bool | None:
    """None where the repository does not know one of the commits: a label can name anything."""
    with world.histories(service) as history:
        try:
            return contains(history, history.resolve(commit).id, history.resolve(fix).id)
        except UsageError:
            return None
