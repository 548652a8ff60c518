"""Drafts the five whys and the error behind the error from an incident, its proof and the numbered facts."""

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding
from shared.report.evidence import Facts
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
