"""The first step of an investigation: gathers what the log and the platform hold about an incident.

`build_image_check` asks the deployer whether commits have an image, each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from shared.detection.collect import collect_incidents
from shared.detection.entry import CHECK_LOG, EntryList, LogEntry
from shared.detection.grouping import normalise_path
from shared.detection.incident import Incident, Sighting
from shared.detection.raised_exception import read_raised
from shared.detection.signal import SignalKind, SkipReason
from shared.errors import Reject
from shared.proof.model.ports import History
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck, ImageStatus
from shared.proposal.rollout import ServiceState
from shared.service import RolloutMode, Service
from shared.workflow.context import Context
from shared.workflow.prover import CheckImage
from shared.workflow.records.incident_record import IncidentRecord


def build_image_check(context: Context, service: Service) -> CheckImage:
    """Answers `NO_IMAGE_NEEDED` where provenfix deploys nothing. Raises Retry where the platform cannot be reached."""
    is_deployed_here = service.rollout_mode is RolloutMode.PLATFORM and not service.is_read_only

    @cache
    def check_image(commit: str) -> ImageCheck:
        return context.deployer.check_image(service, commit) if is_deployed_here else NO_IMAGE_NEEDED

    return check_image


_LOG_LEAD_TIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class GatheredEvidence:
    """What the proof is about."""

    incident: Incident
    entries: Sequence[LogEntry]
    """What was read around the failure."""
    serving: ServiceState
    read_at: datetime

    @property
    def revision(self) -> str:
        """The revision that logged the failure last; "" where no entry names one."""
        return self.incident.sightings[-1].revision if self.incident.sightings else ""


def gather_evidence(context: Context, service: Service, record: IncidentRecord) -> GatheredEvidence:
    """Raises Retry, and `Reject("no_evidence")` where no entry shows the incident."""
    read_at = context.clock.now()
    incident, entries = _collect_incident(context, service, record, read_at)
    return GatheredEvidence(incident, entries, context.revisions.get_service_state(service), read_at)


def read_branch_sign(context: Context, service: Service, history: History) -> str:
    """Changes with all that may turn "nothing to deploy" into something: a push, checks that end, the head's image."""
    head = history.branch(service.branch or None).head
    image = build_image_check(context, service)(head).status
    sign = f"{head} {context.checks.get_status(service, head).value}"
    return f"{sign} no image" if image is ImageStatus.MISSING else sign


def _collect_incident(
    context: Context, service: Service, record: IncidentRecord, read_at: datetime
) -> tuple[Incident, Sequence[LogEntry]]:
    """The incident as the log shows it, under the fingerprint that it was opened with; and what was read for it."""
    if record.kind is SignalKind.FOUND_BY_CHECK:
        return _build_found_incident(service, record), ()
    since = (
        min((entry.timestamp for entry in record.entries if entry.timestamp), default=record.opened_at) - _LOG_LEAD_TIME
    )
    read = context.logs.read_entries(service, since, read_at)
    logged = [entry for entry in read if entry.revision not in record.failed_revisions]
    kept = [entry for entry in record.entries if entry.log_name != CHECK_LOG]
    by_identity = {(entry.log_name, entry.timestamp, entry.insert_id, entry.text): entry for entry in (*logged, *kept)}
    # What a check has found counts only as long as nothing is logged.
    for entries in (_sort_entries(list(by_identity.values())), kept, list(record.entries)):
        collected = collect_incidents(
            EntryList(entries), service=service.name, environment=service.environment_name
        ).incidents
        matching = [incident for incident in collected if _is_same_defect(incident, record)]
        exact = (incident for incident in matching if incident.fingerprint == record.fingerprint)
        opening = (incident for incident in matching if _has_opening_entry(incident, record))
        incident = next(exact, next(opening, next(iter(matching), None)))
        if incident is not None:
            shown = _without_predictions(replace(incident, fingerprint=record.fingerprint))
            return shown, [entry for entry in entries if entry.log_name != CHECK_LOG]
    raise Reject("no_evidence", f"{record.id}: none of its entries is a signal")


def _build_found_incident(service: Service, record: IncidentRecord) -> Incident:
    """The incident of a failure beyond syntax that a check has found: its entry was made of the claim."""
    entry = record.entries[0]
    raised = read_raised(entry, SkipReason.NO_SIGNAL)
    if raised is None or raised.location is None:
        raise Reject("no_evidence", f"{record.id}: its entry shows no exception")
    frame, message = raised.location, raised.exception.message
    sighting = Sighting(
        entry.revision, frame.line, message, frame.source_text, "", entry.timestamp, entry.timestamp, 0, entry
    )
    return Incident(
        record.fingerprint, record.kind, service.name, service.environment_name, record.error_class, frame.path,
        (sighting,), (), entry.timestamp, entry.timestamp, 0, dated=True, raised=raised,
    )  # fmt: skip


def _without_predictions(incident: Incident) -> Incident:
    """What a check has found was never logged, and is not counted."""
    if not incident.is_found_early:
        return incident
    sightings = tuple(replace(sighting, occurrences=0) for sighting in incident.sightings)
    return replace(incident, sightings=sightings, occurrences=0)


def _sort_entries(entries: list[LogEntry]) -> list[LogEntry]:
    def moment(entry: LogEntry) -> float:
        return entry.timestamp.timestamp() if entry.timestamp else 0.0

    return [replace(entry, position=index) for index, entry in enumerate(sorted(entries, key=moment))]


def _is_same_defect(incident: Incident, record: IncidentRecord) -> bool:
    if incident.kind is not record.kind:
        return False
    if record.kind is SignalKind.FAILED_START and not record.error_class:
        return True  # the platform's sentence opened it, before its exception could be read
    if incident.error_class != record.error_class:
        return False
    path = normalise_path(incident.path)
    return path == record.path or path.endswith("/" + record.path) or record.path.endswith("/" + path)


def _has_opening_entry(incident: Incident, record: IncidentRecord) -> bool:
    """Whether it is the incident of the entry that opened the record: closes have one for each exception."""
    entry = record.entries[0] if record.entries else None
    if entry is None or entry.timestamp is None:
        return False
    return any(
        sighting.revision == entry.revision
        and sighting.first_seen is not None
        and sighting.last_seen is not None
        and sighting.first_seen <= entry.timestamp <= sighting.last_seen
        for sighting in incident.sightings
    )
