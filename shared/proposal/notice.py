"""The messages that ask nothing and have no buttons: about an incident, and about commits that are not deployed.

Where nothing is proposed for an incident, the notice says who can act instead. The radar's notice is one line a day:
what is merged and not deployed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.detection.causes.cause import CauseClass
from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Label, Message
from shared.proposal.states import ProposalStatus
from shared.report.cause import describe_cause, describe_shown_cause
from shared.report.facts.log_entries import describe_gap, describe_occurrences
from shared.report.facts.unproven import describe_likeliest_change
from shared.report.impact import Reach, describe_impact, list_consequences
from shared.report.issue.body import describe_error
from shared.report.report import Report, describe_counting_time
from shared.service import Service
from shared.text.phrases import join_words, pluralize, quote_service_name, quote_untrusted, short_sha
from shared.text.timestamps import format_duration, format_timestamp_phrase

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


_MAX_TITLE_LENGTH = 150


class RadarEntry(Protocol):
    """What the line says of a failure; `fix` is "" where the branch never had it."""

    @property
    def error_class(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def fix(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def committed_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class RadarLine:
    """`ahead`: commits that would ship. `further`: failures beside the entries that may end as well.

    `sign` binds the button to what was found; "" for no button.
    """

    entries: Sequence[RadarEntry]
    ahead: int
    further: int
    sign: str = ""


def build_radar_notice(service: Service, told: RadarLine, now: datetime) -> Message:
    """The message of one day."""
    entries, ahead, further = told.entries, told.ahead, told.further
    others = len(entries) - 1 + further
    more = f" {pluralize(others, 'further failure')} may end with it." if others else ""
    line = f"{describe_entry(entries[0], now)} {pluralize(ahead, 'commit')} of the deploy branch would ship.{more}"
    return Message(
        proposal=f"{service.id}-radar-{now.date().isoformat()}",
        incident=service.id,
        commit=entries[0].fix,
        evidence_hash=told.sign,
        title=quote_untrusted(f"{quote_service_name(service.name)}: a merged fix is not deployed", _MAX_TITLE_LENGTH),
        lines=(line,),
        issue_url="",
        standing=ProposalStatus.NOTICE,
        expires_at=now,
        kind=ActionKind.NONE,
        can_be_proposed=bool(told.sign and entries[0].fix),
    )


def describe_entry(entry: RadarEntry, now: datetime) -> str:
    """One sentence, redacted and of one line."""
    line = f", line {entry.line}" if entry.line else ""
    failure = f"{quote_untrusted(entry.error_class, 80)} in {quote_untrusted(entry.path, 160)}{line}"
    if not entry.fix or entry.committed_at is None:
        return f"{failure} is in what serves; the deploy branch never had it."
    age = format_duration(max(now - entry.committed_at, timedelta()))
    subject = quote_untrusted(entry.subject, 80)
    return f"{failure} is in what serves; {short_sha(entry.fix)} (“{subject}”), committed {age} ago, fixes it."
