"""`provenfix show [INCIDENT]`: prints what the store holds, as text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from functions.local.stack_folder import load_named_environment, override_environ
from shared import wiring
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.ports import Store
from shared.text.escaping import to_one_line
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import IncidentRecord, record_from_document
from shared.workflow.records.incident_records import KIND


def run_show(incident: str | None, folder: Path) -> int:
    """Prints the list or one incident. Raises UsageError if there is no such incident."""
    with override_environ(load_named_environment(folder)):
        opened = wiring.create_store(read_settings())
        cases = sorted(_read_incidents(opened), key=lambda case: case.opened_at)
        lines = (
            list(_format_list(cases)) if incident is None else list(_format_incident(_find_incident(cases, incident)))
        )
    for line in lines:
        print(to_one_line(line) if not line.startswith("  ") else f"  {to_one_line(line)}")
    return 0


def _read_incidents(store: Store) -> Iterator[IncidentRecord]:
    """Yields all incidents: the store finds documents by a field, and every incident has a state."""
    for state in IncidentState:
        yield from (record_from_document(stored.value) for stored in store.find(KIND, "state", state.value))


def _find_incident(cases: list[IncidentRecord], id_prefix: str) -> IncidentRecord:
    found = [case for case in cases if case.id == id_prefix] or [
        case for case in cases if case.id.startswith(id_prefix)
    ]
    if len(found) != 1:
        known = "are " + (f"{len(found)} incidents" if found else "no incidents")
        raise UsageError(f"There {known} whose id begins with {id_prefix!r}; run `provenfix show` to list them.")
    return found[0]


def _format_list(cases: list[IncidentRecord]) -> Iterator[str]:
    if not cases:
        yield "No incidents."
    for case in cases:
        what = f"{case.error_class or case.kind.value} {case.path}"
        yield f"{case.id}  {case.state.value}  {case.service}  {what}  {format_rfc3339(case.last_seen)}"


def _format_incident(case: IncidentRecord) -> Iterator[str]:
    yield f"{case.id}: {case.state.value}"
    yield f"  {case.error_class or case.kind.value} in {case.path or 'an unknown file'} of {case.service}"
    yield f"  logged by {', '.join(case.revisions) or 'an unnamed revision'}, last at {format_rfc3339(case.last_seen)}"
    if case.issue is not None:
        yield f"  issue {case.issue.number}: {case.issue.url}"
    if case.proposal:
        yield f"  proposal {case.proposal}"
    if case.fix:
        yield f"  fixed by {case.fix}"
    yield "Timeline:"
    for step in case.history:
        yield f"  {step['at']}  {step['state']}  {step['why']}"


def show(
    incident: Annotated[
        str | None, typer.Argument(metavar="[INCIDENT]", help="Incident id, or its first characters.")
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")] = Path(".provenfix"),
) -> int:
    """List the incidents, or show one with its timeline."""
    return run_show(incident, folder)
