"""What the platform tells of a cause: the variables that the failing revision lacks, by name."""

from collections.abc import Iterator

from shared.detection.causes.classify import classify_cause
from shared.detection.incident import Incident
from shared.detection.raised_exception import EFFECT_KINDS
from shared.proof.model.finding import Finding
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.text.phrases import quote_untrusted


def collect_environment_facts(incident: Incident, proof: Finding) -> Iterator[Fact]:
    """Only what confirms the class of the cause: other variables may differ for good reasons."""
    if proof.environment is None or incident.kind not in EFFECT_KINDS:
        return
    cause = classify_cause(incident, proof.environment)
    if cause.proven_by:
        ref = quote_untrusted(proof.environment.failing, 80)
        yield Fact(FactTopic.ENVIRONMENT, EvidenceKind.REVISION, ref, quote_untrusted(cause.proven_by, 300))
