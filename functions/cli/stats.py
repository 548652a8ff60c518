"""`provenfix stats`: prints how long incidents take from step to step, as text or as JSON."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from functions.local.stack_folder import load_named_environment, override_environ
from shared import state_stores
from shared.config.settings import read_settings
from shared.text.escaping import to_one_line
from shared.text.timestamps import format_duration
from shared.workflow.records.incident_record import list_incidents
from shared.workflow.stats import ServiceStats, Stats, compute_stats, stats_to_json

_NAME_WIDTH = 26
_FIGURE_WIDTH = 14


def run_stats(folder: Path, *, as_json: bool) -> int:
    """Raises UsageError if no store is configured, InputError and Retry if it cannot be read."""
    with override_environ(load_named_environment(folder)):
        records, cut = list_incidents(state_stores.create_store(read_settings()))
    figures = compute_stats(records, cut=cut)
    print(json.dumps(stats_to_json(figures), indent=2) if as_json else "\n".join(_format_stats(figures)))
    return 0


def _format_stats(figures: Stats) -> Iterator[str]:
    if not figures.incidents:
        yield "No incidents."
        return
    for group in (*figures.services, figures.overall):
        noun = "incident" if group.incidents == 1 else "incidents"
        yield f"{to_one_line(group.service) or 'All services'}: {group.incidents} {noun}"
        yield from _format_steps(group)
        yield ""
    yield "p90: nine in ten took no longer. Only incidents that completed the step are counted."
    if figures.cut:
        yield "Not all incidents are counted: the store returns at most 500 of each state."


def _format_steps(group: ServiceStats) -> Iterator[str]:
    for took in group.steps:
        name = f"  {took.since} → {took.until}".ljust(_NAME_WIDTH)
        if took.median is None or took.p90 is None:
            yield f"{name}–"
        else:
            median, p90 = (
                format_duration(took.median).ljust(_FIGURE_WIDTH),
                format_duration(took.p90).ljust(_FIGURE_WIDTH),
            )
            yield f"{name}median {median}p90 {p90}of {took.incidents}"


class StatsFormat(StrEnum):
    """Who reads it."""

    TEXT = "text"
    JSON = "json"


def stats(
    form: Annotated[StatsFormat, typer.Option("--format", help="Output format.")] = StatsFormat.TEXT,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")] = Path(".provenfix"),
) -> int:
    """Show how long incidents take from step to step.

    From detected to proposed, approved, deployed and verified: median and p90 of each service.
    """
    return run_stats(folder, as_json=form is StatsFormat.JSON)
