"""An opened incident comes in; evidence, whys, an issue and a question go out, each of them once."""

from dataclasses import dataclass, replace

from shared.errors import Reject
from shared.ports import Document, IssueRef
from shared.proof.model.finding import Reason
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Context, StepResult
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import KIND, ensure_evidence
from shared.workflow.issue import issue_updates
from shared.workflow.issue.collecting_issue import add_to_collecting_issue, may_open_own_issue
from shared.workflow.records import documents, incident_records, proposals
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.rejections import record_rejection

_COMPARED_FIELDS = ("kind", "reason", "commit", "fix", "deployed")
"""What a person would act on differently."""
_REASONS_WITHOUT_ISSUE = frozenset((Reason.FILE_NOT_FOUND.value,))
"""Anybody can make a service log the name of a file that does not exist; nobody is to read an issue about it."""


@dataclass(frozen=True, slots=True)
class PublishedFindings:
    """What there is on paper."""

    case: IncidentRecord
    evidence: Document
    proposal: Proposal | None


def publish_findings(context: Context, service: Service, record: IncidentRecord) -> PublishedFindings:
    """Evidence, issue, proposal and message: whatever of it is missing is made, the rest is left as it is."""
    evidence = ensure_evidence(context, service, record)
    record = _publish_issue(context, service, record, evidence)
    proposal = proposals.create_proposal(context, service, record, evidence)
    if proposal is not None and not record.message:
        message = proposals.build_message(proposal, evidence, record, ProposalStatus.OPEN)
        record = replace(record, proposal=proposal.id, message=effects.post_question(context, service, message))
    record = _store_findings(context, record, documents.read_text(evidence, "fix"))
    if proposal is not None and record.message:
        _post_details(context, service, record, proposal, documents.read_texts(evidence, "details"))
    return PublishedFindings(record, evidence, proposal)


def _post_details(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, lines: tuple[str, ...]
) -> None:
    """The details, below the message. A chat that refuses them for good must not keep the question from being asked."""
    try:
        effects.post_details(context, service, record.message, proposal.id, lines)
    except Reject as refused:
        record_rejection(context, f"details.{proposal.id}", refused.reason, refused.detail)


def _publish_issue(context: Context, service: Service, record: IncidentRecord, evidence: Document) -> IncidentRecord:
    """With an issue that holds the report of this look."""
    if documents.read_text(evidence, "reason") in _REASONS_WITHOUT_ISSUE and record.issue is None:
        return record
    body = f"{issue_updates.render_current_status(context, record)}\n\n{documents.read_text(evidence, 'body')}"
    paper = effects.IssueContent(record.id, documents.read_text(evidence, "title"), body)
    if record.issue is None:
        earlier = _earlier_issue(context, service, record)
        if earlier is not None:
            return replace(record, issue=effects.reuse_issue(context, service, earlier, paper))
        if not evidence.get("corroborated") and not may_open_own_issue(context, service, record):
            add_to_collecting_issue(context, service, record)
            return record
        return replace(record, issue=effects.open_issue(context, service, paper, (f"signal:{record.kind.value}",)))
    if record.look > 1 and _has_new_findings(context, record, evidence):
        effects.rewrite_issue(context, service, record.issue.number, paper, record.evidence_key)
    return record


def _has_new_findings(context: Context, record: IncidentRecord, evidence: Document) -> bool:
    """Whether this look found something else than the last one: people may have ticked and written in the old text."""
    before = context.store.read(KIND, replace(record, look=record.look - 1).evidence_key)
    return before is None or any(before.value.get(name) != evidence.get(name) for name in _COMPARED_FIELDS)


def _earlier_issue(context: Context, service: Service, record: IncidentRecord) -> IssueRef | None:
    """That of the incident which has come back; None where it was deleted, or emptied."""
    before = incident_records.load_incident(context, record.regresses) if record.regresses else None
    if before is None or before.issue is None or not context.issues.state(service, before.issue.number).body:
        return None
    return before.issue


def _store_findings(context: Context, record: IncidentRecord, fix: str) -> IncidentRecord:
    """Writes down what was found, into the incident as it is by now."""

    def with_papers(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.OPENED or now.look != record.look:
            return now  # it has gone on without this worker, and may be about another proposal by now
        return replace(now, issue=record.issue, proposal=record.proposal, message=record.message, fix=fix or now.fix)

    return incident_records.update_incident(context, record.id, with_papers)


_RECHECKED_REASONS = frozenset(
    reason.value
    for reason in (
        Reason.NO_FIX,
        Reason.FIX_IN_PULL_REQUEST,
        Reason.FIX_UNMERGED,
        Reason.NO_TARGET,
        Reason.CHECKS_RED,
        Reason.FIX_DID_NOT_HOLD,
    )
)
"""What the next push to the branch, or the end of a check, can turn into something to deploy."""


def investigate_incident(context: Context, incident_id: str) -> StepResult:
    """`proposed`, `unfixed`, `reported` or `duplicate`. Raises Retry, or Reject where it can never be."""
    case = incident_records.require_incident(context, incident_id)
    if case.state is not IncidentState.OPENED:
        if not case.active:  # no tick looks at it, and the last delivery may have ended before its issue said so
            issue_updates.post_updates(context, require_service(context, case), case)
        return StepResult("duplicate", case.id, case.state.value)
    service = require_service(context, case)
    papers = publish_findings(context, service, case)
    reason = documents.read_text(papers.evidence, "reason")
    state = IncidentState.UNFIXED if reason in _RECHECKED_REASONS else IncidentState.REPORTED
    if papers.proposal is not None:
        state = IncidentState.PROPOSED

    def advanced(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.OPENED or now.look != case.look:
            return now
        moment, sign = context.clock.now(), documents.read_text(papers.evidence, "branch_sign")
        return replace(now, branch_sign=sign, looked_at=moment).moved_to(state, moment, reason)

    case = issue_updates.post_updates(context, service, incident_records.update_incident(context, case.id, advanced))
    return StepResult(case.state.value, case.id, reason, (context.clock.now() - case.opened_at).total_seconds())


def require_service(context: Context, record: IncidentRecord) -> Service:
    """The incident's service; Reject where it is watched no longer."""
    service = context.services.get(record.service)
    if service is None:
        raise Reject("unknown_service", f"{record.service} is not configured any more")
    return service
