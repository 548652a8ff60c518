"""Incidents come in, how long they took from step to step goes out: median and p90, by service and overall."""

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
    timed.sort(key=lambda each: (each.at.detected, each.case.id), reverse=True)
    names = sorted({each.case.service for each in timed})
    services = [_build_service_stats(name, [each for each in timed if each.case.service == name]) for name in names]
    return Stats(_build_service_stats("", timed), tuple(services), tuple(timed), cut)


def stats_to_json(stats: Stats) -> Document:
    """As JSON values, durations in seconds."""
    return {
        "schema": "provenfix.stats/1",
        "overall": _service_stats_to_json(stats.overall),
        "services": {each.service: _service_stats_to_json(each) for each in stats.services},
        "incidents": [
            {"id": each.case.id, "service": each.case.service, "state": each.case.state.value, **each.at.to_json()}
            for each in stats.incidents
        ],
        "cut": stats.cut,
    }


def _build_service_stats(service: str, timed: Sequence[TimedIncident]) -> ServiceStats:
    return ServiceStats(
        service, len(timed), tuple(_build_step_duration(since, until, timed) for since, until in MEASURED_STEPS)
    )


def _build_step_duration(since: str, until: str, timed: Sequence[TimedIncident]) -> StepDuration:
    found = sorted(time for each in timed if (time := each.at.duration_between(since, until)) is not None)
    if not found:
        return StepDuration(since, until, 0, None, None)
    nearest = -(-len(found) * 9 // 10) - 1
    median = timedelta(seconds=statistics.median(time.total_seconds() for time in found))
    return StepDuration(since, until, len(found), median, found[nearest])


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
