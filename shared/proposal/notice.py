"""The message about an incident for which nothing is proposed: no question, no buttons, and who can act instead."""

from collections.abc import Iterator
from datetime import datetime

from shared.detection.causes.cause import CauseClass
from shared.detection.incident import describe_exception, describe_raised_exception
from shared.proof.model.recommendation import ActionKind
from shared.proposal.labels import Label
from shared.proposal.proposal import Message
from shared.proposal.states import ProposalStatus
from shared.report.cause import describe_cause
from shared.report.facts.log_entries import describe_gap
from shared.report.facts.unproven import describe_likeliest_change
from shared.report.issue.summary import describe_error
from shared.report.report import Report
from shared.text.phrases import join_words, quote_untrusted


def build_notice(incident: str, title: str, lines: tuple[str, ...], issue_url: str, posted_at: datetime) -> Message:
    """`title` and `lines` are those of the incident's report."""
    return Message(
        proposal=format_notice_id(incident),
        incident=incident,
        commit="",
        evidence_hash="",
        title=title,
        lines=lines,
        issue_url=issue_url,
        standing=ProposalStatus.NOTICE,
        expires_at=posted_at,
        kind=ActionKind.NONE,
    )


def format_notice_id(incident: str) -> str:
    """What the notice is found by again: no proposal has this id."""
    return f"{incident}-notice"


def list_cause_paragraphs(report: Report) -> Iterator[tuple[Label, str]]:
    """What fails, why, and who can act: what a person on call asks first. "" for a paragraph that has no words."""
    incident, cause = report.incident, report.cause
    proven = f" {cause.proven_by}" if cause.proven_by else ""
    gap = f" {describe_gap(incident.longest_gap)}" if incident.longest_gap is not None else ""
    yield Label.FAILS, f"{describe_error(report)}."
    yield Label.CAUSE, f"{describe_cause(report)}.{proven}{gap}"
    yield Label.RAISED, _describe_exceptions(report)
    yield Label.SUSPECTED, describe_likeliest_change(report.proof.suspected)
    if cause.cause_class is CauseClass.UNKNOWN:
        return
    yield Label.OWNER, f"{quote_untrusted(cause.owner, 120)}."
    unproven = " No commit is proven to do so, so none is proposed." if cause.profile.is_mended_by_commit else ""
    yield Label.MENDS, f"{cause.profile.mends}{unproven}"


def _describe_exceptions(report: Report) -> str:
    raised = describe_raised_exception(report.incident, report.proof.raised_frame)
    if raised or not report.incident.candidates:
        return f"{raised}." if raised else ""
    words = [describe_exception(candidate.exception) for candidate in report.incident.candidates]
    return f"one of {join_words(words, 'or')}."
