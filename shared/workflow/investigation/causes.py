"""Which incident explains what else a revision logs: a revision in, its syntax error's incident out.

A 1011 of a revision that has a syntax error may be that one's symptom, whatever became of the incident since: it is
where the log ties it to the error.
"""

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records import documents, incident_records
from shared.workflow.records.incident_record import IncidentRecord

_KIND = "causes"


def store_explaining_incident(context: Context, service: Service, revision: str, incident: str) -> None:
    """Remembers, before an incident opens, that it will explain what the revision logs. The first one stays."""
    context.store.create(_KIND, _key(service, revision), {"incident": incident})


def find_explaining_incident(context: Context, service: Service, revision: str) -> IncidentRecord | None:
    """The incident that explains a revision's symptoms; None where there is none, or it has not opened yet."""
    stored = context.store.read(_KIND, _key(service, revision)) if revision else None
    return incident_records.load_incident(context, documents.read_text(stored.value, "incident")) if stored else None


def _key(service: Service, revision: str) -> str:
    return f"{service.id}.{revision}"
