"""An incident and its evidence come in; how its question stands, in one word and as a title, goes out."""

from shared.ports import Document
from shared.proof.model.finding import ActionKind
from shared.proposal.proposal import ProposalStatus
from shared.proposal.title import build_title
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents
from shared.workflow.records.incident_record import IncidentRecord

STATUS_BY_END_STATE = {
    IncidentState.DENIED: ProposalStatus.DENIED,
    IncidentState.EXPIRED: ProposalStatus.EXPIRED,
    IncidentState.REFUSED: ProposalStatus.REFUSED,
    IncidentState.FAILED: ProposalStatus.FAILED,
    IncidentState.ROLLED_BACK: ProposalStatus.ROLLED_BACK,
    IncidentState.RESOLVED: ProposalStatus.RESOLVED,
    IncidentState.REPORTED: ProposalStatus.INCONCLUSIVE,
    IncidentState.MUTED: ProposalStatus.MUTED,
}
_STATUS_BY_ACTIVE_STATE = {
    IncidentState.PROPOSED: ProposalStatus.OPEN,
    IncidentState.APPROVED: ProposalStatus.APPROVED,
    IncidentState.DEPLOYING: ProposalStatus.APPROVED,
    IncidentState.WATCHING: ProposalStatus.WATCHING,
}


def derive_proposal_status(record: IncidentRecord, state: IncidentState | None = None) -> ProposalStatus:
    """How its question stands, or would in that state. Open as well where nothing was ever asked."""
    if not record.proposal:
        return ProposalStatus.OPEN
    return (STATUS_BY_END_STATE | _STATUS_BY_ACTIVE_STATE).get(state or record.ending or record.state, ProposalStatus.OPEN)


def format_title(record: IncidentRecord, evidence: Document, proposal: Document, status: ProposalStatus) -> str:
    """The title that message, page and issue carry; `proposal` is the stored one that was chosen, empty for none."""
    kind = next((documents.read_choice(each, "kind", ActionKind) for each in (proposal, evidence) if each.get("kind")), ActionKind.NONE)
    asked = documents.read_text(evidence_of_proposal(evidence, proposal), "headline")
    return build_title(asked, documents.read_text(evidence, "fails") if record.proposal else "", status, kind)


def evidence_of_proposal(evidence: Document, proposal: Document) -> Document:
    """The evidence in the words of the proposal that was chosen: its commit, its kind, what ships with it."""
    if not documents.read_text(proposal, "instead_of"):
        return evidence
    chosen = {name: documents.read_text(proposal, name) for name in ("commit", "kind")}
    return {**evidence, **documents.read_part(evidence, "instead"), **chosen, "alternative": ""}
