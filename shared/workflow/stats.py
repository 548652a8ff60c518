"""How long incidents took from step to step: median and p90, by service and overall."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.ports import Document
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.milestones import Milestones, compute_milestones

MEASURED_STEPS = (
    ("logged", "detected"),
    ("detected", "proposed"),
    ("proposed", "approved"),
    ("approved", "deployed"),
    ("approved", "verified"),
    ("logged", "verified"),
)
"""What is measured, from one milestone to another; all of it from the first log entry."""


@dataclass(frozen=True, slots=True)
class StepDuration:
    """One step, over the incidents that have taken it; None where there are none."""

    since: str
    until: str
    incidents: int
    median: timedelta | None
    p90: timedelta | None
    """The nearest rank: the smallest duration that at least nine in ten did not exceed."""


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """`service` is `Service.id`, "" for all of them together."""

    service: str
    incidents: int
    steps: tuple[StepDuration, ...]


@dataclass(frozen=True, slots=True)
class TimedIncident:
    """One incident."""

    case: IncidentRecord
    at: Milestones


@dataclass(frozen=True, slots=True)
class Stats:
    """`cut` where there are more incidents than could be read."""

    overall: ServiceStats
    services: tuple[ServiceStats, ...]
    incidents: tuple[TimedIncident, ...]
    cut: bool


def compute_stats(cases: Iterable[IncidentRecord], *, cut: bool = False) -> Stats:
    """Services by name, incidents the latest first. What another incident explains is no incident of its own."""
    timed = [
        TimedIncident(case, compute_milestones(case)) for case in cases if case.state is not IncidentState.ABSORBED
    ]
    timed.sort(key=lambda incident: (incident.at.detected, incident.case.id), reverse=True)
    names = sorted({incident.case.service for incident in timed})
    services = [
        _build_service_stats(name, [incident for incident in timed if incident.case.service == name]) for name in names
    ]
    return Stats(_build_service_stats("", timed), tuple(services), tuple(timed), cut)


def stats_to_json(stats: Stats) -> Document:
    """As JSON values, durations in seconds."""
    return {
        "schema": "provenfix.stats/1",
        "overall": _service_stats_to_json(stats.overall),
        "services": {group.service: _service_stats_to_json(group) for group in stats.services},
        "incidents": [
            {
                "id": incident.case.id,
                "service": incident.case.service,
                "state": incident.case.state.value,
                **incident.at.to_json(),
            }
            for incident in stats.incidents
        ],
        "cut": stats.cut,
    }


def _build_service_stats(service: str, timed: Sequence[TimedIncident]) -> ServiceStats:
    return ServiceStats(
        service, len(timed), tuple(_build_step_duration(since, until, timed) for since, until in MEASURED_STEPS)
    )


def _build_step_duration(since: str, until: str, timed: Sequence[TimedIncident]) -> StepDuration:
    durations = sorted(time for incident in timed if (time := incident.at.duration_between(since, until)) is not None)
    if not durations:
        return StepDuration(since, until, 0, None, None)
    nearest = -(-len(durations) * 9 // 10) - 1
    median = timedelta(seconds=statistics.median(time.total_seconds() for time in durations))
    return StepDuration(since, until, len(durations), median, durations[nearest])


def _service_stats_to_json(group: ServiceStats) -> Document:
    steps = {
        f"{took.since}_to_{took.until}": {
            "incidents": took.incidents,
            "median_seconds": took.median.total_seconds() if took.median is not None else None,
            "p90_seconds": took.p90.total_seconds() if took.p90 is not None else None,
        }
        for took in group.steps
    }
    return {"incidents": group.incidents, "steps": steps}
