"""What `provenfix stats` does: incidents are read from the store, and how long they took is told.

In: a stack's folder; without one there, the environment leads to whatever is deployed. Out: text or JSON on stdout.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from functions.local.stack_folder import environment_named, led_to
from shared.config.settings import read_settings
from shared.text.escaping import to_one_line
from shared.text.timestamps import format_duration
from shared.workflow.records.incident_records import every
from shared.workflow.stats import Group, Stats, document, stats

_WIDE = 26
_FIGURE = 14


def run(folder: Path, *, as_json: bool) -> int:
    """Raises Misused where no store is configured, Unreadable and Retry where it cannot be read."""
    from shared.wiring import create_store  # noqa: PLC0415

    with led_to(environment_named(folder)):
        cases, cut = every(create_store(read_settings()))
    told = stats(cases, cut=cut)
    print(json.dumps(document(told), indent=2) if as_json else "\n".join(_text(told)))
    return 0


def _text(told: Stats) -> Iterator[str]:
    if not told.incidents:
        yield "No incidents."
        return
    for group in (*told.services, told.overall):
        noun = "incident" if group.incidents == 1 else "incidents"
        yield f"{to_one_line(group.service) or 'All services'}: {group.incidents} {noun}"
        yield from _steps(group)
        yield ""
    yield "p90 is what nine in ten did not exceed; only incidents that have taken the step count."
    if told.cut:
        yield "Not all incidents could be read: a store answers with at most 500 of each state."


def _steps(group: Group) -> Iterator[str]:
    for took in group.steps:
        name = f"  {took.since} → {took.until}".ljust(_WIDE)
        if took.median is None or took.p90 is None:
            yield f"{name}–"
        else:
            median, p90 = format_duration(took.median).ljust(_FIGURE), format_duration(took.p90).ljust(_FIGURE)
            yield f"{name}median {median}p90 {p90}of {took.incidents}"
