"""An incident and its evidence come in; how its question stands, in one word and as a title, goes out."""

from shared.ports import Document
from shared.proof.model.finding import Kind
from shared.proposal.proposal import ProposalStatus
from shared.proposal.title import build_title
from shared.workflow.flow import State
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case

ENDS = {
    State.DENIED: ProposalStatus.DENIED,
    State.EXPIRED: ProposalStatus.EXPIRED,
    State.REFUSED: ProposalStatus.REFUSED,
    State.FAILED: ProposalStatus.FAILED,
    State.ROLLED_BACK: ProposalStatus.ROLLED_BACK,
    State.RESOLVED: ProposalStatus.RESOLVED,
    State.REPORTED: ProposalStatus.INCONCLUSIVE,
    State.MUTED: ProposalStatus.MUTED,
}
_ON_THE_WAY = {
    State.PROPOSED: ProposalStatus.OPEN,
    State.APPROVED: ProposalStatus.APPROVED,
    State.DEPLOYING: ProposalStatus.APPROVED,
    State.WATCHING: ProposalStatus.WATCHING,
}


def standing_of(case: Case, state: State | None = None) -> ProposalStatus:
    """How its question stands, or would in that state. Open as well where nothing was ever asked."""
    if not case.proposal:
        return ProposalStatus.OPEN
    return (ENDS | _ON_THE_WAY).get(state or case.ending or case.state, ProposalStatus.OPEN)


def title_of(case: Case, evidence: Document, proposal: Document, standing: ProposalStatus) -> str:
    """The title that message, page and issue carry; `proposal` is the stored one that was chosen, empty for none."""
    kind = next((documents.choice(each, "kind", Kind) for each in (proposal, evidence) if each.get("kind")), Kind.NONE)
    asked = documents.text(evidence_of(evidence, proposal), "headline")
    return build_title(asked, documents.text(evidence, "fails") if case.proposal else "", standing, kind)


def evidence_of(evidence: Document, proposal: Document) -> Document:
    """The evidence in the words of the proposal that was chosen: its commit, its kind, what ships with it."""
    if not documents.text(proposal, "instead_of"):
        return evidence
    chosen = {name: documents.text(proposal, name) for name in ("commit", "kind")}
    return {**evidence, **documents.part(evidence, "instead"), **chosen, "alternative": ""}
