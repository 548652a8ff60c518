"""Renders the title and the body of a report's GitHub issue: complete, inert, and not too long.

The top of the body is the summary: what fails, since when, why, and what is proposed, for a reader who stops there.
"""

from collections.abc import Iterator

from shared.detection.causes.cause import CauseClass
from shared.detection.incident import describe_raised, describe_raised_exception
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import SignalKind
from shared.proof.model.finding import Finding, find_recommended_commit
from shared.proof.model.recommendation import ActionKind
from shared.proof.model.target import CheckStatus, Target
from shared.report.cause import describe_cause, describe_effect, describe_shown_cause
from shared.report.facts.fix_history import describe_shipped_files
from shared.report.facts.log_entries import describe_gap, describe_occurrences
from shared.report.facts.unproven import (
    describe_candidate,
    describe_experiment,
    describe_likeliest_change,
    is_suspected_fact,
)
from shared.report.impact import summarise_impact
from shared.report.incident_status import MAX_BODY_LENGTH
from shared.report.issue import causes, incident_details, proposal
from shared.report.issue.section import (
    Heading,
    Section,
    fit_sections,
    format_bullets,
    link_commit,
    link_commit_with_subject,
)
from shared.report.links import NO_LINKS, Links
from shared.report.report import Report, describe_counting_time
from shared.report.verdict_words import describe_corroboration, describe_target_state
from shared.text.escaping import escape_markdown, format_code_span, sanitise_title
from shared.text.phrases import get_first_sentence, pluralize, quote_service_name, quote_untrusted, short_sha

_SIGNAL_PHRASES = {
    SignalKind.FOUND_BY_CHECK: "a check found a line that fails",
    SignalKind.KEEPALIVE_TIMEOUT: "keepalive pings time out",
    SignalKind.DYNAMIC_CODE: "code generated at run time does not compile",
    SignalKind.DEPENDENCY: "an installed package does not compile",
    SignalKind.NOT_PYTHON: "a syntax error that is not Python's",
    SignalKind.FOLLOW_ON_ERROR: "errors without a known cause",
}
_MAX_FAILURE_LENGTH = 100
"""Characters, so that the state has room in every title."""
RECOMMENDATION_LABELS = {
    ActionKind.REDEPLOY: "Redeploy",
    ActionKind.ROLLBACK: "Roll back to",
    ActionKind.TRIAL: "Try without traffic:",
    ActionKind.NONE: "Nothing to deploy",
}


def format_headline(report: Report) -> str:
    """Plain text for a title: the service, what fails, where, and its state."""
    return f"{format_failure(report)}{_choose_headline_status(report.proof)}"


def format_failure(report: Report) -> str:
    """The part of the title that stays whatever is decided: the service, what fails, and where."""
    service = quote_service_name(report.incident.service) or "service not named"
    return quote_untrusted(f"{service}: {describe_error(report)}", _MAX_FAILURE_LENGTH)


def describe_error(report: Report) -> str:
    """`SyntaxError in app/main.py, line 7, on Python 3.11`."""
    incident, broken = report.incident, report.proof.broken
    if incident.kind in {SignalKind.CLOSE_1011, SignalKind.FAILED_START} and broken is None:
        return describe_effect(report)
    if incident.kind is not SignalKind.SYNTAX_ERROR and broken is None:
        return _SIGNAL_PHRASES.get(incident.kind, incident.kind.value)
    claim = report.proof.claim
    if claim is not None and claim.is_start:
        place = f"{quote_untrusted(claim.path, 80)}, line {claim.line}"
        return f"{quote_untrusted(claim.missing_target, 80)} is missing, which {place}, starts"
    path = quote_untrusted(claim.path if claim else broken.path if broken else incident.path, 80)
    error = quote_untrusted(broken.fault.error_class if broken else incident.error_class, 40) or "SyntaxError"
    line = (
        claim.line
        if claim
        else broken.fault.line
        if broken
        else incident.sightings[-1].line
        if incident.sightings
        else None
    )
    at_line = f", line {line}" if line is not None else ""
    python = f", on Python {report.proof.deployed.python}" if broken and report.proof.deployed.python else ""
    return f"{error} in {path}{at_line}{python}"


