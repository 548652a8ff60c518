"""Issue and question of an incident: each made once, and found again by whoever comes second.

In: an incident with stored evidence. Out: the same incident, with what the other side knows it by.
"""

from dataclasses import dataclass, replace

from shared.errors import Reject
from shared.ports import Document, IssueRef
from shared.proof.model.finding import Reason
from shared.proposal.proposal import Proposal, ProposalStatus
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.investigation.gather_evidence import KIND, evidence_for
from shared.workflow.issue import issue_updates
from shared.workflow.issue.collecting_issue import collect_uncorroborated, count_uncorroborated
from shared.workflow.records import documents, incident_records, proposals
from shared.workflow.records.incident_record import Case
from shared.workflow.records.rejections import reject

_FOUND = ("kind", "reason", "commit", "fix", "deployed")
"""What a person would act on differently."""
_WITHOUT_ISSUE = frozenset((Reason.FILE_NOT_FOUND.value,))
"""Anybody can make a service log the name of a file that does not exist; nobody is to read an issue about it."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What there is on paper."""

    case: Case
    evidence: Document
    proposal: Proposal | None


def complete(world: World, service: Service, case: Case) -> Papers:
    """Evidence, issue, proposal and message: whatever of it is missing is made, the rest is left as it is."""
    evidence = evidence_for(world, service, case)
    case = _reported(world, service, case, evidence)
    proposal = proposals.propose(world, service, case, evidence)
    if proposal is not None and not case.message:
        message = proposals.message(proposal, evidence, case, ProposalStatus.OPEN)
        case = replace(case, proposal=proposal.id, message=effects.ask(world, service, message))
    case = _kept(world, case, documents.text(evidence, "fix"))
    if proposal is not None and case.message:
        _explain(world, service, case, proposal, documents.texts(evidence, "details"))
    return Papers(case, evidence, proposal)


def _explain(world: World, service: Service, case: Case, proposal: Proposal, lines: tuple[str, ...]) -> None:
    """The details, below the message. A chat that refuses them for good must not keep the question from being asked."""
    try:
        effects.explain(world, service, case.message, proposal.id, lines)
    except Reject as refused:
        reject(world, f"details.{proposal.id}", refused.reason, refused.detail)


def _reported(world: World, service: Service, case: Case, evidence: Document) -> Case:
    """With an issue that holds the report of this look."""
    if documents.text(evidence, "reason") in _WITHOUT_ISSUE and case.issue is None:
        return case
    body = f"{issue_updates.part_of(world, case)}\n\n{documents.text(evidence, 'body')}"
    paper = effects.Paper(case.id, documents.text(evidence, "title"), body)
    if case.issue is None:
        earlier = _earlier_issue(world, service, case)
        if earlier is not None:
            return replace(case, issue=effects.take_issue(world, service, earlier, paper))
        if not evidence.get("corroborated") and not count_uncorroborated(world, service, case):
            collect_uncorroborated(world, service, case)
            return case
        return replace(case, issue=effects.open_issue(world, service, paper, (f"signal:{case.kind.value}",)))
    if case.look > 1 and _is_news(world, case, evidence):
        effects.rewrite_issue(world, service, case.issue.number, paper, case.evidence)
    return case


def _is_news(world: World, case: Case, evidence: Document) -> bool:
    """Whether this look found something else than the last one: people may have ticked and written in the old text."""
    before = world.store.read(KIND, replace(case, look=case.look - 1).evidence)
    return before is None or any(before.value.get(name) != evidence.get(name) for name in _FOUND)


def _earlier_issue(world: World, service: Service, case: Case) -> IssueRef | None:
    """That of the incident which has come back; None where it was deleted, or emptied."""
    before = incident_records.load(world, case.regresses) if case.regresses else None
    if before is None or before.issue is None or not world.issues.state(service, before.issue.number).body:
        return None
    return before.issue


def _kept(world: World, case: Case, fix: str) -> Case:
    """Writes down what was found, into the incident as it is by now."""

    def with_papers(now: Case) -> Case:
        if now.state is not State.OPENED or now.look != case.look:
            return now  # it has gone on without this worker, and may be about another proposal by now
        return replace(now, issue=case.issue, proposal=case.proposal, message=case.message, fix=fix or now.fix)

    return incident_records.change(world, case.id, with_papers)
