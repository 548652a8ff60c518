"""The top of an issue: what fails, since when, why, and what is proposed, for somebody who reads nothing else."""

from collections.abc import Iterator

from shared.detection.signal import SignalKind
from shared.proof.model.finding import Checks, Kind, Proof, Target
from shared.report.facts.mended import place_of, shipped
from shared.report.issue.commits import brought_in, shown, titled
from shared.report.issue.impact import impact
from shared.report.issue.section import Heading, Section, bullets
from shared.report.links import Links
from shared.report.report import Report, as_of
from shared.text.escaping import format_code_span, escape_markdown
from shared.text.phrases import pluralize, quote_untrusted, quote_service_name, short_sha
from shared.text.timestamps import format_timestamp_phrase

_SIGNALS = {
    SignalKind.CLOSE_1011: "WebSockets are closed with 1011",
    SignalKind.KEEPALIVE_TIMEOUT: "keepalive pings time out",
    SignalKind.DYNAMIC_CODE: "code put together at run time does not compile",
    SignalKind.DEPENDENCY: "an installed package does not compile",
    SignalKind.NOT_PYTHON: "a syntax error that is not Python's",
    SignalKind.FOLLOWER: "errors without a known cause",
}
_LONGEST_FAILURE = 100
"""Characters, so that how things stand has room in every title."""
DECISIONS = {Kind.REDEPLOY: "Redeploy", Kind.ROLLBACK: "Roll back to", Kind.NONE: "Nothing to deploy"}


def headline(report: Report) -> str:
    """Plain text for a title: the service, what fails, where, and how things stand."""
    return f"{failure(report)}{_standing(report.proof)}"


def failure(report: Report) -> str:
    """The part of the title that stays whatever is decided: the service, what fails, and where."""
    service = quote_service_name(report.incident.service) or "service not named"
    return quote_untrusted(f"{service}: {what_fails(report)}", _LONGEST_FAILURE)


def what_fails(report: Report) -> str:
    """`SyntaxError in app/main.py, line 7, on Python 3.11`."""
    incident, broken = report.incident, report.proof.broken
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return _SIGNALS.get(incident.kind, incident.kind.value)
    path = quote_untrusted(broken.path if broken else incident.path, 80)
    error = quote_untrusted(broken.fault.error_class if broken else incident.error_class, 40) or "SyntaxError"
    line = broken.fault.line if broken else incident.sightings[-1].line if incident.sightings else None
    place = f", line {line}" if line is not None else ""
    python = f", on Python {report.proof.deployed.python}" if broken and report.proof.deployed.python else ""
    return f"{error} in {path}{place}{python}"


def opening(report: Report, links: Links) -> Iterator[Section]:
    yield Section(Heading.SUMMARY, (decision(report.proof, links), bullets(_points(report, links))), need=9)


def decision(proof: Proof, links: Links) -> str:
    """The recommendation and its reason, as a paragraph that cannot be overlooked."""
    commit = proof.target if proof.recommendation.kind is Kind.REDEPLOY else proof.rollback
    named = ""
    if commit is not None and proof.recommendation.kind is not Kind.NONE:
        named = f" {titled(commit.commit, links)}"
    reason = f"{escape_markdown(quote_untrusted(proof.recommendation.detail, 600))} ({format_code_span(proof.recommendation.reason.value)})"
    return f"**{DECISIONS[proof.recommendation.kind]}{named}.** {reason}"


def _standing(proof: Proof) -> str:
    if proof.recommendation.kind is Kind.REDEPLOY:
        return ": fix merged, not deployed"
    if proof.recommendation.kind is Kind.ROLLBACK:
        merged = proof.fix is not None and proof.fix.where == "merged"
        return ": back to an earlier commit" if merged else ": no fix yet, an earlier commit is good"
    if proof.fix is not None:
        return ": a fix exists, not ready to deploy"
    return ": no fix yet" if proof.broken is not None else ""


def _points(report: Report, links: Links) -> Iterator[str]:
    incident, proof = report.incident, report.proof
    service = escape_markdown(quote_service_name(incident.service)) or "the service"
    environment = f" ({escape_markdown(quote_untrusted(incident.environment, 60))})" if quote_service_name(incident.service) else ""
    yield f"**What fails:** {service}{environment}: {escape_markdown(what_fails(report))}."
    often = f"{pluralize(incident.occurrences, 'time')}{as_of(report)}"
    yield f"**Since:** logged {often}, first {escape_markdown(format_timestamp_phrase(incident.first_seen, dated=incident.dated))}."
    yield f"**Impact:** {impact(incident, report.impact)}"
    if len(report.whys) > 1 and proof.broken is not None:
        yield f"**Why:** {escape_markdown(report.whys[1].answer)}"
    if proof.deployed.commit is not None:
        sure = "corroborated by compiling it" if proof.deployed.corroborated else "not corroborated"
        tree = "; built from an uncommitted tree" if proof.deployed.uncommitted_tree else ""
        named = shown(proof.deployed.commit.id, links)
        yield f"**Deployed:** {named}, {proof.deployed.source.value}, {sure}{tree}."
    if proof.introduced is not None:
        origin = brought_in(proof.introduced.commit.id, links)
        yield f"**Broken since:** {titled(proof.introduced.commit, links)}{origin}."
    if proof.fix is not None:
        origin = brought_in(proof.fix.commit.id, links) if proof.fix.where == "merged" else ""
        place = escape_markdown(place_of(proof.fix, proof.branch))
        yield f"**Fixed by:** {titled(proof.fix.commit, links)}, {place}{origin}."
    if proof.target is not None and proof.recommendation.kind is Kind.REDEPLOY:
        yield f"**Safe to deploy?** {_safety(proof, proof.target)}"


def _safety(proof: Proof, target: Target) -> str:
    """What was looked at, and what nobody could tell."""
    compiled = (
        f"At {short_sha(target.commit.id)} every file that failed compiles on Python {proof.deployed.python}, and none "
        f"that compiled before has stopped. With it ship {pluralize(target.commits_after_deployed, 'commit')}: "
        f"{shipped(target.ships)}."
    )
    return f"{escape_markdown(compiled)} {_CHECKS[target.checks]}"


_CHECKS = {
    Checks.GREEN: "Its checks are green.",
    Checks.PENDING: "**Its checks have not ended.**",
    Checks.RED: "**Its checks are red.**",
    Checks.UNKNOWN: "**Its checks are unknown:** it has none, or nobody could be asked.",
}
