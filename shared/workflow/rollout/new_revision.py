"""Waits for the revision that a deployment makes, and checks that it runs what was approved before anything uses it."""

from datetime import timedelta

from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Context
from shared.workflow.records import proposals
from shared.workflow.records.incident_record import EndCause, EndReason, IncidentRecord, Rollout
from shared.workflow.rollout.revision_checks import find_commit_mismatch

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
    refused = effects.shift_traffic(context, service, record.proposal, deployment.revision, 0)
    return describe_manual_change(refused) if refused else None


def describe_manual_change(refused: str) -> EndReason:
    """The end of a rollout whose traffic was moved by another client; `refused` is the platform's reason."""
    return EndReason(EndCause.SHIFT_REFUSED, f"Somebody has changed the service by hand: {refused}.")
