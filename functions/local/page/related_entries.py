"""Reads from a stored report what the log holds beside the failure: the tied exception and the entries nearby."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.ports import Document
from shared.text.timestamps import format_timestamp_phrase
from shared.workflow.records import documents

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
