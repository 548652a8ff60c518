"""Builds the report of an incident and its proof: the numbered evidence, and the whys that cite it."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.report import impact as impacts
from shared.report.drop_unconfirmed_text import drop_unconfirmed_text
from shared.report.evidence import Evidence
from shared.report.facts import FactTopic, gather_facts
from shared.report.whys import Why, draft_whys
from shared.text.timestamps import format_timestamp


@dataclass(frozen=True, slots=True)
class Report:
    incident: Incident
    proof: Finding
    whys: tuple[Why, ...]
    evidence: tuple[Evidence, ...]
    symptom_evidence_ids: tuple[str, ...] = ()
    """The evidence id of each of the incident's symptoms, in their order."""
    nearby_evidence_ids: tuple[str, ...] = ()
    """Likewise of what was logged in the same minutes."""
    raised_evidence_id: str = ""
    """That of the exception that is tied to closes; "" where there is none."""
    impact: impacts.Impact | None = None
    """What it means for users; None where no platform was asked."""
    counted_at: datetime | None = None
    """When the log was read, of a service that may go on failing; None for a log that is complete as it is."""


def build_report(incident: Incident, proof: Finding) -> Report:
    """Gathers the evidence, numbers it, and answers the whys from it."""
    incident = drop_unconfirmed_text(incident, proof)
    facts = gather_facts(incident, proof)
    return Report(
        incident,
        proof,
        draft_whys(incident, proof, facts),
        facts.evidence,
        symptom_evidence_ids=facts.evidence_ids(FactTopic.SYMPTOM),
        nearby_evidence_ids=facts.evidence_ids(FactTopic.NEARBY),
        raised_evidence_id=next(iter(facts.evidence_ids(FactTopic.RAISED)), ""),
    )


def add_impact(report: Report, measured: impacts.ImpactMeasurement) -> Report:
    """The same report, with what the platform tells of the failing revision as further evidence."""
    impact, evidence = impacts.assess_impact(measured, len(report.evidence) + 1)
    return replace(report, impact=impact, evidence=(*report.evidence, *evidence))


def as_of_phrase(report: Report) -> str:
    """` as of 2026-…`, after a count that may have grown since; "" where it cannot."""
    return f" as of {format_timestamp(report.counted_at, dated=True)}" if report.counted_at is not None else ""
