"""An incident and its evidence come in; how its question stands, in one word and as a title, goes out."""

from shared.ports import Document
from shared.proof.model.finding import Kind
from shared.proposal.proposal import Standing
from shared.proposal.title import title_for
from shared.workflow.flow import State
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case

ENDS = {
    State.DENIED: Standing.DENIED,
    State.EXPIRED: Standing.EXPIRED,
    State.REFUSED: Standing.REFUSED,
    State.FAILED: Standing.FAILED,
    State.ROLLED_BACK: Standing.ROLLED_BACK,
    State.RESOLVED: Standing.RESOLVED,
    State.REPORTED: Standing.INCONCLUSIVE,
    State.MUTED: Standing.MUTED,
}
_ON_THE_WAY = {
    State.PROPOSED: Standing.OPEN,
    State.APPROVED: Standing.APPROVED,
    State.DEPLOYING: Standing.APPROVED,
    State.WATCHING: Standing.WATCHING,
}


def standing_of(case: Case, state: State | None = None) -> Standing:
    """How its question stands, or would in that state. Open as well where nothing was ever asked."""
    if not case.proposal:
        return Standing.OPEN
    return (ENDS | _ON_THE_WAY).get(state or case.ending or case.state, Standing.OPEN)


def title_of(case: Case, evidence: Document, proposal: Document, standing: Standing) -> str:
    """The title that message, page and issue carry; `proposal` is the stored one that was chosen, empty for none."""
    kind = next((documents.choice(each, "kind", Kind) for each in (proposal, evidence) if each.get("kind")), Kind.NONE)
    asked = documents.text(evidence_of(evidence, proposal), "headline")
    return title_for(asked, documents.text(evidence, "fails") if case.proposal else "", standing, kind)


def evidence_of(evidence: Document, proposal: Document) -> Document:
    """The evidence in the words of the proposal that was chosen: its commit, its kind, what ships with it."""
    if not documents.text(proposal, "instead_of"):
        return evidence
    chosen = {name: documents.text(proposal, name) for name in ("commit", "kind")}
    return {**evidence, **documents.part(evidence, "instead"), **chosen, "alternative": ""}
