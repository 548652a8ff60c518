"""The question about an incident: made once from its evidence, read back by everybody, shown as it stands.

In: stored evidence. Out: the proposal, and the message that shows it.
"""

from dataclasses import fields, replace

from shared.errors import Reject
from shared.ports import Document
from shared.proof.model.finding import Kind
from shared.proposal.proposal import AlternativeProposal, Message, Proposal, ProposalStatus
from shared.proposal.rollout import ServiceState
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import World
from shared.workflow.records import documents
from shared.workflow.records.incident_record import Case
from shared.workflow.records.proposal_status import evidence_of, title_of

KIND = "proposals"


def proposal_id(case: Case) -> str:
    """The id of the proposal of an incident's present look."""
    return f"{case.id}-{case.look}"


def back_id(question: str) -> str:
    """The id of a question's other proposal: to go back to an earlier commit instead."""
    return f"{question}-back"


def of_one_question(proposal: str, other: Proposal) -> bool:
    """Whether a proposal's id is that of the other one's question, whichever of its two ways out."""
    return proposal in {other.question, back_id(other.question)}


def propose(world: World, service: Service, case: Case, evidence: Document) -> Proposal | None:
    """Stores the proposal that the evidence asks for, unless it is stored; None where nothing is to be proposed."""
    if documents.text(evidence, "kind") == Kind.NONE.value:
        return None
    key = proposal_id(case)
    known = load(world, key)
    if known is not None:
        return known
    proposal = Proposal(
        id=key,
        incident=case.id,
        service=service.id,
        kind=documents.choice(evidence, "kind", Kind),
        commit=documents.text(evidence, "commit"),
        deployed=documents.text(evidence, "deployed"),
        revision=documents.text(evidence, "revision"),
        fix=documents.text(evidence, "fix"),
        python=documents.text(evidence, "python"),
        broken=documents.texts(evidence, "broken"),
        traced=documents.texts(evidence, "traced"),
        evidence_hash=documents.text(evidence, "evidence_hash"),
        expires_at=world.clock.now() + service.proposal_ttl,
        author=documents.text(evidence, "author"),
        etag=documents.text(evidence, "etag"),
    )
    if documents.text(evidence, "alternative"):
        # Before the first choice: whoever finds that one shows both.
        back = _instead(proposal, documents.text(evidence, "alternative"))
        world.store.create(KIND, back.id, document(back))
    world.store.create(KIND, key, document(proposal))
    return load(world, key)  # of two that were made at once, the stored one counts


def _instead(proposal: Proposal, commit: str) -> Proposal:
    """The same question, answered the other way; what mends it is then the earlier commit itself."""
    return replace(
        proposal,
        id=back_id(proposal.id),
        kind=Kind.ROLLBACK,
        commit=commit,
        fix=commit,
        author="",
        instead_of=proposal.id,
    )


def load(world: World, proposal: str) -> Proposal | None:
    """The proposal of this id; None for "" as well, which no store takes for a key."""
    stored = world.store.read(KIND, proposal) if proposal else None
    return _read(stored.value) if stored else None


def demand(world: World, proposal: str) -> Proposal:
    """The proposal; Reject where there is none."""
    found = load(world, proposal)
    if found is None:
        raise Reject("unknown_proposal", proposal)
    return found


def is_stale(proposal: Proposal, serving: ServiceState) -> bool:
    """Whether anything about the service has changed since the evidence that the proposal stands on."""
    return serving.revision.name != proposal.revision or (bool(proposal.etag) and serving.etag != proposal.etag)


def message(proposal: Proposal, evidence: Document, case: Case, standing: ProposalStatus, why: str = "") -> Message:
    """What is shown of a proposal. `why` says how it came to stand so."""
    stored = document(proposal)
    told = evidence_of(evidence, stored)
    back = documents.text(told, "alternative")
    return Message(
        proposal=proposal.id,
        incident=proposal.incident,
        commit=proposal.commit,
        evidence_hash=proposal.evidence_hash,
        title=title_of(replace(case, proposal=proposal.id), evidence, stored, standing),
        lines=documents.texts(told, "lines"),
        issue_url=case.issue.url if case.issue else "",
        standing=standing,
        expires_at=proposal.expires_at,
        kind=proposal.kind,
        alternative=AlternativeProposal(back_id(proposal.id), back) if back else None,
        reason=why,
    )


def document(proposal: Proposal) -> Document:
    """As it is stored."""
    value: dict[str, object] = {field.name: getattr(proposal, field.name) for field in fields(proposal)}
    return value | {
        "kind": proposal.kind.value,
        "broken": list(proposal.broken),
        "traced": list(proposal.traced),
        "expires_at": format_rfc3339(proposal.expires_at),
    }


_TEXTS = (
    "id", "incident", "service", "commit", "deployed", "revision", "fix", "python", "evidence_hash",
    "author", "instead_of", "etag",
)  # fmt: skip


def _read(value: Document) -> Proposal:
    return Proposal(
        kind=documents.choice(value, "kind", Kind),
        broken=documents.texts(value, "broken"),
        traced=documents.texts(value, "traced"),
        expires_at=documents.moment(value, "expires_at"),
        **{name: documents.text(value, name) for name in _TEXTS},
    )
