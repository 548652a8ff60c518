"""What the log holds beside the failure: a stored report comes in, the tied exception and the table's rows go out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.ports import Document
from shared.text.timestamps import format_timestamp_phrase
from shared.workflow.records import documents

_MOST_ROWS = 30


class Tie(StrEnum):
    """How an entry is tied to the failure, in words."""

    FOLLOWED = "followed from it"
    NEARBY = "in the same minutes"
    SUSPECTED = "in the same minutes, suspected to follow"


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One text that was logged beside the failure, with how often."""

    text: str
    tie: Tie
    revision: str
    first_seen: str
    occurrences: int


@dataclass(frozen=True, slots=True)
class Beside:
    """`exception` as the report has it: quoted, never proven; empty where none is tied. `rows` what is tied first."""

    exception: Document
    rows: tuple[BesideRow, ...]


def read_beside(report: Document) -> Beside:
    """Of a report that is not there, or too old to tell, nothing."""
    incident = documents.part(report, "incident")
    return Beside(documents.part(incident, "exception"), tuple(_rows(incident))[:_MOST_ROWS])


def _rows(incident: Document) -> Iterator[BesideRow]:
    for symptom in documents.parts(incident, "symptoms"):
        yield _row(symptom, Tie.FOLLOWED)
    for symptom in documents.parts(incident, "nearby"):
        yield _row(symptom, Tie.SUSPECTED if symptom.get("suspected") is True else Tie.NEARBY)


def _row(symptom: Document, tie: Tie) -> BesideRow:
    occurrences = symptom.get("occurrences")
    return BesideRow(
        text=documents.text(symptom, "text"),
        tie=tie,
        revision=_text(symptom, "revision"),
        first_seen=_first_seen(symptom),
        occurrences=occurrences if isinstance(occurrences, int) else 0,
    )


def _first_seen(symptom: Document) -> str:
    """With its day where the log tells one; a day is never invented."""
    at = _text(symptom, "first_seen")
    if at:
        return format_timestamp_phrase(datetime.fromisoformat(at), dated=True)
    return _text(documents.part(symptom, "time_of_day"), "first_seen") or "unknown"


def _text(document: Document, name: str) -> str:
    """A report has null where nothing is known."""
    return "" if document.get(name) is None else documents.text(document, name)
