"""Investigates an opened incident: gather -> prove -> report -> publish the issue -> propose -> ask, each of them once.

`investigate_incident` and `ensure_evidence` below are that list. Every step leaves alone what an earlier, interrupted
delivery has done.
"""

from dataclasses import replace

from shared.detection.signal import SignalKind
from shared.errors import Reject
from shared.ports import Document, IssueRef
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.consequences import list_consequences
from shared.proposal.notice import build_notice
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Context, StepResult
from shared.workflow.effects import IssueContent
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.gather_evidence import gather_evidence
from shared.workflow.investigation.prove_incident import prove_incident
from shared.workflow.investigation.write_report import write_report
from shared.workflow.issue import issue_updates
from shared.workflow.issue.collecting_issue import add_to_collecting_issue, may_open_own_issue
from shared.workflow.records import documents, incident_record, proposals, reports
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.proposals import create_proposal
from shared.workflow.records.rejections import record_rejection

_RECHECKED_REASONS = frozenset(
    reason.value
    for reason in (
        Reason.NO_FIX,
        Reason.FIX_IN_PULL_REQUEST,
        Reason.FIX_UNMERGED,
        Reason.NO_TARGET,
        Reason.CHECKS_RED,
        Reason.NO_IMAGE,
        Reason.FIX_DID_NOT_HOLD,
    )
)
"""What the next push to the branch, or the end of a check, can turn into something to deploy."""
_TRIAL_REASONS = frozenset((Reason.CLOSE_1011_UNPROVEN.value,))
"""Likewise something to try, where the service allows trials."""


_KINDS_WITH_NOTICE = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT, SignalKind.FAILED_START))
"""What is posted to the chat also where nothing is proposed."""
_COMPARED_FIELDS = ("kind", "reason", "commit", "fix", "deployed")
"""What a user would act on differently."""
_REASONS_WITHOUT_ISSUE = frozenset((Reason.FILE_NOT_FOUND.value,))
"""A client can make a service log the name of a file that does not exist; that must not open an issue."""


def investigate_incident(context: Context, incident_id: str) -> StepResult:
    """`proposed`, `unfixed`, `reported` or `duplicate`. Raises Retry, or Reject where it can never be."""
    record = incident_record.require_incident(context, incident_id)
    if record.state is not IncidentState.OPENED:
        return _finish_earlier_delivery(context, record)
    service = require_service(context, record)
    evidence = ensure_evidence(context, service, record)
    record = publish_issue(context, service, record, evidence)
    proposal = create_proposal(context, service, record, evidence) if _may_ask(service, record, evidence) else None
    record = ask(context, service, record, evidence, proposal)
    return _advance(context, service, record, evidence, proposal)


def _may_ask(service: Service, record: IncidentRecord, evidence: Document) -> bool:
    """A client can make a service log an exception, so a trial needs an issue of its own."""
    if service.is_read_only:
        return False
    return record.issue is not None or documents.read_text(evidence, "kind") != ActionKind.TRIAL.value


def ensure_evidence(context: Context, service: Service, record: IncidentRecord) -> Document:
    """The stored report of an incident's present look; made and stored where there is none."""
    stored = reports.load_report(context, record)
    if stored is not None:
        return stored
    evidence = gather_evidence(context, service, record)
    proof = prove_incident(context, service, record, evidence)
    report = write_report(context, service, record, evidence, proof)
    return reports.create_report(context, record, report)


def publish_issue(context: Context, service: Service, record: IncidentRecord, evidence: Document) -> IncidentRecord:
    """The record with its issue, which holds the report of this look."""
    if documents.read_text(evidence, "reason") in _REASONS_WITHOUT_ISSUE and record.issue is None:
        return record
    body = f"{issue_updates.render_current_status(context, record)}\n\n{documents.read_text(evidence, 'body')}"
    content = IssueContent(record.id, documents.read_text(evidence, "title"), body)
    if record.issue is None:
        earlier = _find_earlier_issue(context, service, record)
        if earlier is not None:
            return replace(record, issue=effects.reuse_issue(context, service, earlier, content))
        if not evidence.get("corroborated") and not may_open_own_issue(context, service, record):
            add_to_collecting_issue(context, service, record)
            return record
        return replace(record, issue=effects.open_issue(context, service, content, (f"signal:{record.kind.value}",)))
    if record.look > 1 and _has_new_findings(context, record, evidence):
        effects.rewrite_issue(context, service, record.issue.number, content, record.evidence_key)
    return record


def _has_new_findings(context: Context, record: IncidentRecord, evidence: Document) -> bool:
    """Whether this investigation differs from the last one; else the old text stays, which users may have edited."""
    before = reports.load_report(context, replace(record, look=record.look - 1))
    return before is None or any(before.get(name) != evidence.get(name) for name in _COMPARED_FIELDS)


