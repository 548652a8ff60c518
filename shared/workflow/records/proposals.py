"""The question about an incident: made once from its evidence, read back by everybody, shown as it stands.

In: stored evidence. Out: the proposal, and the message that shows it.
"""

from dataclasses import fields, replace

from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.finding import ActionKind
from shared.proposal.proposal import AlternativeProposal, Message, Proposal, build_title
from shared.proposal.rollout import ServiceState
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
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
    return (STATUS_BY_END_STATE | _STATUS_BY_ACTIVE_STATE).get(
        state or record.ending or record.state, ProposalStatus.OPEN
    )


def format_title(record: IncidentRecord, evidence: Document, proposal: Document, status: ProposalStatus) -> str:
    """The title that message, page and issue carry; `proposal` is the stored one that was chosen, empty for none."""
    kind = next(
        (documents.read_choice(each, "kind", ActionKind) for each in (proposal, evidence) if each.get("kind")),
        ActionKind.NONE,
    )
    asked = documents.read_text(evidence_of_proposal(evidence, proposal), "headline")
    return build_title(asked, documents.read_text(evidence, "fails") if record.proposal else "", status, kind)


def evidence_of_proposal(evidence: Document, proposal: Document) -> Document:
    """The evidence in the words of the proposal that was chosen: its commit, its kind, what ships with it."""
    if not documents.read_text(proposal, "instead_of"):
        return evidence
    chosen = {name: documents.read_text(proposal, name) for name in ("commit", "kind")}
    return {**evidence, **documents.read_part(evidence, "instead"), **chosen, "alternative": ""}


KIND = "proposals"


def format_proposal_id(record: IncidentRecord) -> str:
    """The id of the proposal of an incident's present look."""
    return f"{record.id}-{record.look}"


def format_rollback_id(question: str) -> str:
    """The id of a question's other proposal: to go back to an earlier commit instead."""
    return f"{question}-back"


def is_of_same_question(proposal: str, other: Proposal) -> bool:
    """Whether a proposal's id is that of the other one's question, whichever of its two ways out."""
    return proposal in {other.decision_key, format_rollback_id(other.decision_key)}


def create_proposal(context: Context, service: Service, record: IncidentRecord, evidence: Document) -> Proposal | None:
    """Stores the proposal that the evidence asks for, unless it is stored; None where nothing is to be proposed."""
    if documents.read_text(evidence, "kind") == ActionKind.NONE.value:
        return None
    key = format_proposal_id(record)
    known = load_proposal(context, key)
    if known is not None:
        return known
    proposal = Proposal(
        id=key,
        incident=record.id,
        service=service.id,
        kind=documents.read_choice(evidence, "kind", ActionKind),
        commit=documents.read_text(evidence, "commit"),
        deployed=documents.read_text(evidence, "deployed"),
        revision=documents.read_text(evidence, "revision"),
        fix=documents.read_text(evidence, "fix"),
        python=documents.read_text(evidence, "python"),
        broken=documents.read_texts(evidence, "broken"),
        traced=documents.read_texts(evidence, "traced"),
        evidence_hash=documents.read_text(evidence, "evidence_hash"),
        expires_at=context.clock.now() + service.proposal_ttl,
        author=documents.read_text(evidence, "author"),
        etag=documents.read_text(evidence, "etag"),
    )
    if documents.read_text(evidence, "alternative"):
        # Before the first choice: whoever finds that one shows both.
        back = _build_rollback_proposal(proposal, documents.read_text(evidence, "alternative"))
        context.store.create(KIND, back.id, proposal_to_document(back))
    context.store.create(KIND, key, proposal_to_document(proposal))
    return load_proposal(context, key)  # of two that were made at once, the stored one counts


def _build_rollback_proposal(proposal: Proposal, commit: str) -> Proposal:
    """The same question, answered the other way; what mends it is then the earlier commit itself."""
    return replace(
        proposal,
        id=format_rollback_id(proposal.id),
        kind=ActionKind.ROLLBACK,
        commit=commit,
        fix=commit,
        author="",
        instead_of=proposal.id,
    )


def load_proposal(context: Context, proposal: str) -> Proposal | None:
    """The proposal of this id; None for "" as well, which no store takes for a key."""
    stored = context.store.read(KIND, proposal) if proposal else None
    return _proposal_from_document(stored.value) if stored else None


def require_proposal(context: Context, proposal: str) -> Proposal:
    """The proposal; Reject where there is none."""
    found = load_proposal(context, proposal)
    if found is None:
        raise Reject("unknown_proposal", proposal)
    return found


def is_stale(proposal: Proposal, serving: ServiceState) -> bool:
    """Whether anything about the service has changed since the evidence that the proposal stands on."""
    return serving.revision.name != proposal.revision or (bool(proposal.etag) and serving.etag != proposal.etag)


def build_message(
    proposal: Proposal, evidence: Document, record: IncidentRecord, status: ProposalStatus, reason: str = ""
) -> Message:
    """What is shown of a proposal. `why` says how it came to stand so."""
    stored = proposal_to_document(proposal)
    told = evidence_of_proposal(evidence, stored)
    back = documents.read_text(told, "alternative")
    return Message(
        proposal=proposal.id,
        incident=proposal.incident,
        commit=proposal.commit,
        evidence_hash=proposal.evidence_hash,
        title=format_title(replace(record, proposal=proposal.id), evidence, stored, status),
        lines=documents.read_texts(told, "lines"),
        issue_url=record.issue.url if record.issue else "",
        standing=status,
        expires_at=proposal.expires_at,
        kind=proposal.kind,
        alternative=AlternativeProposal(format_rollback_id(proposal.id), back) if back else None,
        reason=reason,
    )


def proposal_to_document(proposal: Proposal) -> Document:
    """As it is stored."""
    value: dict[str, object] = {field.name: getattr(proposal, field.name) for field in fields(proposal)}
    return value | {
        "kind": proposal.kind.value,
        "broken": list(proposal.broken),
        "traced": list(proposal.traced),
        "expires_at": format_rfc3339(proposal.expires_at),
    }


_TEXT_FIELDS = (
    "id", "incident", "service", "commit", "deployed", "revision", "fix", "python", "evidence_hash",
    "author", "instead_of", "etag",
)  # fmt: skip


def _proposal_from_document(value: Document) -> Proposal:
    return Proposal(
        kind=documents.read_choice(value, "kind", ActionKind),
        broken=documents.read_texts(value, "broken"),
        traced=documents.read_texts(value, "traced"),
        expires_at=documents.read_time(value, "expires_at"),
        **{name: documents.read_text(value, name) for name in _TEXT_FIELDS},
    )
