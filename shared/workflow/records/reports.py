"""The stored report of each investigation, with everything that a proposal is made of.

Issue, message and proposal are rendered from this one document, so that an investigation which is repeated after a
crash cannot contradict what it has already published.
"""

from shared.errors import Reject
from shared.ports import Document
from shared.workflow.context import Context
from shared.workflow.records.incident_record import IncidentRecord

KIND = "reports"


def load_report(context: Context, record: IncidentRecord) -> Document | None:
    """The report of the incident's present look; None where it is not stored yet."""
    stored = context.store.read(KIND, record.evidence_key)
    return stored.value if stored is not None else None


def create_report(context: Context, record: IncidentRecord, report: Document) -> Document:
    """Stores a report and returns the stored one: of two that were made in parallel, the first counts."""
    context.store.create(KIND, record.evidence_key, report)
    stored = load_report(context, record)
    if stored is None:
        raise Reject("evidence_gone", record.evidence_key)
    return stored
