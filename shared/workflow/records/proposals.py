"""The proposal of an incident: made once from stored evidence, stored, and shown as a message in its present status."""

from collections.abc import Iterator
from dataclasses import replace

from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.recommendation import ActionKind
from shared.proposal.brief import read_brief
from shared.proposal.proposal import AlternativeProposal, Message, Proposal, build_title
from shared.proposal.rollout import ServiceState
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents
from shared.workflow.records.documents import Collection
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.trials import create_trial

KIND = "proposals"
PROPOSALS = Collection(KIND, Proposal)

STATUS_BY_END_STATE = {
    IncidentState.DENIED: ProposalStatus.DENIED,
    IncidentState.EXPIRED: ProposalStatus.EXPIRED,
    IncidentState.REFUSED: ProposalStatus.REFUSED,
    IncidentState.FAILED: ProposalStatus.FAILED,
    IncidentState.ROLLED_BACK: ProposalStatus.ROLLED_BACK,
    IncidentState.TRIED: ProposalStatus.TRIED,
    IncidentState.RESOLVED: ProposalStatus.RESOLVED,
    IncidentState.REPORTED: ProposalStatus.INCONCLUSIVE,
    IncidentState.MUTED: ProposalStatus.MUTED,
}
_STATUS_BY_ACTIVE_STATE = {
    IncidentState.PROPOSED: ProposalStatus.OPEN,
    IncidentState.APPROVED: ProposalStatus.APPROVED,
    IncidentState.DEPLOYING: ProposalStatus.APPROVED,
    IncidentState.TRYING: ProposalStatus.TRYING,
    IncidentState.WATCHING: ProposalStatus.WATCHING,
}


def derive_proposal_status(record: IncidentRecord, state: IncidentState | None = None) -> ProposalStatus:
    """The status of its question, or what it would be in `state`; open where nothing was ever asked."""
    if not record.proposal:
        return ProposalStatus.OPEN
    return (STATUS_BY_END_STATE | _STATUS_BY_ACTIVE_STATE).get(
        state or record.ending or record.state, ProposalStatus.OPEN
    )


def format_title(record: IncidentRecord, evidence: Document, proposal: Proposal | None, status: ProposalStatus) -> str:
    """The title of message, page and issue; `proposal` is the one that was chosen."""
    kind = ActionKind.NONE
    if proposal is not None:
        kind = proposal.kind
    elif evidence.get("kind"):
        kind = documents.read_choice(evidence, "kind", ActionKind)
    open_title = documents.read_text(read_proposal_evidence(evidence, proposal), "headline")
    return build_title(open_title, documents.read_text(evidence, "fails") if record.proposal else "", status, kind)


def read_proposal_evidence(evidence: Document, proposal: Proposal | None) -> Document:
    """The evidence in the words of the proposal that was chosen: its commit, its kind, what ships with it."""
    if proposal is None or not proposal.instead_of:
        return evidence
    chosen = {"commit": proposal.commit, "kind": proposal.kind.value}
    return {**evidence, **documents.read_part(evidence, "instead"), **chosen, "alternative": ""}


def format_proposal_id(record: IncidentRecord) -> str:
    """The id of the proposal of an incident's present look."""
    return f"{record.id}-{record.look}"


def format_rollback_id(question: str) -> str:
    """The id of a question's other proposal: to go back to an earlier commit instead."""
    return f"{question}-back"


def is_of_same_question(proposal: str, other: Proposal) -> bool:
    """Whether a proposal's id is one of the two proposals of the other one's question."""
    return proposal in {other.decision_key, format_rollback_id(other.decision_key)}


def create_proposal(context: Context, service: Service, record: IncidentRecord, evidence: Document) -> Proposal | None:
    """Stores the proposal that the evidence asks for, unless it is stored; None where nothing is to be proposed."""
    if documents.read_text(evidence, "kind") == ActionKind.NONE.value:
        return None
    key = format_proposal_id(record)
    if (stored := load_proposal(context, key)) is not None:
        return stored
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
        # Stored before the first choice: a caller that reads that one shows both.
        back = _build_rollback_proposal(proposal, documents.read_text(evidence, "alternative"))
        PROPOSALS.create(context.store, back.id, back)
    if proposal.kind is ActionKind.TRIAL:
        create_trial(context, key, documents.read_part(evidence, "trial"), proposal.revision)
    PROPOSALS.create(context.store, key, proposal)
    return load_proposal(context, key)  # of two that were made in parallel, the stored one counts


def _build_rollback_proposal(proposal: Proposal, commit: str) -> Proposal:
    """The other proposal of the same question; the fix is then the earlier commit itself."""
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
    return PROPOSALS.read(context.store, proposal) if proposal else None


def require_proposal(context: Context, proposal: str) -> Proposal:
    """The proposal; Reject where there is none."""
    stored = load_proposal(context, proposal)
    if stored is None:
        raise Reject("unknown_proposal", proposal)
    return stored


def is_stale(proposal: Proposal, serving: ServiceState) -> bool:
    """Whether the service has changed since the evidence was gathered from which the proposal was made."""
    return serving.revision.name != proposal.revision or (bool(proposal.etag) and serving.etag != proposal.etag)


def _describe_suspected(evidence: Document) -> Iterator[str]:
    """The likeliest change that may have brought the failure in, and the first that may end it."""
    suspected = documents.read_part(documents.read_part(evidence, "report"), "suspected")
    for name, words in (("introduced", "may have introduced it"), ("possible_fixes", "may end it")):
        for change in documents.read_parts(suspected, name)[:1]:
            commit, reason = short_sha(documents.read_text(change, "commit")), documents.read_text(change, "reason")
            subject = quote_untrusted(documents.read_text(change, "subject"), 120)
            yield f"Suspected: {commit} (“{subject}”) {words}: {quote_untrusted(reason, 300)}. Not proven."


def build_message(
    proposal: Proposal, evidence: Document, record: IncidentRecord, status: ProposalStatus, reason: str = ""
) -> Message:
    """The message that shows a proposal. `reason` says why it has its status."""
    chosen = read_proposal_evidence(evidence, proposal)
    back = documents.read_text(chosen, "alternative")
    return Message(
        proposal=proposal.id,
        incident=proposal.incident,
        commit=proposal.commit,
        evidence_hash=proposal.evidence_hash,
        title=format_title(replace(record, proposal=proposal.id), evidence, proposal, status),
        lines=documents.read_texts(chosen, "lines"),
        issue_url=record.issue.url if record.issue else "",
        standing=status,
        expires_at=proposal.expires_at,
        kind=proposal.kind,
        alternative=_build_alternative(proposal, chosen, back) if back else None,
        reason=reason,
        snoozed_until=record.snoozed_until,
        brief=read_brief(documents.read_part(chosen, "brief")),
    )


def _build_alternative(proposal: Proposal, evidence: Document, commit: str) -> AlternativeProposal:
    brief = read_brief(documents.read_part(documents.read_part(evidence, "instead"), "brief"))
    return AlternativeProposal(format_rollback_id(proposal.id), commit, subject=brief.subject, ships=brief.ships)