def render_summary(report: Report, links: Links) -> Iterator[Section]:
    recommendation = format_recommendation(report.proof, links)
    if _leads_with_cause(report):
        blocks = (format_bullets(_list_cause_points(report, links)), recommendation)
    else:
        blocks = (recommendation, format_bullets(_list_summary_points(report, links)))
    yield Section(Heading.SUMMARY, blocks, priority=9)


def _leads_with_cause(report: Report) -> bool:
    """Whether nothing is proposed for a close or a failed start: what was raised then says more than that."""
    is_effect = report.incident.kind in EFFECT_KINDS and report.proof.broken is None
    return is_effect and report.proof.recommendation.kind is ActionKind.NONE


def format_recommendation(proof: Finding, links: Links) -> str:
    """The recommendation and its reason, as a paragraph that cannot be overlooked."""
    commit = find_recommended_commit(proof)
    named = f" {link_commit_with_subject(commit, links)}" if commit is not None else ""
    detail = quote_untrusted(proof.recommendation.detail, 600)
    if commit is not None:
        detail = detail.replace(commit.id, short_sha(commit.id))  # its link is right before it
    reason = f"{escape_markdown(detail)} ({format_code_span(proof.recommendation.reason.value)})"
    return f"**{RECOMMENDATION_LABELS[proof.recommendation.kind]}{named}.** {reason}"


def _choose_headline_status(proof: Finding) -> str:
    if proof.recommendation.kind is ActionKind.TRIAL:
        return ": nothing proven, a trial is possible"
    if proof.recommendation.kind is ActionKind.REDEPLOY:
        return ": fix merged, not deployed" if proof.experiment is None else ": a commit held in a trial, not deployed"
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        merged = proof.fix is not None and proof.fix.where == "merged"
        return ": roll back to an earlier commit" if merged else ": no fix yet, an earlier commit works"
    if proof.fix is not None:
        return ": a fix exists, not ready to deploy"
    return ": no fix yet" if proof.broken is not None else ""


def _list_summary_points(report: Report, links: Links) -> Iterator[str]:
    incident, proof = report.incident, report.proof
    service = escape_markdown(quote_service_name(incident.service)) or "the service"
    environment = (
        f" ({escape_markdown(quote_untrusted(incident.environment, 60))})"
        if quote_service_name(incident.service)
        else ""
    )
    often = escape_markdown(describe_occurrences(incident, describe_counting_time(report)))
    yield (f"**What fails:** {service}{environment}: {escape_markdown(describe_error(report))}. {often}.")
    yield f"**Impact:** {summarise_impact(incident, report.impact)}"
    if incident.kind in EFFECT_KINDS and proof.broken is None:
        yield from _exception_points(report)
        yield from _cause_points(report)
    if len(report.whys) > 1 and proof.broken is not None:
        yield f"**Why:** {escape_markdown(get_first_sentence(report.whys[1].answer))}"
    if suspected := describe_likeliest_change(proof.suspected):
        yield f"**Suspected, not proven:** {escape_markdown(suspected)} ({', '.join(cite_likeliest_change(report))})"
    if proof.deployed.commit is not None:
        sure = describe_corroboration(proof)
        tree = "; built from an uncommitted tree" if proof.deployed.uncommitted_tree else ""
        named = link_commit(proof.deployed.commit.id, links)
        yield f"**Deployed:** {named}, {proof.deployed.source.value}, {sure}{tree}."
    if proof.trial_candidate is not None and proof.recommendation.kind is not ActionKind.NONE:
        yield f"**Possible fix:** {escape_markdown(describe_candidate(proof.trial_candidate))}."
    if proof.experiment is not None:
        yield f"**Proven by experiment:** {escape_markdown(next(describe_experiment(proof.experiment)))}"
    if proof.target is not None and proof.recommendation.kind is ActionKind.REDEPLOY:
        yield f"**Safe to deploy?** {_describe_deployment_safety(proof, proof.target)}"


def cite_likeliest_change(report: Report) -> tuple[str, ...]:
    """The ids of the evidence for what `describe_likeliest_change` says."""
    suspected = report.proof.suspected
    named = {change.commit.id for change in (*suspected.introduced[:1], *suspected.possible_fixes[:1])}
    return tuple(item.id for item in report.evidence if item.ref in named and is_suspected_fact(item))


