"""Waits for the revision that a deployment makes, and checks that it runs what was approved before anything uses it.

What the platform says about such a revision is read here: its commit, its traffic, its health and its requests.
"""

from datetime import datetime, timedelta

from shared.proposal.proposal import Proposal
from shared.proposal.rollout import Deployment, DeploymentProgress, ServiceState
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigation.platform_evidence import resolve_commit
from shared.workflow.records import proposals
from shared.workflow.records.incident_record import EndCause, EndReason, IncidentRecord, Rollout
from shared.workflow.rollout.recurrence import contains_fix
from shared.workflow.rollout.rollout_effects import TrafficOrder, request_traffic


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


MAX_DEPLOYMENT_TIME = timedelta(hours=1)
"""A deployment that takes longer is given up: what comes of it later gets no traffic from here."""


def find_new_revision(
    context: Context, service: Service, record: IncidentRecord, rollout: Rollout
) -> Deployment | EndReason | None:
    """The ready revision of the approved commit, at its address; why there is none; or None while that is not known.

    `EndCause.SHIFT_REFUSED` where a user has changed the service meanwhile.
    """
    deployment = context.deployer.state(service, rollout.operation)
    match deployment.progress:
        case DeploymentProgress.RUNNING:
            return _find_delay(context, rollout)
        case DeploymentProgress.FAILED:
            return EndReason(EndCause.DEPLOYMENT_FAILED, deployment.detail)
        case DeploymentProgress.DONE:
            return _check_revision(context, service, record, deployment)


def _find_delay(context: Context, rollout: Rollout) -> EndReason | None:
    if not rollout.begun or context.clock.now() < rollout.begun + MAX_DEPLOYMENT_TIME:
        return None
    minutes = round(MAX_DEPLOYMENT_TIME.total_seconds() / 60)
    late = "a revision that it still makes gets no traffic until a user assigns some"
    why = f"The deployment has not ended within {minutes} minutes; {late}."
    return EndReason(EndCause.DEPLOYMENT_LATE, why)


def _check_revision(
    context: Context, service: Service, record: IncidentRecord, deployment: Deployment
) -> Deployment | EndReason | None:
    other = find_commit_mismatch(
        context, service, proposals.require_proposal(context, record.proposal), deployment.revision
    )
    if other is not None:
        return other
    if not deployment.needs_address:
        return deployment
    refused = request_traffic(context, TrafficOrder(record.proposal, deployment.revision, 0))
    return describe_manual_change(refused) if refused else None


def describe_manual_change(refused: str) -> EndReason:
    """The end of a rollout whose traffic was moved by another client; `refused` is the platform's reason."""
    return EndReason(EndCause.SHIFT_REFUSED, f"A user has changed the service by hand: {refused}.")
