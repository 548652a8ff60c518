"""Puts a date to a log that carried times of day only, from the deployed commit that the log gave away."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.detection.incident import Incident, move_to_day
from shared.proof.locating.located import is_younger
from shared.proof.model.finding import Deployment, Proof

_BEFORE_COMMIT = timedelta(hours=2)
"""How long before its commit a tree is taken to have been deployed uncommitted; a longer gap means a later day."""


def dated(incident: Incident, proof: Proof) -> tuple[Incident, Proof]:
    """The incident on the first day that fits its deployed commit; unchanged where it has dates, or no commit."""
    commit = proof.deployed.commit
    last = incident.sightings[-1].first_seen if incident.sightings else None
    if incident.dated or commit is None or last is None:
        return incident, proof
    clock_day = last.date()
    moved = move_to_day(incident, _day(last, commit.committed_at) - (clock_day - date(1970, 1, 1)))
    deployments = tuple(
        _redated(each, sighting.first_seen)
        for each, sighting in zip(proof.deployed.deployments, moved.sightings, strict=True)
    )
    uncommitted = any(each.uncommitted and each.commit == commit for each in deployments)
    return moved, replace(
        proof, deployed=replace(proof.deployed, deployments=deployments, uncommitted_tree=uncommitted)
    )


def _day(clock: datetime, committed_at: datetime) -> date:
    """The first day on which a time of day lies no earlier than shortly before the commit."""
    earliest = committed_at - _BEFORE_COMMIT
    same_day = datetime.combine(earliest.date(), clock.timetz(), UTC)
    return same_day.date() if same_day >= earliest else (same_day + timedelta(days=1)).date()


def _redated(deployment: Deployment, seen_at: datetime | None) -> Deployment:
    return replace(deployment, seen_at=seen_at, uncommitted=is_younger(deployment.commit, seen_at))
