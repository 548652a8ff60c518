"""Renders a report as the JSON that is printed and stored: schema `provenfix.report/1`, every text redacted."""

from datetime import datetime

from shared.detection.close_code import CloseKind
from shared.detection.incident import Incident, Symptom, is_suspected_consequence
from shared.report.cause import cause_to_json, exception_to_json
from shared.report.evidence import Evidence
from shared.report.impact import impact_to_json
from shared.report.proof_json import claim_to_json, format_time_if_dated, proof_to_json
from shared.report.report import Report
from shared.report.whys.why import Why
from shared.text.redaction import redact
from shared.text.timestamps import format_clock_time, format_rfc3339

SCHEMA = "provenfix.report/1"
_CLOSED_FIRST_JSON = {CloseKind.REMOTE_END: "other_end", CloseKind.LOCAL_END: "this_end"}


def report_to_json(report: Report) -> dict[str, object]:
    """The report as values that `json` writes; every key is always there, None where something is unknown.

    Commits are full ids, times RFC 3339 in UTC. Texts are redacted. Where the log had times of day without a date,
    `format_clock_time` holds what was logged; the times themselves are None unless the day could be inferred.
    """
    proof = report.proof
    document: dict[str, object] = {
        "schema": SCHEMA,
        "incident": _incident_to_json(report),
        **proof_to_json(proof, report.incident),
        "cause": cause_to_json(report),
        "impact": impact_to_json(report.impact) if report.impact else None,
        "whys": [_why_to_json(why) for why in report.whys],
        "evidence": [_evidence_to_json(item) for item in report.evidence],
        "unseen": list(proof.gaps),
        "claim": claim_to_json(proof.claim) if proof.claim is not None else None,
        "versions_compiled": proof.versions_compiled,
    }
    return {key: _redact_json(value) for key, value in document.items()}


def _redact_json(value: object) -> object:
    if isinstance(value, str):
        return redact(value).encode("utf-8", "replace").decode("utf-8")  # a lone surrogate cannot be written
    if isinstance(value, dict):
        return {key: _redact_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_json(item) for item in value]
    return value


def _incident_to_json(report: Report) -> dict[str, object]:
    incident = report.incident
    ids = (*report.symptom_evidence_ids, *([None] * len(incident.symptoms)))
    nearby = (*report.nearby_evidence_ids, *([None] * len(incident.nearby)))
    return {
        "fingerprint": incident.fingerprint,
        "service": incident.service or None,
        "environment": incident.environment or None,
        "signal": incident.kind.value,
        "error_class": incident.error_class or None,
        "path": incident.path or None,
        **_seen_times_to_json(incident.first_seen, incident.last_seen, dated=incident.dated),
        "occurrences": incident.occurrences,
        "counted_at": format_rfc3339(report.counted_at) if report.counted_at is not None else None,
        "symptoms": [
            _symptom_to_json(symptom, known, incident) for symptom, known in zip(incident.symptoms, ids, strict=False)
        ],
        "nearby": [
            {**_symptom_to_json(symptom, known, incident), "suspected": is_suspected_consequence(symptom, incident)}
            for symptom, known in zip(incident.nearby, nearby, strict=False)
        ],
        "closed_first": _CLOSED_FIRST_JSON.get(incident.close_kind) if incident.close_kind else None,
        "exception": exception_to_json(report),
    }


def _symptom_to_json(symptom: Symptom, evidence: str | None, incident: Incident) -> dict[str, object]:
    return {
        "signal": symptom.kind.value,
        "text": symptom.text,
        "revision": symptom.revision or None,
        **_seen_times_to_json(symptom.first_seen, symptom.last_seen, dated=incident.dated),
        "occurrences": symptom.occurrences,
        "evidence": evidence,
    }


def _seen_times_to_json(first: datetime | None, last: datetime | None, *, dated: bool) -> dict[str, object]:
    """A date is never invented: without one, only the time of day is given."""
    seen: dict[str, object] = {
        "first_seen": format_time_if_dated(first, dated=dated),
        "last_seen": format_time_if_dated(last, dated=dated),
    }
    if not dated:
        seen["time_of_day"] = {
            "first_seen": format_clock_time(first) if first else None,
            "last_seen": format_clock_time(last) if last else None,
        }
    return seen


def _why_to_json(why: Why) -> dict[str, object]:
    return {
        "n": why.n,
        "question": why.question,
        "answer": why.answer,
        "confidence": why.confidence.value,
        "evidence": list(why.evidence),
    }


def _evidence_to_json(evidence: Evidence) -> dict[str, object]:
    return {"id": evidence.id, "kind": evidence.kind.value, "ref": evidence.ref, "text": evidence.text}
