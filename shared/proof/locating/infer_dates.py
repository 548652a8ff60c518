"""Puts a date to a log that carried times of day only, from the deployed commit that the log gave away."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.detection.incident import Incident, move_to_day
from shared.proof.locating.located_version import is_committed_after
from shared.proof.model.finding import Finding, LoggedDeployment

_MAX_LEAD_TIME = timedelta(hours=2)
"""How long before its commit a tree is taken to have been deployed uncommitted; a longer gap means a later day."""


def infer_dates(incident: Incident, finding: Finding) -> tuple[Incident, Finding]:
    """The incident on the first day that fits its deployed commit; unchanged where it has dates, or no commit."""
    commit = finding.deployed.commit
    last = incident.sightings[-1].first_seen if incident.sightings else None
    if incident.dated or commit is None or last is None:
        return incident, finding
    clock_day = last.date()
    moved = move_to_day(incident, _infer_day(last, commit.committed_at) - (clock_day - date(1970, 1, 1)))
    deployments = tuple(
        _set_date(deployment, sighting.first_seen)
        for deployment, sighting in zip(finding.deployed.deployments, moved.sightings, strict=True)
    )
    uncommitted = any(deployment.uncommitted and deployment.commit == commit for deployment in deployments)
    return moved, replace(
        finding, deployed=replace(finding.deployed, deployments=deployments, uncommitted_tree=uncommitted)
    )


def _infer_day(clock_time: datetime, committed_at: datetime) -> date:
    """The first day on which a time of day lies no earlier than shortly before the commit."""
    earliest = committed_at - _MAX_LEAD_TIME
    same_day = datetime.combine(earliest.date(), clock_time.timetz(), UTC)
    return same_day.date() if same_day >= earliest else (same_day + timedelta(days=1)).date()


def _set_date(deployment: LoggedDeployment, seen_at: datetime | None) -> LoggedDeployment:
    return replace(deployment, seen_at=seen_at, uncommitted=is_committed_after(deployment.commit, seen_at))
