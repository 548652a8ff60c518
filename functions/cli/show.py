"""`provenfix show [INCIDENT]`: prints what the store holds, as text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from functions.local.stack_folder import load_named_environment, override_environ
from shared import state_stores
from shared.config.settings import read_settings
from shared.errors import UsageError
from shared.ports import Store
from shared.text.escaping import to_one_line
from shared.text.timestamps import format_rfc3339
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import INCIDENTS, IncidentRecord
from shared.workflow.records.milestones import is_found_early
from shared.workflow.records.trials import TRIALS, Trial


def run_show(incident: str | None, folder: Path) -> int:
    """Prints the list or one incident. Raises UsageError if there is no such incident."""
    with override_environ(load_named_environment(folder)):
        opened = state_stores.create_store(read_settings())
        records = sorted(_read_incidents(opened), key=lambda record: record.opened_at)
        if incident is None:
            lines = list(_format_list(records))
        else:
            record = _find_incident(records, incident)
            lines = list(_format_incident(record, _read_trials(opened, record)))
    for line in lines:
        print(to_one_line(line) if not line.startswith("  ") else f"  {to_one_line(line)}")
    return 0


def _read_incidents(store: Store) -> Iterator[IncidentRecord]:
    """Yields all incidents: the store finds documents by a field, and every incident has a state."""
    for state in IncidentState:
        yield from (INCIDENTS.decode(stored.value) for stored in store.find(INCIDENTS.kind, "state", state.value))


def _find_incident(records: list[IncidentRecord], id_prefix: str) -> IncidentRecord:
    matches = [record for record in records if record.id == id_prefix] or [
        record for record in records if record.id.startswith(id_prefix)
    ]
    if len(matches) != 1:
        known = "are " + (f"{len(matches)} incidents" if matches else "no incidents")
        raise UsageError(f"There {known} whose id begins with {id_prefix!r}; run `provenfix show` to list them.")
    return matches[0]


def _format_list(records: list[IncidentRecord]) -> Iterator[str]:
    if not records:
        yield "No incidents."
    for record in records:
        what = f"{record.error_class or record.kind.value} {record.path}"
        yield f"{record.id}  {record.state.value}  {record.service}  {what}  {format_rfc3339(record.last_seen)}"


def _read_trials(store: Store, record: IncidentRecord) -> list[Trial]:
    """Returns the trials that its questions were about, oldest first."""
    names = dict.fromkeys(f"{record.id}-{look}" for look in range(1, record.look + 1))
    read = (TRIALS.read(store, name) for name in names)
    return [trial for trial in read if trial is not None]


def _format_trial(trial: Trial) -> Iterator[str]:
    yield f"  tried without traffic: {trial.commit} as {trial.revision or 'no revision yet'}: {trial.verdict.value}"
    for number, seen in enumerate(trial.experiment.rounds, 1):
        yield f"    round {number}, {format_rfc3339(seen.at)}: serving {seen.serving}; tried {seen.tried}"


def _format_incident(record: IncidentRecord, tried: list[Trial]) -> Iterator[str]:
    yield f"{record.id}: {record.state.value}"
    yield f"  {record.error_class or record.kind.value} in {record.path or 'an unknown file'} of {record.service}"
    revisions = ", ".join(record.revisions) or "an unnamed revision"
    how = "found by a check of" if is_found_early(record) else "logged by"
    yield f"  {how} {revisions}, last at {format_rfc3339(record.last_seen)}"
    if record.issue is not None:
        yield f"  issue {record.issue.number}: {record.issue.url}"
    if record.proposal:
        yield f"  proposal {record.proposal}"
    if record.fix:
        yield f"  fixed by {record.fix}"
    for trial in tried:
        yield from _format_trial(trial)
    yield "Timeline:"
    for step in record.history:
        yield f"  {format_rfc3339(step.at)}  {step.state.value}  {step.why}"


def show(
    incident: Annotated[
        str | None, typer.Argument(metavar="INCIDENT", help="Incident id, or its first characters.")
    ] = None,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")] = Path(".provenfix"),
) -> int:
    """List the incidents, or show one with its timeline."""
    return run_show(incident, folder)
