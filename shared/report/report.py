"""Builds the report of an incident and its proof: the numbered evidence, and the whys that cite it.

`gather_facts` lists one fact for everything that a report may say, `draft_whys` the five whys and the error behind the
error. `report_incidents` proves several incidents, and reports them one after the other.

Any visitor can make a service log `SyntaxError: …` with words of their own. What the platform sets (revision, time,
entry) is believed as it is, and a path and a line are looked up. The words are believed where the compiler says the
same of the file; otherwise they are no evidence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.causes.cause import Cause
from shared.detection.causes.classify import classify_cause
from shared.detection.incident import Incident, Sighting
from shared.detection.signal import SignalKind
from shared.proof.locating.located_version import infer_dates
from shared.proof.model.finding import Finding
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofRequest, ReportProgress, apply_log_labels
from shared.proof.prove import prove
from shared.report import impact as impacts
from shared.report.evidence import CAUSE_TOPICS, Evidence, Facts, FactTopic, number_facts
from shared.report.facts.deployed_code import (
    collect_deployed_code_facts,
    collect_environment_facts,
    collect_loading_facts,
)
from shared.report.facts.fix_history import collect_fix_facts
from shared.report.facts.log_entries import collect_log_facts
from shared.report.facts.prevention import collect_prevention_facts
from shared.report.facts.unproven import collect_suspected_facts, collect_trial_facts
from shared.report.whys.claim import explain_claim
from shared.report.whys.failure import (
    explain_attempts,
    explain_failure,
    explain_fix,
    explain_introduction,
    explain_next_failure,
    explain_rejection,
)
from shared.report.whys.process import explain_missing_check, explain_underlying_error
from shared.report.whys.unproven import explain_unknown_version, explain_unproven_signal
from shared.report.whys.why import (
    Why,
    WhyDraft,
    number_whys,
)
from shared.text.timestamps import format_timestamp


def gather_facts(incident: Incident, proof: Finding) -> Facts:
    """All facts, in the order in which a report gives them: logged, failing, fixed, why it was not caught."""
    parts = (
        collect_environment_facts,
        collect_deployed_code_facts,
        collect_loading_facts,
        collect_fix_facts,
        collect_suspected_facts,
        collect_trial_facts,
        collect_prevention_facts,
    )
    return number_facts(
        (*collect_log_facts(incident, proof.raised_frame), *(fact for part in parts for fact in part(incident, proof)))
    )


def draft_whys(incident: Incident, proof: Finding, facts: Facts) -> tuple[Why, ...]:
    """At least five questions; the last is always the error behind the error."""
    if proof.claim is not None and proof.broken is not None:
        return number_whys(explain_claim(incident, proof, proof.broken, facts))
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return number_whys(explain_unproven_signal(incident, proof, facts))
    if proof.broken is None:
        middle: tuple[WhyDraft | None, ...] = explain_unknown_version(incident, proof, facts)
    else:
        middle = (
            explain_rejection(proof, proof.broken, facts),
            explain_introduction(proof, facts),
            explain_attempts(proof, proof.broken, facts),
            explain_fix(proof, facts),
            explain_next_failure(proof.broken, facts),
        )
    drafts = (
        explain_failure(incident, facts),
        *middle,
        explain_missing_check(proof, facts),
        explain_underlying_error(incident, proof, facts),
    )
    return number_whys(draft for draft in drafts if draft is not None)


_NUMBERS = re.compile(r"\d+")
OMITTED_TEXT = "(Text of this entry omitted: it does not match Python's own error for the file.)"


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
    cause_evidence_ids: tuple[str, ...] = ()
    """What the class of the cause is based on."""

    @property
    def cause(self) -> Cause:
        """The class of the cause, as far as log and platform show it."""
        return classify_cause(self.incident, self.proof.environment)


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
        cause_evidence_ids=facts.evidence_ids(*CAUSE_TOPICS) or facts.evidence_ids(FactTopic.SIGHTING),
    )


def drop_unconfirmed_text(incident: Incident, proof: Finding) -> Incident:
    """Only a syntax error names words that a compiler can confirm."""
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return incident
    return replace(incident, sightings=tuple(_drop_from_sighting(sighting, proof) for sighting in incident.sightings))


def _drop_from_sighting(sighting: Sighting, proof: Finding) -> Sighting:
    if proof.broken is None:
        return replace(sighting, message="")
    if _mask_numbers(sighting.message) == _mask_numbers(proof.broken.fault.message):
        return sighting
    return replace(sighting, message="", first=replace(sighting.first, text=OMITTED_TEXT))


def _mask_numbers(message: str) -> str:
    """`detected at line 624` and `detected at line 676` are the same words about two versions of a file."""
    return _NUMBERS.sub("0", message)


def add_impact(report: Report, measured: impacts.ImpactMeasurement) -> Report:
    """The same report, with what the platform says of the failing revision as further evidence."""
    impact, evidence = impacts.assess_impact(measured, len(report.evidence) + 1)
    impact = replace(impact, is_found_early=report.incident.is_found_early)
    return replace(report, impact=impact, evidence=(*report.evidence, *evidence))


def describe_counting_time(report: Report) -> str:
    """` as of 2026-…`, after a count that may have grown since; "" where it cannot."""
    return f" as of {format_timestamp(report.counted_at, dated=True)}" if report.counted_at is not None else ""


def report_incidents(
    incidents: Iterable[Incident],
    history: History,
    compilers: Compilers,
    request: ProofRequest,
    progress: ReportProgress,
) -> list[Report]:
    """One report for each incident, in their order. Raises UsageError for a ref that does not exist."""
    reports: list[Report] = []
    for incident in incidents:
        labelled_request = apply_log_labels(incident, history, request)
        reports.append(
            build_report(*infer_dates(incident, prove(incident, history, compilers, labelled_request, progress)))
        )
    return reports
