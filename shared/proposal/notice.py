"""The message about an incident for which nothing is proposed: no question, no buttons, and who can act instead."""

from collections.abc import Iterator
from datetime import datetime

from shared.detection.causes.cause import CauseClass
from shared.proof.model.recommendation import ActionKind
from shared.proposal.labels import Label
from shared.proposal.proposal import Message
from shared.proposal.states import ProposalStatus
from shared.report.cause import describe_cause, describe_shown_cause
from shared.report.facts.log_entries import describe_gap, describe_occurrences
from shared.report.facts.unproven import describe_likeliest_change
from shared.report.impact import Reach, describe_impact, list_consequences
from shared.report.issue.body import describe_error
from shared.report.report import Report, describe_counting_time
from shared.text.phrases import join_words, pluralize, quote_untrusted
from shared.text.timestamps import format_timestamp_phrase

_MAX_SYMPTOMS = 2


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
    """What a person on call asks, in that order; "" for a paragraph that has no words.

    What was raised, whom it affects and since when, what kind of cause it is, who can act and how, and what follows if
    nobody does.
    """
    cause = report.cause
    shown = describe_shown_cause(report)
    proven = f" {cause.proven_by}" if cause.proven_by else ""
    gap = f" {describe_gap(report.incident.longest_gap)}" if report.incident.longest_gap is not None else ""
    yield (Label.RAISED, f"{shown}.") if shown else (Label.FAILS, f"{describe_error(report)}.")
    yield Label.IMPACT, describe_impact(report.impact) if report.impact else ""
    yield Label.SINCE, describe_since(report, with_last=True)
    yield Label.CAUSE, f"{describe_cause(report)}.{proven}{gap}"
    if cause.cause_class is not CauseClass.UNKNOWN:
        yield Label.OWNER, f"{quote_untrusted(cause.owner, 120)}."
    unproven = " No commit is proven to do so, so none is proposed." if cause.profile.is_mended_by_commit else ""
    yield Label.MENDS, f"{cause.profile.mends}{unproven}"
    yield Label.SUSPECTED, describe_likeliest_change(report.proof.suspected)
    yield Label.INACTION, describe_inaction(report)


def describe_since(report: Report, *, with_last: bool = False) -> str:
    """When it was first logged, how often, and what followed; where asked for, when it was last logged as well."""
    incident = report.incident
    first = format_timestamp_phrase(incident.first_seen, dated=incident.dated).removeprefix("at ")
    is_repeated = incident.dated and incident.last_seen is not None and incident.last_seen != incident.first_seen
    last = f", last {format_timestamp_phrase(incident.last_seen, dated=True)}" if with_last and is_repeated else ""
    symptoms = list_consequences(incident)[:_MAX_SYMPTOMS]
    after = f"; then: {join_words(symptoms)}" if symptoms else ""
    if incident.is_found_early:
        return f"{describe_occurrences(incident)}."
    return f"{first}{last}, logged {pluralize(incident.occurrences, 'time')}{describe_counting_time(report)}{after}."


def describe_inaction(report: Report) -> str:
    """What follows where nobody acts: provenfix deploys nothing without a proof."""
    impact = report.impact
    reach = impact.reach if impact is not None else Reach.UNKNOWN
    if report.cause.cause_class is CauseClass.RESTART:
        return "nothing: clients connect again."
    if impact is not None and reach in {Reach.NEVER_STARTED, Reach.NEVER_SERVED, Reach.SERVED}:
        others = join_words([quote_untrusted(name, 80) for name in impact.serving_instead])
        return (
            f"{quote_untrusted(impact.revision, 80)} stays without traffic{f'; {others} serves on' if others else ''}."
        )
    return "it goes on as it is: nothing is deployed, and nobody is asked, without a proof."
