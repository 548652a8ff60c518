"""The five whys and the error behind the error: incident, proof and numbered facts come in, answers go out."""

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Proof
from shared.report.facts import Facts
from shared.report.whys.failure import failed, next_to_fail, rejected
from shared.report.whys.past import introduced, mended, not_ended
from shared.report.whys.process import behind, not_caught
from shared.report.whys.unproven import other_kind, without_version
from shared.report.whys.why import Confidence, Draft, Key, Statement, Why, numbered

__all__ = ["Confidence", "Key", "Statement", "Why", "draft_whys"]


def draft_whys(incident: Incident, proof: Proof, facts: Facts) -> tuple[Why, ...]:
    """At least five questions; the last is always the error behind the error."""
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return numbered(other_kind(incident, proof, facts))
    if proof.broken is None:
        middle: tuple[Draft | None, ...] = without_version(incident, proof, facts)
    else:
        middle = (
            rejected(proof, proof.broken, facts),
            introduced(proof, facts),
            not_ended(proof, proof.broken, facts),
            mended(proof, facts),
            next_to_fail(proof.broken, facts),
        )
    drafts = (failed(incident, facts), *middle, not_caught(proof, facts), behind(incident, proof, facts))
    return numbered(draft for draft in drafts if draft is not None)