def _list_cause_points(report: Report, links: Links) -> Iterator[str]:
    """What was raised first; then since when and whom it affects, who can act and how; the rest as ever."""
    of_exception = tuple(_exception_points(report))
    yield from of_exception
    yield from (point for point in _list_summary_points(report, links) if point not in of_exception)


def _exception_points(report: Report) -> Iterator[str]:
    """What the log shows of the cause."""
    raised = describe_raised_exception(report.incident, report.proof.raised_frame)
    before = describe_shown_cause(report) if not report.incident.candidates else ""
    if raised:
        yield f"**Logged exception:** {escape_markdown(raised)}."
    elif before:
        yield f"**Logged before it:** {escape_markdown(before)}."
    for candidate in report.incident.candidates:
        yield f"**Possible cause:** {escape_markdown(describe_raised(candidate))}."


def _cause_points(report: Report) -> Iterator[str]:
    """What is known of a cause that no commit is proven to fix: its class, its evidence, who can act and how."""
    cause, cited = report.cause, ", ".join(report.cause_evidence_ids)
    proven = f" {escape_markdown(quote_untrusted(cause.proven_by, 300))}" if cause.proven_by else ""
    yield f"**Cause:** {escape_markdown(describe_cause(report))}.{proven}{f' ({cited})' if cited else ''}"
    if report.incident.longest_gap is not None:
        yield f"**Silence:** {escape_markdown(describe_gap(report.incident.longest_gap))}"
    if cause.cause_class is not CauseClass.UNKNOWN:
        yield f"**Who can act:** {escape_markdown(quote_untrusted(cause.owner, 120))}."
        yield f"**What would fix it:** {escape_markdown(cause.profile.mends)}"


def _describe_deployment_safety(proof: Finding, target: Target) -> str:
    """What was looked at, and what stays unknown."""
    if proof.experiment is not None:
        state = "every file that the service loads compiles"
    elif proof.claim is not None:
        state = describe_target_state(proof)
    else:
        state = f"every file that failed compiles on Python {proof.deployed.python}, and no other file stops compiling"
    compiled = (
        f"At {short_sha(target.commit.id)} {state}. With it ship {pluralize(target.commits_after_deployed, 'commit')}: "
        f"{describe_shipped_files(target.shipped_changes)}."
    )
    return f"{escape_markdown(compiled)} {_CHECKS_SENTENCES[target.checks]}"


_CHECKS_SENTENCES = {
    CheckStatus.GREEN: "Its checks are green.",
    CheckStatus.PENDING: "**Its checks have not ended.**",
    CheckStatus.RED: "**Its checks are red.**",
    CheckStatus.UNKNOWN: "**Its checks are unknown:** there are none, or the code host did not answer.",
}


_RESERVED_LENGTH = 6_000
"""Characters for markers, and for the part edited while the incident moves (`shared.report.incident_status`)."""


def format_issue_title(report: Report) -> str:
    """One line of plain text: GitHub renders no Markdown in titles but code spans, and links references."""
    return sanitise_title(format_headline(report))


def render_issue_body(report: Report, links: Links = NO_LINKS) -> str:
    """GitHub-flavoured Markdown, so short that a part on the present state fits as well into 65,536 characters.

    What does not fit is left out by whole blocks, the least needed sections first, with a pointer to where it is.
    """
    parts = (
        render_summary,
        causes.render_suspected_changes,
        incident_details.render_incident_details,
        incident_details.render_commits,
        causes.render_causes,
        proposal.render_proposal,
        causes.render_evidence,
    )
    sections = [section for part in parts for section in part(report, links)]
    sections.sort(key=lambda section: section.is_folded)  # what is shown comes first, each in its order
    return f"{_build_fingerprint_marker(report)}\n\n{fit_sections(sections, MAX_BODY_LENGTH - _RESERVED_LENGTH)}\n"


def _build_fingerprint_marker(report: Report) -> str:
    """Finds the issue again, whatever users do to its title and text."""
    fingerprint = "".join(character for character in report.incident.fingerprint if character.isalnum())
    return f"<!-- provenfix:fingerprint={fingerprint} -->"
