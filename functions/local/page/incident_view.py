"""All that the store knows of one incident, in a handful of reads; and a sign that changes whenever any of it does.

Returns incidents for the list, and one incident with all that its page shows.

From the stored report it reads what the log holds beside the failure: the tied exception and the entries nearby.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.adapters.standins import chat_and_issues
from shared.errors import Reject
from shared.ports import Document, Store, StoredDocument
from shared.proposal.notice import format_notice_id
from shared.service import Service
from shared.text.timestamps import format_timestamp_phrase
from shared.workflow.flow import IncidentState
from shared.workflow.records import decisions, documents, proposals, reports
from shared.workflow.records import incident_record as cases
from shared.workflow.records.incident_record import IncidentRecord

_MAX_CACHED = 64
_LOCAL_URL_PREFIX = "local:"


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident. Documents that are not there (yet) are empty."""

    record: IncidentRecord
    service: Service | None
    """None where the configuration knows it no more."""
    findings: Document
    """The stored evidence: report, title, body and what a proposal is made of."""
    proposal: Document
    decision: Document
    message: Document
    """As the local chat keeps it: channel, message, and the body that Slack would get."""
    issue: Document
    replies: tuple[Document, ...]
    """What is below the message, in the order of its keys."""
    etag: str

    @property
    def report(self) -> Document:
        """`provenfix.report/1`; empty where there is none, or where it was too long to be stored."""
        report = self.findings.get("report")
        return report if isinstance(report, Mapping) and "schema" in report else {}


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Incidents, the latest first. `cut` where there may be more of some service."""

    records: tuple[IncidentRecord, ...]
    cut: bool
    etag: str


@dataclass(slots=True)
class IncidentReader:
    """Reads for any number of threads. What never changes once it is written is read once."""

    store: Store
    services: Mapping[str, Service]
    _cache: dict[tuple[str, str], Document] = field(default_factory=dict)

    def list_incidents(self) -> IncidentList:
        """One read for each watched service; one for each state where no service is configured."""
        if self.services:
            answers = [
                self.store.find(cases.KIND, "service", service, cases.MAX_PER_STATE) for service in self.services
            ]
        else:
            answers = [
                self.store.find(cases.KIND, "state", state.value, cases.MAX_PER_STATE) for state in IncidentState
            ]
        every = [stored for answer in answers for stored in answer]
        readable = [record for stored in every if (record := _parse_record(stored)) is not None]
        latest = sorted(readable, key=lambda record: (record.opened_at, record.id), reverse=True)
        return IncidentList(
            tuple(latest), any(len(answer) >= cases.MAX_PER_STATE for answer in answers), _compute_etag(every)
        )

    def read_incident(self, incident: str) -> IncidentView | None:
        """Returns None if there is no such incident. At most seven reads."""
        stored = self.store.read(cases.KIND, incident)
        incident_record = _parse_record(stored) if stored is not None else None
        if stored is None or incident_record is None:
            return None
        moving = [stored, *self._read_changing(incident_record)]
        of = {document.kind: document.value for document in moving}
        return IncidentView(
            record=incident_record,
            service=self.services.get(incident_record.service),
            findings=self._read_immutable(reports.KIND, incident_record.evidence_key),
            proposal=self._read_immutable(proposals.KIND, incident_record.proposal),
            decision=of.get(decisions.KIND, {}),
            message=of.get(chat_and_issues.MESSAGES_KIND, {}),
            issue=of.get(chat_and_issues.ISSUES_KIND, {}),
            replies=tuple(document.value for document in moving if document.kind == chat_and_issues.REPLIES_KIND),
            etag=_compute_etag(moving),
        )

    def read_etag(self, incident: str) -> str:
        """Returns the etag of `read_incident`, in at most five reads; "" if there is no such incident."""
        stored = self.store.read(cases.KIND, incident)
        incident_record = _parse_record(stored) if stored is not None else None
        return (
            _compute_etag([stored, *self._read_changing(incident_record)])
            if stored is not None and incident_record is not None
            else ""
        )

    def read_dialog(self, token: str) -> Document:
        """The dialog that was opened for a click; empty where there is none."""
        stored = self.store.read(chat_and_issues.DIALOGS_KIND, token)
        return stored.value if stored else {}

    def list_group_members(self, group: str) -> tuple[str, ...]:
        """User ids of a user group of the local chat."""
        return tuple(chat_and_issues.LocalChat(self.store).list_group_members(group)) if group else ()

    def _read_changing(self, record: IncidentRecord) -> Iterable[StoredDocument]:
        """What may change after it was written."""
        issue = (
            record.issue.url.removeprefix(_LOCAL_URL_PREFIX)
            if record.issue and record.issue.url.startswith(_LOCAL_URL_PREFIX)
            else ""
        )
        question = self._read_immutable(proposals.KIND, record.proposal).get("instead_of") or record.proposal
        keys = (
            (decisions.KIND, str(question)),
            (chat_and_issues.MESSAGES_KIND, record.message or self._find_notice(record)),
            (chat_and_issues.ISSUES_KIND, issue),
        )
        documents = [self.store.read(kind, key) for kind, key in keys if key]
        replies = self.store.find(chat_and_issues.REPLIES_KIND, "message", record.message) if record.message else ()
        return [*(stored for stored in documents if stored is not None), *replies]

    def _find_notice(self, record: IncidentRecord) -> str:
        """The key of the message that says what is known where nothing is asked; there may be none."""
        service = self.services.get(record.service)
        return f"{service.channel}/{format_notice_id(record.id)}" if service is not None else ""

    def _read_immutable(self, kind: str, key: str) -> Document:
        """What is written once: kept, the oldest forgotten first."""
        known = self._cache.get((kind, key))
        if known is not None or not key:
            return known or {}
        stored = self.store.read(kind, key)
        if stored is None:
            return {}
        while len(self._cache) >= _MAX_CACHED:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[kind, key] = stored.value
        return stored.value


def _parse_record(stored: StoredDocument) -> IncidentRecord | None:
    """None for a document that is no incident: one of them must not hide the others."""
    try:
        return cases.INCIDENTS.decode(stored.value)
    except Reject:
        return None


def _compute_etag(documents: Collection[StoredDocument]) -> str:
    """Sixteen hex digits over which documents there are, in which version."""
    text = "\n".join(sorted(f"{document.kind}/{document.key}={document.version}" for document in documents))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


_MAX_ROWS = 30


class Tie(StrEnum):
    """How an entry is tied to the failure, in words."""

    FOLLOWED = "followed from it"
    NEARBY = "in the same minutes"
    SUSPECTED = "in the same minutes, suspected to follow"


@dataclass(frozen=True, slots=True)
class RelatedEntry:
    """One text that was logged beside the failure, with how often."""

    text: str
    tie: Tie
    revision: str
    first_seen: str
    occurrences: int


@dataclass(frozen=True, slots=True)
class RelatedEntries:
    """`exception` as the report has it: quoted, never proven; empty where none is tied. `rows` what is tied first."""

    exception: Document
    rows: tuple[RelatedEntry, ...]


def read_related_entries(report: Document) -> RelatedEntries:
    """Empty for a report that is missing, or too old to have them."""
    incident = documents.read_part(report, "incident")
    return RelatedEntries(documents.read_part(incident, "exception"), tuple(_read_rows(incident))[:_MAX_ROWS])


def _read_rows(incident: Document) -> Iterator[RelatedEntry]:
    for symptom in documents.read_parts(incident, "symptoms"):
        yield _read_row(symptom, Tie.FOLLOWED)
    for symptom in documents.read_parts(incident, "nearby"):
        yield _read_row(symptom, Tie.SUSPECTED if symptom.get("suspected") is True else Tie.NEARBY)


def _read_row(symptom: Document, tie: Tie) -> RelatedEntry:
    occurrences = symptom.get("occurrences")
    return RelatedEntry(
        text=documents.read_text(symptom, "text"),
        tie=tie,
        revision=_read_text(symptom, "revision"),
        first_seen=_format_first_seen(symptom),
        occurrences=occurrences if isinstance(occurrences, int) else 0,
    )


def _format_first_seen(symptom: Document) -> str:
    """With its date where the log has one; a date is never invented."""
    at = _read_text(symptom, "first_seen")
    if at:
        return format_timestamp_phrase(datetime.fromisoformat(at), dated=True)
    return _read_text(documents.read_part(symptom, "time_of_day"), "first_seen") or "unknown"


def _read_text(document: Document, name: str) -> str:
    """A report has null where nothing is known."""
    return "" if document.get(name) is None else documents.read_text(document, name)
