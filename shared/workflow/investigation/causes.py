"""Which incident explains what else a revision logs: a revision in, its syntax error's incident out.

A 1011 of a revision that has a syntax error may be that one's symptom, whatever became of the incident since: it is
where the log ties it to the error.
"""

from shared.service import Service
from shared.workflow.context import World
from shared.workflow.records import documents, incident_records
from shared.workflow.records.incident_record import Case

_KIND = "causes"


def name_cause(world: World, service: Service, revision: str, incident: str) -> None:
    """Remembers, before an incident opens, that it will explain what the revision logs. The first one stays."""
    world.store.create(_KIND, _key(service, revision), {"incident": incident})


def cause_of(world: World, service: Service, revision: str) -> Case | None:
    """The incident that explains a revision's symptoms; None where there is none, or it has not opened yet."""
    stored = world.store.read(_KIND, _key(service, revision)) if revision else None
    return incident_records.load(world, documents.text(stored.value, "incident")) if stored else None


def _key(service: Service, revision: str) -> str:
    return f"{service.id}.{revision}"
