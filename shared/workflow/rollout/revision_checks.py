"""What the platform says about the revision of a rollout: its commit, its traffic, its health and its requests."""

from datetime import datetime

from shared.proposal.proposal import Proposal
from shared.proposal.rollout import DeploymentProgress, ServiceState
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.records.incident_record import EndCause, EndReason, Rollout
from shared.workflow.rollout.recurrence import contains_fix


def find_commit_mismatch(context: Context, service: Service, proposal: Proposal, name: str) -> EndReason | None:
    """Why a new revision is not known to run the approved commit; None where it is."""
    revision = context.revisions.get_revision(service, name)
    if revision is None:
        return EndReason(EndCause.REVISION_GONE, f"Revision {name} does not exist any more.")
    if not revision.commit:
        unknown = f"Nothing says which commit revision {name} was built from"
        return EndReason(EndCause.UNKNOWN_COMMIT, f"{unknown}: it may be another than the approved one.")
    if not revision.is_built_from(proposal.commit):
        built = f"Revision {name} was built from {revision.commit}"
        return EndReason(EndCause.OTHER_COMMIT, f"{built}, and not from the approved {proposal.commit}.")
    if revision.commit != proposal.commit:
        with context.open_history(service) as history:
            if resolve_commit(history, revision.commit) != proposal.commit:
                names = f"Revision {name} names {revision.commit}"
                return EndReason(EndCause.AMBIGUOUS_COMMIT, f"{names}, which is not short for {proposal.commit} alone.")
    return None


def is_serving(context: Context, service: Service, proposal: Proposal, rollout: Rollout, serving: ServiceState) -> bool:
    """The new revision with its whole share; or, once it had all, nothing but later ones that contain the fix."""
    if serving.traffic.get(rollout.revision, 0) >= rollout.share:
        return True
    others = [name for name, share in serving.traffic.items() if share and name != rollout.revision]
    return rollout.since is not None and all(_has_fix(context, service, proposal, name) for name in others)


def _has_fix(context: Context, service: Service, proposal: Proposal, name: str) -> bool:
    revision = context.revisions.get_revision(service, name)
    return bool(revision and revision.commit) and contains_fix(
        context, service, str(revision and revision.commit), proposal.fix
    )


def read_platform_failure(context: Context, service: Service, rollout: Rollout) -> str:
    """What the platform says about the new revision, where it was ready and no longer is."""
    deployment = context.deployer.state(service, rollout.operation)
    # A later rollout may have taken the operation's place: only what is said of this revision counts.
    failed = deployment.progress is DeploymentProgress.FAILED and deployment.revision == rollout.revision
    return (deployment.detail or "It is no longer ready.") if failed else ""


def count_requests(context: Context, service: Service, rollout: Rollout, serving: ServiceState, since: datetime) -> int:
    """Of all revisions that answered since then with the fix. They are counted once: reading a log has a price."""
    names = dict.fromkeys((rollout.revision, *(name for name, share in serving.traffic.items() if share)))
    return sum(context.logs.count_requests(service, name, since) for name in names)