def _find_earlier_issue(context: Context, service: Service, record: IncidentRecord) -> IssueRef | None:
    """The issue of the incident that has recurred; None where it was deleted or emptied."""
    before = incident_record.load_incident(context, record.regresses) if record.regresses else None
    if before is None or before.issue is None or not context.issues.state(service, before.issue.number).body:
        return None
    return before.issue


def ask(
    context: Context, service: Service, record: IncidentRecord, evidence: Document, proposal: Proposal | None
) -> IncidentRecord:
    """The stored record with its issue and, where something is proposed, the question in the chat."""
    if proposal is not None and not record.message:
        message = proposals.build_message(proposal, evidence, record, ProposalStatus.OPEN)
        record = replace(record, proposal=proposal.id, message=effects.post_question(context, service, message))
    has_notice = record.kind in _KINDS_WITH_NOTICE and record.issue is not None and not service.is_read_only
    if proposal is None and has_notice:
        _post_notice(context, service, record, evidence)
    record = _store_findings(context, record, documents.read_text(evidence, "fix"))
    if proposal is not None and record.message:
        _post_details(context, service, record, proposal, list_thread_lines(service, proposal, evidence))
    return record


def _post_notice(context: Context, service: Service, record: IncidentRecord, evidence: Document) -> None:
    """Notifies the on-call engineer of what no deployment fixes. A chat that refuses for good does not delay the
    issue.
    """
    title, lines = documents.read_text(evidence, "headline"), documents.read_texts(evidence, "lines")
    url = record.issue.url if record.issue is not None else ""
    try:
        effects.post_notice(context, service, build_notice(record.id, title, lines, url, record.opened_at))
    except Reject as refused:
        record_rejection(context, f"notice.{record.id}", refused.reason, refused.detail)


def list_thread_lines(service: Service, proposal: Proposal, evidence: Document) -> tuple[str, ...]:
    """What is below the question: the whole proof, what each button leads to, and the details."""
    has_alternative = bool(documents.read_text(evidence, "alternative"))
    consequences = list_consequences(service, proposal.kind, has_alternative=has_alternative)
    return (*documents.read_texts(evidence, "lines"), *consequences, *documents.read_texts(evidence, "details"))


def _post_details(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, lines: tuple[str, ...]
) -> None:
    """The details, below the message. A chat that refuses them for good must not keep the question from being asked."""
    try:
        effects.post_details(context, service, record.message, proposal.id, lines)
    except Reject as refused:
        record_rejection(context, f"details.{proposal.id}", refused.reason, refused.detail)


def _store_findings(context: Context, record: IncidentRecord, fix: str) -> IncidentRecord:
    """Stores issue, question and fix with the incident as it is by now."""

    def with_findings(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.OPENED or now.look != record.look:
            return now  # it has gone on without this worker, and may be about another proposal by now
        return replace(now, issue=record.issue, proposal=record.proposal, message=record.message, fix=fix or now.fix)

    return incident_record.update_incident(context, record.id, with_findings)


def _advance(
    context: Context, service: Service, record: IncidentRecord, evidence: Document, proposal: Proposal | None
) -> StepResult:
    """Moves the incident to the state that the findings lead to, and updates its issue."""
    reason = documents.read_text(evidence, "reason")
    rechecked = _RECHECKED_REASONS | _TRIAL_REASONS if service.allows_trials else _RECHECKED_REASONS
    state = IncidentState.UNFIXED if reason in rechecked else IncidentState.REPORTED
    if proposal is not None:
        state = IncidentState.PROPOSED

    def advanced(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.OPENED or now.look != record.look:
            return now
        moment, sign = context.clock.now(), documents.read_text(evidence, "branch_sign")
        return replace(now, branch_sign=sign, looked_at=moment).moved_to(state, moment, reason)

    moved = incident_record.update_incident(context, record.id, advanced)
    moved = issue_updates.post_updates(context, service, moved)
    return StepResult(moved.state.value, moved.id, reason, (context.clock.now() - moved.opened_at).total_seconds())


def _finish_earlier_delivery(context: Context, record: IncidentRecord) -> StepResult:
    """Updates the issue of an incident at rest: no tick does, and the last delivery may have ended before it did."""
    if not record.active:
        issue_updates.post_updates(context, require_service(context, record), record)
    return StepResult("duplicate", record.id, record.state.value)


def require_service(context: Context, record: IncidentRecord) -> Service:
    """The incident's service; Reject where it is watched no longer."""
    service = context.services.get(record.service)
    if service is None:
        raise Reject("unknown_service", f"{record.service} is not configured any more")
    return service
