"""The top of an issue: what fails, since when, why, and what is proposed, for somebody who reads nothing else."""

from collections.abc import Iterator

from shared.domain.escaping import code_span, for_markdown
from shared.domain.facts.mended import place_of
from shared.domain.finding import Kind, Proof
from shared.domain.impact import told
from shared.domain.issue.section import Section, bullets
from shared.domain.moment import spoken
from shared.domain.report import Report
from shared.domain.signal import SignalKind
from shared.domain.wording import counted, said, service_named, short

_SIGNALS = {
    SignalKind.CLOSE_1011: "WebSockets are closed with 1011",
    SignalKind.KEEPALIVE_TIMEOUT: "keepalive pings time out",
    SignalKind.DYNAMIC_CODE: "code put together at run time does not compile",
    SignalKind.DEPENDENCY: "an installed package does not compile",
    SignalKind.NOT_PYTHON: "a syntax error that is not Python's",
    SignalKind.FOLLOWER: "errors without a known cause",
}
DECISIONS = {Kind.REDEPLOY: "Redeploy", Kind.ROLLBACK: "Roll back to", Kind.NONE: "Nothing to deploy"}


def headline(report: Report) -> str:
    """Plain text for a title: the service, what fails, where, and how things stand."""
    service = service_named(report.incident.service) or "service not named"
    return f"{service}: {what_fails(report)}{_standing(report.proof)}"


def what_fails(report: Report) -> str:
    """`SyntaxError in app/main.py, line 7, on Python 3.11`."""
    incident, broken = report.incident, report.proof.broken
    if incident.kind is not SignalKind.SYNTAX_ERROR:
        return _SIGNALS.get(incident.kind, incident.kind.value)
    path = said(broken.path if broken else incident.path, 80)
    error = said(broken.fault.error_class if broken else incident.error_class, 40) or "SyntaxError"
    line = broken.fault.line if broken else incident.sightings[-1].line if incident.sightings else None
    place = f", line {line}" if line is not None else ""
    python = f", on Python {report.proof.deployed.python}" if broken and report.proof.deployed.python else ""
    return f"{error} in {path}{place}{python}"


def opening(report: Report) -> Iterator[Section]:
    yield Section("Summary", (decision(report.proof), bullets(_points(report))), need=9)


def decision(proof: Proof) -> str:
    """The recommendation and its reason, as a paragraph that cannot be overlooked."""
    commit = proof.target if proof.recommendation.kind is Kind.REDEPLOY else proof.rollback
    named = ""
    if commit is not None and proof.recommendation.kind is not Kind.NONE:
        named = f" {code_span(short(commit.commit.id))} ({for_markdown(said(commit.commit.subject, 100))})"
    reason = f"{for_markdown(said(proof.recommendation.detail, 600))} ({code_span(proof.recommendation.reason.value)})"
    return f"**{DECISIONS[proof.recommendation.kind]}{named}.** {reason}"


def _standing(proof: Proof) -> str:
    if proof.recommendation.kind is Kind.REDEPLOY:
        return ": fix merged, not deployed"
    if proof.recommendation.kind is Kind.ROLLBACK:
        return ": no fix yet, an earlier commit is good"
    if proof.fix is not None:
        return ": a fix exists, not ready to deploy"
    return ": no fix yet" if proof.broken is not None else ""


def _points(report: Report) -> Iterator[str]:
    incident, proof = report.incident, report.proof
    service = for_markdown(service_named(incident.service)) or "the service"
    environment = f" ({for_markdown(said(incident.environment, 60))})" if service_named(incident.service) else ""
    yield f"**What fails:** {service}{environment}: {for_markdown(what_fails(report))}."
    if report.impact:
        yield f"**Impact:** {for_markdown(told(report.impact))} ({', '.join(report.impact.evidence)})"
    often = counted(incident.occurrences, "time")
    yield f"**Since:** logged {often}, first {for_markdown(spoken(incident.first_seen, dated=incident.dated))}."
    if incident.symptoms:
        yield f"**What followed:** {for_markdown(said(incident.symptoms[0].text, 160))}"
    if len(report.whys) > 1 and proof.broken is not None:
        yield f"**Why:** {for_markdown(report.whys[1].answer)}"
    if proof.deployed.commit is not None:
        sure = "corroborated by compiling it" if proof.deployed.corroborated else "not corroborated"
        tree = "; built from an uncommitted tree" if proof.deployed.uncommitted_tree else ""
        named = code_span(short(proof.deployed.commit.id))
        yield f"**Deployed:** {named}, {proof.deployed.source.value}, {sure}{tree}."
    if proof.fix is not None:
        fix = f"{code_span(short(proof.fix.commit.id))} ({for_markdown(said(proof.fix.commit.subject, 100))})"
        yield f"**Fix:** {fix}, {for_markdown(place_of(proof.fix, proof.branch))}."
